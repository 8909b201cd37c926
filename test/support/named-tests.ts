import { existsSync, readFileSync } from "node:fs"
import path from "node:path"

// Tables in docs/ that name tests by file and title.

const root = path.resolve(import.meta.dirname, "../..")

export type NamedTest = { readonly file: string; readonly title: string }

/** The cells of each row of the tables of a document, but for the rows that begin with `heading` and those of dashes. */
export const rowsOf = (document: string, heading: string): ReadonlyArray<ReadonlyArray<string>> =>
  readFileSync(path.join(root, document), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith(`| ${heading} `))
    .map((line) => line.slice(2, -2).split(" | "))

/** `file › title`, in a cell of their own line each. */
const NAMED = /^`([a-z/-]+)` › (.+)$/

export const namedIn = (cell: string): ReadonlyArray<NamedTest> =>
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

/** Those that are not there. */
export const missing = (tests: ReadonlyArray<NamedTest>): ReadonlyArray<NamedTest> =>
  tests.filter(({ file, title }) => {
    const full = path.join(root, file)
    return !existsSync(full) || !holds(readFileSync(full, "utf8"), title)
  })
