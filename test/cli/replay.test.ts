import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Appended, type Engine, type Event, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { isPlain, run, saysThat, tidemark } from "./tidemark.ts"

const database = testDatabase()
let engine: Engine
let placed: Appended
let accepted: Appended
let noted: Appended

/** More than a pipe takes, and more than is shown in the time of a signal. */
const FILLERS = 60_000

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
  placed = await engine.emit(
    "order-1",
    { type: "Placed", data: { total: 42 }, labels: ["run:1"] },
    { meta: { actor: "shop", reason: "a customer \u001b[31masked" } }
  )
  const causationId = placed.events[0]!.id
  accepted = await engine.emit(
    "order-1",
    { type: "Accepted", data: { by: "zoe" } },
    { meta: { actor: "zoe", causationId, correlationId: causationId } }
  )
  await engine.emit(
    "parcel-1",
    { type: "Packed", data: {} },
    { meta: { causationId, correlationId: causationId } }
  )
  noted = await engine.emit(
    "note-1",
    { type: "Noted", data: { text: "late" } },
    { meta: { causationId: randomUUID() } }
  )
  await database.query(
    `insert into tidemark.events (id, stream, version, type, data)
     select gen_random_uuid(), 'filler-1', n, 'Filler', '{"text": "as long as a line of some text may be, and longer"}'
     from generate_series(1, $1) n`,
    [FILLERS]
  )
  await engine.settled()
})

afterAll(() => engine.close())

const replay = (...args: ReadonlyArray<string>) => run(["replay", "-d", database.url, ...args])
const audit = (...args: ReadonlyArray<string>) => run(["audit", "-d", database.url, ...args])

/** Without what is different each time. */
const stable = (text: string): ReadonlyArray<string> =>
  text.split("\n").map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z/, "WHEN"))

describe("tidemark replay", () => {
  test("prints events as lines of JSON, each whole, in order", async () => {
    const { code, stdout } = await replay("--json", "--categories", "order,parcel,note")
    expect(code).toBe(0)
    const events = stdout.split("\n").map((line) => JSON.parse(line) as Event)
    expect(events.map(({ type }) => type)).toEqual(["Placed", "Accepted", "Packed", "Noted"])
    for await (const read of engine.read("order-1", { limit: 1 }))
      expect(events[0]).toEqual(JSON.parse(JSON.stringify(read)))
  })

  test.each<readonly [string, () => ReadonlyArray<string>, ReadonlyArray<string>]>([
    ["behind a position", () => ["--from", String(placed.position), "--limit", "2"], ["Accepted", "Packed"]],
    [
      "behind a token, up to another",
      () => ["--from", placed.token, "--to", noted.token],
      ["Accepted", "Packed", "Noted"]
    ],
    [
      "up to a position",
      () => ["--from", "start", "--to", String(accepted.position)],
      ["Placed", "Accepted"]
    ],
    ["by type", () => ["--types", "Packed,Noted"], ["Packed", "Noted"]],
    ["by stream", () => ["--streams", "order-1"], ["Placed", "Accepted"]],
    ["by label", () => ["--labels", "run:1"], ["Placed"]],
    ["by agent", () => ["--agent", "zoe"], ["Accepted"]],
    ["by piece of work", () => ["--correlation", placed.events[0]!.id], ["Placed", "Accepted", "Packed"]],
    ["by time", () => ["--since", "2020-01-01", "--until", "2021-01-01T00:00+02:00"], []],
    ["by time and more", () => ["--since", "2020-01-01T00:00Z", "--categories", "note"], ["Noted"]]
  ])("%s", async (_, args, types) => {
    const { code, stdout } = await replay("--json", ...args())
    expect(code).toBe(0)
    const lines = stdout.split("\n").filter((line) => line !== "")
    expect(lines.map((line) => (JSON.parse(line) as Event).type)).toEqual(types)
  })

  test("shows rows, with the time of each event", async () => {
    const { stdout } = await replay("--categories", "order,parcel")
    expect(isPlain(stdout)).toBe(true)
    expect(stable(stdout).map((line) => line.trim().split(/ {2,}/))).toEqual([
      [String(placed.position), "WHEN", "order-1", "Placed", "total=42"],
      [String(accepted.position), "WHEN", "order-1", "Accepted", "by=zoe"],
      [String(accepted.position + 1), "WHEN", "parcel-1", "Packed"]
    ])
  })

  test("with --audit tells when, who, why, what changed and what caused it", async () => {
    const { code, stdout } = await replay("--audit", "--categories", "order,note")
    expect(code).toBe(0)
    expect(isPlain(stdout)).toBe(true)
    expect(stable(stdout)).toEqual([
      `WHEN  #${placed.position}  order-1 v1  Placed`,
      "   who    shop",
      "   why    a customer  [31masked",
      "   what   total=42",
      "",
      `WHEN  #${accepted.position}  order-1 v2  Accepted`,
      "   who    zoe",
      "   what   by=zoe",
      `   cause  #${placed.position} Placed, order-1 v1`,
      "",
      `WHEN  #${noted.position}  note-1 v1  Noted`,
      "   what   text=late",
      expect.stringMatching(/^ {3}cause {2}[0-9a-f-]{36}, which is not in this log$/)
    ])
  })

  test("with --audit names a cause that the filter leaves out", async () => {
    const { stdout } = await replay("--audit", "--types", "Packed")
    expect(stdout).toContain(`cause  #${placed.position} Placed, order-1 v1`)
  })

  test("ends quietly when nobody reads its output any more", async () => {
    await using replaying = tidemark(["replay", "-d", database.url, "--json"])
    await saysThat(replaying, /Placed/)
    replaying.stopReading()
    expect(await replaying.exited()).toEqual({ code: 0, signal: null })
    expect(replaying.stderr.items).toEqual([])
  })

  test("ends at Ctrl-C, and says by its code that this was not all", async () => {
    await using replaying = tidemark(["replay", "-d", database.url, "--json"])
    await saysThat(replaying, /Placed/)
    replaying.signal("SIGINT")
    expect(await replaying.exited()).toEqual({ code: 130, signal: null })
    expect(replaying.stdout.items.length).toBeLessThan(FILLERS)
    expect(() => JSON.parse(replaying.stdout.items.at(-1)!) as unknown).not.toThrow()
    expect(replaying.stderr.items).toEqual([])
  })

  test("says aside that there is nothing, and to programs nothing at all", async () => {
    const nothing = ["--types", "NeverHeardOf"]
    expect(await replay(...nothing)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "The log has no such event."
    })
    expect(await replay(...nothing, "--audit")).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "The log has no such event."
    })
    expect(await replay(...nothing, "--json")).toMatchObject({ code: 0, stdout: "", stderr: "" })
  })

  test.each([
    ["from now", ["--from", "now"], 'give "start"'],
    ["a token that is none", ["--to", "yesterday"], "no token"],
    ["a time without a zone", ["--since", "2026-01-01T10:00"], "ISO text with its zone"],
    ["a filter that is malformed", ["--categories", "no-category"], "malformed"],
    ["two forms at once", ["--json", "--audit"], "cannot be used with"]
  ])("refuses %s, and says what to give", async (_, args, words) => {
    const { code, stderr, stdout } = await replay(...args)
    expect(stderr + stdout).toContain(words)
    expect(code).toBe(2)
  })
})

describe("tidemark audit", () => {
  const tree = (subjects: ReadonlyArray<string>): ReadonlyArray<string> => {
    const at = (type: string) => (subjects.includes(type) ? "▸" : " ")
    const position = (after: number) => `#${placed.position + after}`
    return [
      `${at("Placed")} ${position(0)}  WHEN  Placed  order-1 v1  by shop: a customer  [31masked  total=42`,
      `${at("Accepted")} ${position(1)}  WHEN  ├─ Accepted  order-1 v2  by zoe  by=zoe`,
      `${at("Packed")} ${position(2)}  WHEN  └─ Packed  parcel-1 v1`
    ]
  }

  test("draws the tree of an event, of a piece of work and of an agent", async () => {
    const id = placed.events[0]!.id
    const event = await audit(accepted.events[0]!.id)
    expect(event).toMatchObject({ code: 0, stderr: "" })
    expect(isPlain(event.stdout)).toBe(true)
    expect(stable(event.stdout)).toEqual(tree(["Accepted"]))
    expect(stable((await audit("--as", "correlation", id)).stdout)).toEqual(
      tree(["Placed", "Accepted", "Packed"])
    )
    expect(stable((await audit("zoe")).stdout)).toEqual(tree(["Accepted"]))
  })

  test("says where a cause is not in the log", async () => {
    const { stdout } = await audit(noted.events[0]!.id)
    expect(stdout).toMatch(/Noted {2}note-1 v1 \(its cause [0-9a-f-]{36} is not in this log\) {2}text=late$/)
  })

  test("prints the entries as lines of JSON", async () => {
    const { stdout } = await audit("zoe", "--json")
    const entries = stdout.split("\n").map((line) => JSON.parse(line) as object)
    expect(entries).toMatchObject([
      { depth: 0, cause: "none", isSubject: false, event: { type: "Placed" } },
      { depth: 1, cause: "shown", isSubject: true, event: { type: "Accepted" } },
      { depth: 1, cause: "shown", isSubject: false, event: { type: "Packed" } }
    ])
  })

  test("says where not all is shown", async () => {
    const { code, stdout, stderr } = await audit(placed.events[0]!.id, "--limit", "2")
    expect(code).toBe(0)
    expect(stdout.split("\n")).toHaveLength(2)
    expect(stderr).toBe("Not all of it is shown, but 2 events. Give a higher --limit for more.")
  })

  test("fails where the log has nothing of it, as text and as JSON", async () => {
    const text = await audit("nobody")
    expect(text).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^error: No event .* "nobody"\. Look/)
    })
    const { stderr } = await audit("nobody", "--as", "agent", "--json")
    expect(JSON.parse(stderr)).toMatchObject({
      error: { name: "NotFound", message: expect.stringContaining("concerns") }
    })
  })

  test.each([
    ["nobody to audit", [], "missing required argument"],
    ["an event that has no id", ["zoe", "--as", "event"], "give its UUID"],
    [
      "a kind that there is not",
      ["zoe", "--as", "order"],
      "Allowed choices are event, correlation, stream, agent"
    ],
    ["more events than it takes", ["zoe", "--limit", "20001"], "from 1 to 20000"]
  ])("refuses %s, and says what to give", async (_, args, words) => {
    const { code, stderr, stdout } = await audit(...args)
    expect(stderr + stdout).toContain(words)
    expect(code).toBe(2)
  })
})
