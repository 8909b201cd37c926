import { readFileSync } from "node:fs"
import path from "node:path"
import { describe, expect, test } from "vitest"
import { ADVICE } from "../src/engine/doctor/doctor.ts"
import { MOST_LISTED, MOST_STEPS } from "../src/engine/maintenance/findings.ts"
import { DEFAULT_LONG_TRANSACTION_MS } from "../src/engine/maintenance/maintaining.ts"
import {
  DEFAULT_BLOAT_BYTES,
  DEFAULT_BLOAT_SHARE,
  STALE_ROWS,
  STALE_SHARE
} from "../src/engine/maintenance/plan.ts"

// docs/operating.md is the reference of what is advised: it says what the declarations say, row by row.

const text = readFileSync(path.resolve(import.meta.dirname, "../docs/operating.md"), "utf8")
const advised = text.slice(text.indexOf("## What is advised"))

const rowsBelow = (heading: string): ReadonlyArray<string> => {
  const section = advised
    .split(/^### /m)
    .find((part) => part.toLowerCase().startsWith(`${heading.toLowerCase()}\n`))
  return (section ?? "").split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what "))
}

describe("docs/operating.md", () => {
  test.each(Object.entries(ADVICE))("has all that is advised of %s, as it is declared", (about, all) => {
    expect(rowsBelow(about)).toEqual(
      all.map(({ name, advised: what, why, severity }) => `| ${name} | ${what} | ${why} | ${severity} |`)
    )
  })

  test("has no advice that is not declared", () => {
    const headings = [...advised.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading!.toLowerCase())
    expect(headings).toEqual(Object.keys(ADVICE).map((about) => about.toLowerCase()))
  })

  test("has the limits that maintenance goes by", () => {
    expect([STALE_SHARE, STALE_ROWS, DEFAULT_BLOAT_SHARE, DEFAULT_BLOAT_BYTES / 1024 ** 2]).toEqual([
      0.05, 1_000, 0.5, 10
    ])
    expect(text).toContain("5 % of its rows, and 1 000 at least")
    expect(text).toContain("half of an index of 10 MiB and more")
    expect(text).toContain(`open for more than ${DEFAULT_LONG_TRANSACTION_MS / 60_000} minutes`)
    expect(text).toContain(`the first ${MOST_LISTED} (${MOST_STEPS} steps)`)
  })
})
