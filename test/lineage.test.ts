import { existsSync, readFileSync } from "node:fs"
import path from "node:path"
import { describe, expect, test } from "vitest"

// docs/lineage.md names tests by file and title: a test that is renamed, moved or dropped must be followed there.

const root = path.resolve(import.meta.dirname, "..")
const rows = readFileSync(path.join(root, "docs/lineage.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| case "))
  .map((line) => line.slice(2, -2).split(" | "))

/** `file › title`, in a cell of their own line each. */
const NAMED = /^`([a-z/-]+)` › (.+)$/

const namedIn = (cell: string) =>
  cell.split("<br>").flatMap((line) => {
    const named = NAMED.exec(line)
    return named === null ? [] : [{ file: `test/${named[1]}.test.ts`, title: named[2]! }]
  })

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Whether a file calls something other than `describe` with this title first, or has it as the name of a row of a table of tests. */
const holds = (source: string, title: string): boolean => {
  const quoted = `\\s*(["\`])${literal(title)}`
  return new RegExp(`(?:(?<!describe)\\(|\\[)${quoted}\\1,|[{,]${quoted}\\2:`).test(source)
}

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
    const missing = rows
      .flatMap(([, here]) => namedIn(here!))
      .filter(({ file, title }) => {
        const full = path.join(root, file)
        return !existsSync(full) || !holds(readFileSync(full, "utf8"), title)
      })
    expect(missing).toEqual([])
  })
})
