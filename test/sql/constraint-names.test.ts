import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"

// Rule C4: errors are matched by SQLSTATE, never by a constraint's name, which differs from server to server of a cluster.

const db = testDatabase()
const root = fileURLToPath(new URL("../../", import.meta.url))

interface File {
  readonly file: string
  readonly text: string
}

const filesBelow = (folder: string): ReadonlyArray<File> =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, file))
    .filter((file) => /\.(?:ts|sql)$/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }))

const sources = ["src", "projections", "schema"].flatMap(filesBelow)

const BY_NAME =
  /\bon\s+conflict\s+on\s+constraint\b|\bconstraint_name\b|\bpg_exception_constraint\b|\.constraint\b/i

const found = (files: ReadonlyArray<File>, pattern: RegExp) =>
  files
    .filter(({ text }) => pattern.test(text.replaceAll(/^\s*(?:--|\/\/).*$/gm, "")))
    .map(({ file }) => file)

describe("no file in src, projections or schema", () => {
  test("asks for a constraint by its name, in SQL or of an error", () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(found(sources, BY_NAME)).toEqual([])
  })

  test("holds the name of a constraint of the log, but where it is made", async () => {
    const rows = await db.query<{ name: string }>(
      `select distinct conname as name from pg_constraint
       where connamespace = 'tidemark'::regnamespace and contype in ('p', 'u', 'c') and conname <> 'bounds'`
    )
    expect(rows.length).toBeGreaterThan(10)
    const name = new RegExp(`\\b(?:${rows.map((row) => row.name).join("|")})\\b`)
    const making = /\badd\s+constraint\b/i
    const using = sources.filter(({ text }) =>
      text.split("\n").some((line) => name.test(line) && !making.test(line))
    )
    expect(using.map(({ file }) => file)).toEqual([])
  })

  test.each([
    ["insert into t values (1) on conflict on constraint t_pkey do nothing", 1],
    ["if (error.constraint === 'events_id_key') return", 1],
    ["get stacked diagnostics which = constraint_name", 1],
    ["insert into t values (1) on conflict (id) do nothing", 0]
  ])("and would be found out: %s", (text, count) => {
    expect(found([{ file: "some.sql", text }], BY_NAME)).toHaveLength(count)
  })
})
