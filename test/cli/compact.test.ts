import { afterAll, beforeAll, expect, test } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { run } from "./tidemark.ts"

const db = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false })
  for (const agent of ["one", "two"]) {
    const state = engine.state(agent)
    for (let n = 1; n <= 20; n++)
      await state.update({ local: { list: Array.from({ length: n }, (_, at) => `${agent}-${at}`) } })
  }
})
afterAll(() => engine.close())

const compact = (...args: ReadonlyArray<string>) =>
  run(["compact", "--database", db.url, "--older-than", "0", ...args])

test("compact says what would go, lets go of it, and every version is read as before", async () => {
  const before = await engine.state("one").read({ version: 5 })
  const would = await compact("--dry-run")
  expect(would).toMatchObject({ code: 0, stderr: "" })
  expect(would.stdout).toMatch(/^agent +branch +before version +values +size$/m)
  expect(would.stdout).toMatch(/^one +main +/m)
  expect(would.stdout).toContain("would be let go of; every version can still be read")

  const one = await compact("--agent", "one", "--json")
  expect(one).toMatchObject({ code: 0, stderr: "" })
  const told = one.stdout.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(told).toMatchObject([{ agent: "one", branch: "main", values: expect.any(Number) }])
  expect(would.stdout).toMatch(new RegExp(`^one +main +${told[0]!["before"]} +${told[0]!["values"]} `, "m"))

  expect((await compact("--agent", "one")).stdout).toMatch(/^0 values/)
  expect((await compact()).stdout).toMatch(/^two +main +/m)
  expect(await engine.state("one").read({ version: 5 })).toEqual(before)
})

test.each([
  ["--older-than", "yesterday"],
  ["--older-than", "-1"],
  ["--agent", ""]
])("compact refuses %s %j", async (...args) => {
  const refused = await compact(...args)
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).not.toBe("")
})
