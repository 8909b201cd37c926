import { describe, expect, test } from "vitest"
import { missing, namedIn, rowsOf } from "./support/named-tests.ts"

// docs/lineage.md names tests by file and title: a test that is renamed, moved or dropped must be followed there.

const rows = rowsOf("docs/lineage.md", "case")

describe("the table of cases", () => {
  test("has for each case a test, or the reason why there is none", () => {
    expect(rows.length).toBeGreaterThan(200)
    const idle = rows.filter(([, here]) => namedIn(here!).length === 0 && !here!.startsWith("None: "))
    expect(idle).toEqual([])
  })

  test("says only once what becomes of a case", () => {
    for (const row of rows) expect(row).toHaveLength(2)
  })

  test("names only tests that are there", () => {
    expect(missing(rows.flatMap(([, here]) => namedIn(here!)))).toEqual([])
  })
})
