import { describe, expect, test } from "vitest"
import { missing, namedIn, rowsOf } from "./support/named-tests.ts"

// docs/fleet-names.md names tests by file and title: a test that is renamed, moved or dropped must be followed there.

const rows = rowsOf("docs/fleet-names.md", "name")

describe("the table of names", () => {
  test("has for each name what it is here with a test, or the reason why there is none", () => {
    expect(rows.length).toBeGreaterThan(60)
    for (const row of rows) expect(row).toHaveLength(3)
    const idle = rows.filter(([, here, proof]) => here!.startsWith("None: ") === namedIn(proof!).length > 0)
    expect(idle).toEqual([])
  })

  test("names only tests that are there", () => {
    expect(missing(rows.flatMap(([, , proof]) => namedIn(proof!)))).toEqual([])
  })
})
