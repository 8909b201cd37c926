import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { packageFile } from "../../src/postgres/sql-file.ts"

const queries = dirname(packageFile("#schema/queries/head_position.sql"))

test("every statement that asks where the log ends takes a sequence that was never drawn from for an empty log", () => {
  const asking = readdirSync(queries)
    .map((file) => ({ file, text: readFileSync(join(queries, file), "utf8") }))
    .filter(({ text }) => /\bas head\b/.test(text) && text.includes("last_value"))
  expect(asking.length).toBeGreaterThan(5)
  const others = asking.filter(({ text }) => !text.includes("case when is_called then last_value else 0 end"))
  expect(others.map(({ file }) => file)).toEqual([])
})
