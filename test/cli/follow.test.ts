import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Appended, type Engine, type Event, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { isPlain, run, saysThat, tidemark } from "./tidemark.ts"

const database = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
})

afterAll(() => engine.close())

const tail = (...args: ReadonlyArray<string>) => run(["tail", "-d", database.url, ...args])

const jsonLines = (text: string): ReadonlyArray<Event> =>
  text.split("\n").map((line) => JSON.parse(line) as Event)

describe("tidemark tail", () => {
  let emitted: Appended

  beforeAll(async () => {
    emitted = await engine.emit("order-1", [
      { type: "Placed", data: { lines: 2 }, labels: ["run:1"] },
      { type: "Paid", data: { cents: 1200 } },
      { type: "Shipped", data: { note: "\u001b[31mred\u001b[0m" } }
    ])
    await engine.emit("task-7", { type: "Done", data: {} })
    await engine.settled()
  })

  test("prints what was emitted as lines of JSON, in order", async () => {
    const { code, stdout } = await tail("--json", "--from", "start", "--limit", "4")
    expect(code).toBe(0)
    const events = jsonLines(stdout)
    expect(events.map(({ stream, type }) => [stream, type])).toEqual([
      ["order-1", "Placed"],
      ["order-1", "Paid"],
      ["order-1", "Shipped"],
      ["task-7", "Done"]
    ])
    expect(events[1]).toMatchObject({ ...emitted.events[1], data: { cents: 1200 }, labels: [] })
  })

  test.each([
    ["from a position", ["--from", "position"], ["Paid", "Shipped"]],
    ["from a token", ["--from", "token"], ["Done"]],
    ["by type", ["--from", "start", "--types", "Paid, Done"], ["Paid", "Done"]],
    ["by category", ["--from", "start", "--categories", "task"], ["Done"]],
    ["by stream", ["--from", "start", "--streams", "order-1", "--streams", "task-7"], ["Placed", "Paid"]],
    ["by label", ["--from", "start", "--labels", "run:1"], ["Placed"]],
    ["by agent", ["--from", "start", "--agent", "7"], ["Done"]]
  ])("follows %s", async (_, args, types) => {
    const points: Readonly<Record<string, string>> = {
      position: String(emitted.events[0]!.position),
      token: emitted.token
    }
    const given = args.map((arg) => points[arg] ?? arg)
    const { stdout } = await tail("--json", ...given, "--limit", String(types.length))
    expect(jsonLines(stdout).map(({ type }) => type)).toEqual(types)
  })

  test("prints what comes, from now on, until it is stopped", async () => {
    await using following = tidemark([
      "tail",
      "-d",
      database.url,
      "--from",
      emitted.token,
      "--types",
      "Noted"
    ])
    await engine.emit("note-1", { type: "Noted", data: { text: "first" } })
    await saysThat(following, /Noted +text=first/)
    await engine.emit("note-1", { type: "Noted", data: { text: "second" } })
    await saysThat(following, /Noted +text=second/)
    following.signal("SIGINT")
    expect(await following.exited()).toEqual({ code: 0, signal: null })
  })

  test("ends quietly when nobody reads its output any more", async () => {
    await using following = tidemark(["tail", "-d", database.url, "--from", "start", "--json"])
    await saysThat(following, /Placed/)
    following.stopReading()
    await engine.emit("note-2", { type: "Unread", data: {} })
    expect(await following.exited()).toEqual({ code: 0, signal: null })
    expect(following.stderr.items).toEqual([])
  })

  test("shows what would steer a terminal as text", async () => {
    const { stdout } = await tail("--from", "start", "--types", "Shipped", "--limit", "1")
    expect(stdout).toContain("red")
    expect(isPlain(stdout)).toBe(true)
  })

  test("refuses a token that is none, and a filter that can match nothing", async () => {
    const token = await tail("--from", "yesterday")
    expect(token).toMatchObject({ code: 2, stderr: expect.stringContaining("no token") })
    const type = await tail("--categories", "no-category")
    expect(type).toMatchObject({ code: 2, stderr: expect.stringContaining("malformed") })
  })

  test("refuses a position that the log has not reached", async () => {
    const { code, stderr } = await tail("--from", "999999999")
    expect(code).toBe(1)
    expect(stderr).toContain("cannot be resumed from")
  })
})

describe("tidemark status", () => {
  const status = (...args: ReadonlyArray<string>) => run(["status", "-d", database.url, ...args])

  test("tells how the log stands, as JSON and as text", async () => {
    const settled = await engine.settled()
    const { code, stdout } = await status("--json")
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ schema: "tidemark", settled, head: settled, standby: false })
    const text = (await status()).stdout
    expect(text).toMatch(new RegExp(`^settled +${settled}$`, "m"))
    expect(text).toMatch(/^tail +nobody holds it$/m)
    expect(text).toMatch(/^projections +agents +\d+ +caught up/m)
    expect(isPlain(text)).toBe(true)
  })

  test("is told again and again with --watch, until Ctrl-C", async () => {
    await using watching = tidemark(["status", "-d", database.url, "--watch", "0.1", "--json"])
    const before = await engine.emit("order-3", { type: "Placed", data: {} })
    await watching.stdout.first((line) => JSON.parse(line).settled >= before.position, { within: 25_000 })
    const after = await engine.emit("order-3", { type: "Placed", data: {} })
    await watching.stdout.first((line) => JSON.parse(line).settled >= after.position)
    watching.signal("SIGINT")
    expect(await watching.exited()).toEqual({ code: 0, signal: null })
  })

  test("names who keeps the log from settling", async () => {
    const client = await database.pool.connect()
    try {
      await client.query("set application_name to 'slow importer'; begin")
      const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid")
      await client.query(`select * from tidemark.append_events('import-1', '[{"type": "Imported"}]')`)
      await engine.emit("order-2", { type: "Placed", data: {} })
      const text = (await status()).stdout
      expect(text).toMatch(/^tail +held by$/m)
      expect(text).toMatch(new RegExp(`pid ${rows[0]!.pid} +slow importer .* open for `))
    } finally {
      await client.query("rollback")
      await client.query("reset application_name")
      client.release()
    }
  })
})

describe("tidemark migrate", () => {
  test("says what it applied, and that there is nothing to do the second time", async () => {
    const url = await database.fresh({ empty: true })
    const first = await run(["migrate", "--json", "--schema", "orders"], { env: { DATABASE_URL: url } })
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toMatchObject({
      schema: "orders",
      applied: expect.arrayContaining(["0001_log", "functions"])
    })
    const second = await run(["migrate", "--schema", "orders"], { env: { DATABASE_URL: url } })
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining("is up to date") })
  })

  test("never shows the password", async () => {
    const { stdout, stderr } = await run(["migrate", "-d", database.url])
    const { password } = new URL(database.url)
    if (password !== "") expect(stdout + stderr).not.toContain(password)
  })
})
