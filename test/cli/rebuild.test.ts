import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { isPlain, run, tidemark } from "./tidemark.ts"

const db = testDatabase()
let folder = ""

/** A definition without a build: a module of plain JavaScript, as a user has it. */
const moduleText = (version: number, count: string) => `
  import { Schema } from ${JSON.stringify(import.meta.resolve("effect"))}
  const Counted = {
    type: "Counted", schemaVersion: 1, schema: Schema.Unknown, upcasts: {},
    make: (data) => ({ type: "Counted", data }), is: (event) => event.type === "Counted"
  }
  export default [{
    name: "own", version: ${version}, events: [Counted],
    tables: { text: 'create table :"own" (id text primary key, total integer not null)' },
    relations: ["own"],
    model: {
      shape: "entities", table: "own", key: "id", keyOf: (event) => event.stream,
      fold: (row, event) => ({ id: event.stream, total: (row?.total ?? 0) + ${count} })
    },
    operations: {}
  }]
`

const moduleOf = async (version: number, count: string): Promise<string> => {
  const file = path.join(folder, `own-${version}.mjs`)
  await writeFile(file, moduleText(version, count))
  return file
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tidemark-rebuild-"))
  const engine = await open({ database: db.url, logger: false })
  await engine.agents.register({ agent: "one", state: "idle" })
  await engine.agents.register({ agent: "two", state: "busy" })
  await engine.emit("own-1", [
    { type: "Counted", data: { by: 1 } },
    { type: "Counted", data: { by: 2 } }
  ])
  // It waits until they are folded.
  await engine.agents.list()
  await engine.close()
})
afterAll(() => rm(folder, { recursive: true }))

const rebuild = (...args: ReadonlyArray<string>) => run(["rebuild", "-d", db.url, ...args])

describe("tidemark rebuild", () => {
  test("builds a read model by its name, and tells what it did; progress goes beside it, in plain lines", async () => {
    const { code, stdout, stderr } = await rebuild("agents", "--verify")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^agents: generation 1 → 2, 2 events in \d+\.\d s \(.*\/s\), at position \d+$/m)
    expect(stdout).toMatch(/compared agents at \d+: 2 rows, all alike/)
    expect(stdout).toContain("generation 1 is kept: tidemark rollback agents")
    expect(stderr).toMatch(/^agents {2}fill/m)
    expect(isPlain(stdout + stderr)).toBe(true)
  })

  test("builds all of them, as one line of JSON each", async () => {
    const { code, stdout, stderr } = await rebuild("--all", "--json", "--keep", "0")
    expect(code).toBe(0)
    const reports = stdout.split("\n").map((line): unknown => JSON.parse(line))
    expect(reports).toMatchObject([
      { projection: "agents", from: { generation: 2 }, to: { generation: 3 }, dropped: [2, 1] },
      { projection: "alert_rules", to: { generation: 2 }, dropped: [1] },
      { projection: "alerts", to: { generation: 2 }, dropped: [1] },
      { projection: "communications", to: { generation: 2 }, dropped: [1] },
      { projection: "conversations", to: { generation: 2 }, dropped: [1] },
      { projection: "heartbeats", to: { generation: 2 }, dropped: [1] },
      { projection: "help", to: { generation: 2 }, dropped: [1] },
      { projection: "links", to: { generation: 2 }, dropped: [1] },
      { projection: "metric_rollups", to: { generation: 2 }, dropped: [1] },
      { projection: "metrics", to: { generation: 2 }, dropped: [1] },
      { projection: "sessions", to: { generation: 2 }, dropped: [1] },
      { projection: "states", to: { generation: 2 }, dropped: [1] },
      { projection: "system_events", to: { generation: 2 }, dropped: [1] },
      { projection: "system_state", to: { generation: 2 }, dropped: [1] },
      { projection: "vitals", to: { generation: 2 }, dropped: [1] }
    ])
    expect(stderr).toBe("")
  })

  test("builds those of a module, also where they have changed, and goes back", async () => {
    expect(await rebuild("--module", await moduleOf(1, "event.data.by"))).toMatchObject({ code: 0 })
    expect(await db.query("select total from tidemark.own")).toEqual([{ total: 3 }])
    const next = await rebuild("own", "--verify", "--module", await moduleOf(2, "10 * event.data.by"))
    expect(next.stdout).toContain("version 1 → 2")
    expect(next.stdout).toContain("1 differ, 0 only before, 0 only now")
    expect(next.stdout).toContain("(own-1) different")
    expect(await db.query("select total from tidemark.own")).toEqual([{ total: 30 }])
    const older = await rebuild("own", "--json", "--module", await moduleOf(1, "event.data.by"))
    expect(older.code).toBe(1)
    expect(JSON.parse(older.stderr)).toMatchObject({ error: { name: "OlderDefinition" } })
    const back = await run(["rollback", "own", "-d", db.url])
    expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining("generation 2 → 1 (version 1)") })
    expect(await db.query("select total from tidemark.own")).toEqual([{ total: 3 }])
  })

  test.each([
    ["no name", [], "No read model is named", 2],
    ["a name and --all", ["agents", "--all"], "not both", 2],
    ["a name that nobody knows", ["nothing"], "There is no read model", 2],
    ["a module that is not there", ["--module", "/nowhere.mjs"], "cannot be loaded", 2],
    ["a number that is none", ["agents", "--keep", "some"], "Give a whole number from 0", 2]
  ])("refuses %s", async (_, args, message, expected) => {
    const { code, stderr } = await rebuild(...args)
    expect(stderr).toContain(message)
    expect(code).toBe(expected)
  })

  test("stopped by Ctrl-C leaves the live tables as they were, and nothing behind", async () => {
    const holding = await db.pool.connect()
    await holding.query("begin")
    await holding.query("select from tidemark.agents")
    await using running = tidemark(["rebuild", "agents", "-d", db.url])
    await running.stderr.first((line) => line.includes("swap"), { within: 25_000 })
    running.signal("SIGINT")
    expect(await running.exited()).toEqual({ code: 130, signal: null })
    await holding.query("rollback")
    holding.release()
    const states = () =>
      db.query("select state from tidemark.generations where projection = 'agents' order by generation")
    await until(async () => (await states()).length === 1)
    expect(await states()).toEqual([{ state: "live" }])
  })
})

describe("tidemark rollback", () => {
  test("says where there is nothing to go back to", async () => {
    const { code, stderr } = await run(["rollback", "heartbeats", "-d", db.url])
    expect(code).toBe(1)
    expect(stderr).toContain("no kept generation")
  })
})

describe("tidemark replay --into", () => {
  const replay = (...args: ReadonlyArray<string>) => run(["replay", "-d", db.url, ...args])

  test("folds read models into a schema of their own, tells what differs, and drops it", async () => {
    const plain = await replay("--into", "scratch", "--projection", "agents")
    expect(plain).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("agents: version 1, 2 events in")
    })
    expect(plain.stdout).toMatch(/compared agents at \d+: 2 rows, all alike$/)
    const file = await moduleOf(3, "100 * event.data.by")
    const changed = await replay("--into", "scratch", "--module", file, "--json")
    expect(JSON.parse(changed.stdout)).toMatchObject({
      schema: "scratch",
      kept: false,
      projections: [{ projection: "own", version: 3, events: 2, compared: { tables: [{ different: 1 }] } }]
    })
    expect(await db.query("select nspname from pg_namespace where nspname = 'scratch'")).toEqual([])
  })

  test("keeps the schema where that is wanted, and folds up to a point of the log only", async () => {
    const file = await moduleOf(4, "event.data.by")
    const first = await db.query<{ position: number }>(
      "select position::integer from tidemark.events where stream = 'own-1' and version = 1"
    )
    const to = String(first[0]!.position)
    const { code, stdout } = await replay("--into", "scratch", "--module", file, "--to", to, "--keep")
    expect(code).toBe(0)
    expect(stdout).toContain("Schema scratch is kept")
    expect(await db.query("select total from scratch.own")).toEqual([{ total: 1 }])
  })

  test.each([
    ["what only a schema takes, without one", ["--keep"], "give --into as well", 2],
    ["what shows events", ["--into", "scratch", "--audit"], "cannot be used with", 2],
    ["a schema that is somebody's", ["--into", "public"], "was not made for this", 1],
    ["a read model that nobody knows", ["--into", "scratch", "--projection", "none"], "no projection", 1]
  ])("refuses %s", async (_, args, message, expected) => {
    const { code, stderr } = await replay(...args)
    expect(stderr).toContain(message)
    expect(code).toBe(expected)
  })
})
