import { randomUUID } from "node:crypto"
import { beforeAll, describe, expect, test } from "vitest"
import type { Audit, AuditOptions, AuditSubject, Meta } from "../../../src/index.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const emit = async (
  stream: string,
  type: string,
  meta: Meta = {},
  id: string = randomUUID()
): Promise<string> => {
  await log.engine.emit(stream, { type, id }, { meta })
  return id
}

const drawn = ({ entries }: Audit): ReadonlyArray<string> =>
  entries.map(({ event, depth, cause, isSubject }) => {
    const note = cause === "none" || cause === "shown" ? "" : ` ${cause}`
    return `${"-".repeat(depth)}${event.type}${isSubject ? "*" : ""}${note}`
  })

const audited = async (subject: AuditSubject, options?: AuditOptions) =>
  drawn(await log.engine.audit(subject, options))

describe("the audit of", () => {
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    // What a fleet does: an order is placed, two agents act on it, and one of them on what the other did.
    ids["Placed"] = await emit("order-1", "Placed", { actor: "shop" })
    const work = { correlationId: ids["Placed"] }
    ids["Other"] = await emit("order-2", "Other")
    ids["Billed"] = await emit("bill-1", "Billed", { ...work, causationId: ids["Placed"], actor: "zoe" })
    ids["Packed"] = await emit("parcel-1", "Packed", { ...work, causationId: ids["Placed"] })
    ids["Paid"] = await emit("bill-1", "Paid", { ...work, causationId: ids["Billed"].toUpperCase() })
    // Other work that came of it, as callers may say.
    ids["Rated"] = await emit("rating-1", "Rated", { correlationId: "survey", causationId: ids["Paid"] })
    ids["Beat"] = await emit("heartbeat-zoe", "Beat", { causationId: ids["Rated"] })
    ids["Noted"] = await emit("note-1", "Noted", work)
    ids["Lost"] = await emit("note-2", "Lost", { causationId: randomUUID() })
    ids["Odd"] = await emit("note-2", "Odd", { causationId: "no id at all" })
  })

  const tree = (subjects: ReadonlyArray<string>): ReadonlyArray<string> =>
    ["Placed", "-Billed", "--Paid", "---Rated", "----Beat", "-Packed"].map((line) =>
      subjects.includes(line.replaceAll("-", "")) ? `${line}*` : line
    )

  test.each(["Placed", "Billed", "Packed", "Paid", "Rated", "Beat"])(
    "an event is all of its tree, at %s",
    async (type) => {
      expect(await audited({ event: ids[type]! })).toEqual(tree([type]))
      expect(await audited({ event: ids[type]!.toUpperCase() })).toEqual(tree([type]))
    }
  )

  test("a piece of work has the trees of all its events, whatever began them", async () => {
    expect(await audited({ correlation: ids["Placed"]! })).toEqual([
      ...tree(["Placed", "Billed", "Packed", "Paid"]),
      "Noted*"
    ])
    expect(await audited({ correlation: "survey" })).toEqual(tree(["Rated"]))
  })

  test("an agent has the trees of the events that concern it, the newest last", async () => {
    await emit("task-9", "Slept", { actor: "zoe" })
    expect(await audited({ agent: "zoe" })).toEqual([...tree(["Billed", "Beat"]), "Slept*"])
  })

  test("a stream, as any entity has one, has the trees of its events", async () => {
    expect(await audited({ stream: "bill-1" })).toEqual(tree(["Billed", "Paid"]))
    expect(await audited({ stream: "heartbeat-zoe" })).toEqual(tree(["Beat"]))
    expect(await audited({ stream: "bill-2" })).toEqual([])
    expect(await audited({ stream: "no stream at all" })).toEqual([])
  })

  test("an entity of a read model has what was done to it, by whom and why", async () => {
    const { help, systemState } = log.engine
    await help.ask({ user: "ada", request: "audited", content: "How?" })
    await help.close({ request: "audited" })
    await systemState.set({ key: "audited", value: 1, by: "ada", reason: "a test" })
    expect(await audited("help-audited")).toEqual(["HelpRequested*", "HelpStatusChanged*"])
    const { kind, entries } = await log.engine.audit("system_state-audited")
    expect([kind, entries.map(({ event }) => event.meta.actor)]).toEqual(["stream", ["ada"]])
  })

  test("a stream that is long has its newest trees", async () => {
    for (const n of upTo(12)) await emit("long-1", `Step${n}`)
    const { entries, isComplete } = await log.engine.audit({ stream: "long-1" }, { limit: 5 })
    expect(entries.map(({ event }) => event.type)).toEqual(["Step8", "Step9", "Step10", "Step11", "Step12"])
    expect(isComplete).toBe(false)
  })

  test("an event without causes or effects is that event", async () => {
    expect(await audited({ event: ids["Other"]! })).toEqual(["Other*"])
  })

  test("an event whose cause is not in this log says so", async () => {
    expect(await audited({ event: ids["Lost"]! })).toEqual(["Lost* absent"])
    expect(await audited({ event: ids["Odd"]! })).toEqual(["Odd* absent"])
  })

  test("a text is that of the first of event, piece of work, stream and agent that there is", async () => {
    expect(await log.engine.audit(ids["Placed"]!)).toMatchObject({
      kind: "event",
      id: ids["Placed"],
      isComplete: true
    })
    expect(await log.engine.audit("survey")).toMatchObject({ kind: "correlation", id: "survey" })
    expect(await log.engine.audit("order-2")).toMatchObject({ kind: "stream", id: "order-2" })
    expect(await log.engine.audit("zoe")).toMatchObject({ kind: "agent", id: "zoe" })
    expect(await log.engine.audit("nobody")).toEqual({
      kind: "agent",
      id: "nobody",
      entries: [],
      isComplete: true
    })
    expect(await log.engine.audit({ event: randomUUID() })).toMatchObject({ kind: "event", entries: [] })
  })

  test("what handlers did is tied to what they handled", async () => {
    const subscription = await log.engine.subscribe({ types: ["Asked"] }, async ({ stream }) => {
      await log.engine.emit(stream, { type: "Answered" })
    })
    const id = await emit("question-1", "Asked")
    for await (const { type } of log.engine.events({ from: "start", streams: ["question-1"] }))
      if (type === "Answered") break
    await subscription.stop()
    expect(await audited(id)).toEqual(["Asked*", "-Answered"])
  })

  test("causes that run in a circle is each of its events once", async () => {
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]
    await emit("circle-1", "First", { causationId: third }, first)
    await emit("circle-1", "Second", { causationId: first }, second)
    await emit("circle-1", "Third", { causationId: second }, third)
    const itself = randomUUID()
    await emit("circle-2", "Itself", { causationId: itself }, itself)
    for (const id of [first, second, third])
      expect((await audited(id)).map((line) => line.replace("*", ""))).toEqual([
        "First circular",
        "-Second",
        "--Third"
      ])
    expect(await audited(itself)).toEqual(["Itself* circular"])
  })
})

describe("a large tree", () => {
  const ids = upTo(1_500).map(() => randomUUID())
  const types = (count: number) => upTo(count).map((n) => `Step${n}`)

  beforeAll(async () => {
    const events = ids.map((id, at) => ({
      id,
      type: `Step${at + 1}`,
      meta: at === 0 ? {} : { causationId: ids[at - 1] }
    }))
    await log.db.query(`select from tidemark.append_events('chain-1', $1)`, [JSON.stringify(events)])
    const root = await emit("star-1", "Root")
    const leaves = upTo(1_500).map(() => ({ type: "Leaf", meta: { causationId: root } }))
    await log.db.query(`select from tidemark.append_events('star-x', $1)`, [JSON.stringify(leaves)])
    await emit("star-x", "Newest")
  })

  const shape = async (subject: AuditSubject, limit: number) => {
    const { entries, isComplete } = await log.engine.audit(subject, { limit })
    return { types: entries.map(({ event }) => event.type), isComplete }
  }

  test("is whole where the limit allows", async () => {
    for (const at of [0, 700, 1_499])
      expect(await shape(ids[at]!, 1_500)).toEqual({ types: types(1_500), isComplete: true })
  })

  test("is cut at the limit, and says so: what is near above the event, then what it led to", async () => {
    expect(await shape(ids[0]!, 100)).toEqual({ types: types(100), isComplete: false })
    expect(await shape(ids[199]!, 300)).toEqual({ types: types(300), isComplete: false })
    expect(await shape(ids[199]!, 50)).toEqual({ types: types(200).slice(150), isComplete: false })
  })

  test("of an agent gives way to newer ones", async () => {
    expect(await shape({ agent: "x" }, 100)).toEqual({ types: ["Newest"], isComplete: false })
    expect((await shape({ agent: "x" }, 2_000)).types).toHaveLength(1_502)
  })

  test("of one event at most is that event", async () => {
    expect(await shape(ids[5]!, 1)).toEqual({ types: ["Step6"], isComplete: false })
  })
})

test("what is far apart in the log is found all the same", async () => {
  const root = await emit("far-1", "Near")
  for (const _ of upTo(45))
    await log.db.query(
      `insert into tidemark.events (id, stream, version, type, data)
       select gen_random_uuid(), 'filler-1', nextval('tidemark.log_position'), 'Filler', '{}' from generate_series(1, 1000)`
    )
  const middle = await emit("far-1", "Far", { causationId: root })
  await emit("heartbeat-far", "Farther", { causationId: middle })
  expect(await audited(middle)).toEqual(["Near", "-Far*", "--Farther"])
  expect(await audited({ agent: "1" }, { limit: 20_000 })).toContain("-Far*")
})

describe("an audit is refused", () => {
  test.each<readonly [string, unknown, unknown, string]>([
    ["an empty text", "", {}, "The subject"],
    ["nothing", undefined, {}, "An audit is of one subject"],
    ["null", null, {}, "An audit is of one subject"],
    ["a kind that there is not", { type: "Placed" }, {}, "An audit is of one subject"],
    ["two subjects", { agent: "zoe", event: randomUUID() }, {}, "An audit is of one subject"],
    ["an event that has no id", { event: "order-1" }, {}, "give its UUID"],
    ["an agent that is a number", { agent: 7 }, {}, "The agent 7"],
    ["what the log cannot hold", "\u0000", {}, "The subject"],
    ["no events", "zoe", { limit: 0 }, "from 1 to 20000"],
    ["half an event", "zoe", { limit: 1.5 }, "from 1 to 20000"],
    ["too many events", "zoe", { limit: 20_001 }, "from 1 to 20000"]
  ])("for %s, and says what to give", async (_, subject, options, words) => {
    const asked = log.engine.audit(subject as AuditSubject, options as AuditOptions)
    await expect(asked).rejects.toMatchObject({ _tag: "InvalidArgument" })
    await expect(asked).rejects.toThrow(words)
  })
})
