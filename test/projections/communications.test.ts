import { describe, expect, test } from "vitest"
import { uuid } from "../../src/base/uuid.ts"
import { NotFound } from "../../src/errors.ts"
import { type Engine, type Event, InvalidInput } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { collector } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

let made = 0
/** Agents that no other test has. */
const agents = <const Names extends ReadonlyArray<string>>(...names: Names) => {
  made += 1
  return names.map((name) => `${name}-${made}`) as { [Nth in keyof Names]: string }
}

const contents = (messages: ReadonlyArray<{ readonly content: unknown }>) =>
  messages.map(({ content }) => content)

/** Inboxes have what earlier tests sent to all, too: these are the messages from one agent. */
const inboxFrom = async (engine: Engine, from: string, given: { agent: string; unread?: boolean }) =>
  (await engine.communications.inbox({ ...given, limit: 1_000 })).filter((one) => one.from === from)

describe("messages", () => {
  test("come into the inbox of who they are for, the newest first, and are unread until acknowledged", async () => {
    const { communications } = log.engine
    const [a, b, c] = agents("a", "b", "c")
    const before = await communications.unread({ agent: b })
    const first = await communications.send({ from: a, to: b, content: "one" })
    const sent = { from: a, to: b, type: "task", content: { n: 2 }, priority: "high", replyTo: first.message }
    const { message, position } = await communications.send({ ...sent, priority: "high" })
    await communications.send({ from: a, to: c, content: "not for b" })
    const [newest, oldest] = await inboxFrom(log.engine, a, { agent: b })
    expect(newest).toMatchObject({ ...sent, message, id: position, acknowledgedAt: null, occurredAt: null })
    expect(oldest).toMatchObject({
      message: first.message,
      type: "message",
      priority: "medium",
      replyTo: null
    })
    expect(await communications.unread({ agent: b })).toBe(before + 2)

    await communications.acknowledge({ agent: b, message })
    expect(contents(await inboxFrom(log.engine, a, { agent: b, unread: true }))).toEqual(["one"])
    expect((await inboxFrom(log.engine, a, { agent: b }))[0]!.acknowledgedAt).toBeInstanceOf(Date)
    expect(await communications.unread({ agent: b })).toBe(before + 1)
    expect(await communications.status({ message })).toMatchObject({
      status: "acknowledged",
      acknowledgements: 1,
      acknowledgedBy: [b]
    })
    expect(await communications.status({ message: first.message })).toMatchObject({ status: "sent" })
    expect(await communications.status({ message: uuid() })).toBeNull()
  })

  test("to all are acknowledged by each agent for itself, and known to who sent them", async () => {
    const { communications } = log.engine
    const [a, b, c] = agents("a", "b", "c")
    const count = () => Promise.all([a, b, c].map((agent) => communications.unread({ agent })))
    const before = await count()
    const { message } = await communications.send({ from: a, all: true, content: "hear" })
    const now = async () => (await count()).map((unread, nth) => unread - before[nth]!)
    expect(await now()).toEqual([0, 1, 1])
    await communications.acknowledge({ agent: b, message })
    await communications.acknowledge({ agent: a, message })
    expect(await now()).toEqual([0, 0, 1])
    expect(await communications.status({ message })).toMatchObject({
      to: null,
      status: "sent",
      acknowledgements: 1,
      acknowledgedBy: [b]
    })
    expect(await inboxFrom(log.engine, a, { agent: b, unread: true })).toEqual([])
    expect(await inboxFrom(log.engine, a, { agent: b })).toMatchObject([{ message, to: null }])
    expect(await inboxFrom(log.engine, a, { agent: c, unread: true })).toMatchObject([{ message }])
    expect(await communications.unread({ agent: `late-${made}` })).toBe(
      await communications.unread({ agent: c })
    )
  })

  test("may be acknowledged several at once, again, and from two engines at the same time: it counts once", async () => {
    const other = await log.open()
    const { communications } = log.engine
    const [a, b] = agents("a", "b")
    const before = await communications.unread({ agent: b })
    const ids: Array<string> = []
    for (let n = 0; n < 5; n++)
      ids.push(
        (await communications.send({ from: a, ...(n === 4 ? { all: true } : { to: b }), content: n })).message
      )
    const first = await communications.acknowledge({ agent: b, message: ids[0]! })
    const again = await other.communications.acknowledge({ agent: b, message: ids[0]!.toUpperCase() })
    expect(again.position).toBe(first.position)
    const done = await Promise.all([
      communications.acknowledge({ agent: b, message: [ids[0]!, ids[1]!, ids[1]!, ids[4]!] }),
      other.communications.acknowledge({ agent: b, message: [ids[4]!, ids[2]!, ids[1]!] })
    ])
    const after = done[0].position > done[1].position ? done[0].token : done[1].token
    expect(await communications.unread({ agent: b }, { after })).toBe(before + 1)
    const { pool } = log.db
    const { rows } = await pool.query(
      "select count(*)::int as events from tidemark.events where stream = $1 and type = 'MessageAcknowledged'",
      [`inbox-${b}`]
    )
    expect(rows).toEqual([{ events: 4 }])
  })

  test("of others, and such as never were, are not acknowledged: none of those given", async () => {
    const { communications } = log.engine
    const [a, b, c] = agents("a", "b", "c")
    const { message } = await communications.send({ from: a, to: b, content: 1 })
    const { message: other } = await communications.send({ from: a, to: c, content: 2 })
    const nobody = uuid()
    const refused = await communications
      .acknowledge({ agent: b, message: [message, other, nobody] })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(NotFound)
    expect(refused).toMatchObject({ operation: "communications.acknowledge", ids: [other, nobody] })
    expect(await communications.status({ message })).toMatchObject({ status: "sent" })
  })

  test.each([
    ["nobody it goes to", { from: "a", content: 1 }, "to"],
    ["one and all", { from: "a", to: "b", all: true, content: 1 }, "all"],
    ["all: false", { from: "a", all: false, content: 1 }, "all"],
    ["no content", { from: "a", to: "b" }, "content"],
    ["content that is no JSON", { from: "a", to: "b", content: Number.NaN }, "content"],
    ["an unknown priority", { from: "a", to: "b", content: 1, priority: "asap" }, "priority"],
    ["a reply to what is no id", { from: "a", to: "b", content: 1, replyTo: "1" }, "replyTo"]
  ])("with %s are refused", async (_, input, said) => {
    const refused = await log.engine.communications.send(input as never).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidInput)
    expect((refused as Error).message).toContain(said)
  })

  test("to an agent of any name go to that agent alone", async () => {
    const { communications } = log.engine
    const [a] = agents("a")
    const before = await communications.unread({ agent: a })
    await communications.send({ from: a, to: "all", content: 1 })
    await communications.send({ from: a, to: "-", content: null })
    await communications.send({ from: a, to: "~".repeat(200), content: 2 })
    expect(await communications.unread({ agent: a })).toBe(before)
    expect(contents(await inboxFrom(log.engine, a, { agent: "-" }))).toEqual([null])
    expect(contents(await communications.list({ to: "~".repeat(200) }))).toEqual([2])
  })

  test("are listed by sender, recipient, type and what they answer, page by page", async () => {
    const { communications } = log.engine
    const [a, b, c] = agents("a", "b", "c")
    const { message } = await communications.send({
      from: a,
      to: b,
      content: 0,
      occurredAt: "2026-01-31T12:00:00Z"
    })
    for (const n of [1, 2, 3])
      await communications.send({ from: b, to: a, type: `t-${made}`, content: n, replyTo: message })
    await communications.send({ from: b, to: c, type: `t-${made}`, content: 4 })
    expect(contents(await communications.list({ from: b }))).toEqual([4, 3, 2, 1])
    expect(contents(await communications.list({ to: a }))).toEqual([3, 2, 1])
    expect(contents(await communications.list({ type: `t-${made}`, to: c }))).toEqual([4])
    expect(contents(await communications.list({ replyTo: message }))).toEqual([3, 2, 1])
    const page = await communications.list({ from: b, limit: 2 })
    expect(contents(await communications.list({ from: b, limit: 2, before: page[1]!.id }))).toEqual([2, 1])
    const inbox = await communications.inbox({ agent: a, limit: 1, before: page[1]!.id })
    expect(contents(inbox)).toEqual([2])
    expect((await communications.list({ from: a }))[0]).toMatchObject({
      timestamp: new Date("2026-01-31T12:00:00Z"),
      occurredAt: new Date("2026-01-31T12:00:00Z")
    })
  })
})

describe("an inbox that is followed live", () => {
  test("gets what two engines send, in order, nothing missed and nothing twice, also over an interruption", async () => {
    const other = await log.open()
    const [me, you, else_] = agents("me", "you", "else")
    const filter = { streams: [`inbox-${me}`, "broadcast-all"], types: ["MessageSent"] }
    const seen = collector<Event>()
    const MESSAGES = 120
    const INTERRUPTED_AFTER = 40

    const from = await log.engine.settled()
    const first = await log.engine.subscribe({ ...filter, from }, seen.push)
    const sending = [log.engine, other].map(async ({ communications }, nth) => {
      const sent: Array<string> = []
      for (let n = 0; n < MESSAGES; n++) {
        const content = `${nth}/${n}`
        const to = n % 3 === 0 ? ({ all: true } as const) : { to: n % 3 === 1 ? me : else_ }
        const { message } = await communications.send({ from: you, ...to, content })
        if (n % 3 !== 2) sent.push(message)
        if (n % 5 === 0 && n % 3 === 1) await communications.acknowledge({ agent: me, message })
      }
      return sent
    })
    await seen.reaches(INTERRUPTED_AFTER)
    await first.stop()
    const handled = seen.items.length
    const next = await other.subscribe({ ...filter, from: seen.items.at(-1)!.position }, seen.push)
    const sent = await Promise.all(sending)
    await seen.reaches(sent.flat().length)
    await log.engine.communications.send({ from: you, to: me, content: "last" })
    await seen.first(({ data }) => (data as { content: unknown }).content === "last")
    await next.stop()

    const got = seen.items.slice(0, -1)
    expect(handled).toBeGreaterThanOrEqual(INTERRUPTED_AFTER)
    expect(got.map(({ id }) => id).toSorted()).toEqual(sent.flat().toSorted())
    expect(got.map(({ position }) => position)).toEqual(
      got.map(({ position }) => position).toSorted((x, y) => x - y)
    )
    for (const [nth, ids] of sent.entries()) {
      const ofOne = got.filter(({ data }) =>
        String((data as { content: unknown }).content).startsWith(`${nth}/`)
      )
      expect(ofOne.map(({ id }) => id)).toEqual(ids)
    }
    const inbox = await inboxFrom(log.engine, you, { agent: me })
    expect(inbox.map(({ message }) => message)).toEqual(seen.items.map(({ id }) => id).toReversed())
  })
})

test("messages and acknowledgements in any order come to what a simple model says, live, cut anywhere, and rebuilt", async () => {
  const { between, chance, oneOf } = random(seedFor("communications"))
  const engine = log.engine
  const fleet = agents("p", "q", "r")
  const base = new Map<string, number>()
  for (const agent of fleet) base.set(agent, await engine.communications.unread({ agent }))
  /** What each message is, and who has acknowledged it, in the simplest way. */
  const messages: Array<{ id: string; to: string | undefined; acknowledged: Set<string> }> = []
  const STEPS = 120
  for (let step = 0; step < STEPS; step++) {
    const agent = oneOf(fleet)
    if (messages.length === 0 || chance(0.5)) {
      const to = chance(0.3) ? undefined : oneOf(fleet)
      const id = uuid()
      // An acknowledgement that lies before its message counts for nothing.
      if (chance(0.2))
        await engine.emit(`inbox-${to ?? agent}`, { type: "MessageAcknowledged", data: { message: id } })
      const data = { from: agent, type: "t", content: step, priority: "low" }
      await engine.emit(to === undefined ? "broadcast-all" : `inbox-${to}`, { type: "MessageSent", id, data })
      messages.push({ id, to, acknowledged: new Set(to === undefined ? [agent] : []) })
    } else {
      const some = Array.from({ length: between(1, 4) }, () => oneOf(messages))
      await engine.emit(
        `inbox-${agent}`,
        some.map(({ id }) => ({ type: "MessageAcknowledged", data: { message: id } }))
      )
      for (const { to, acknowledged } of some) if (to === undefined || to === agent) acknowledged.add(agent)
    }
    // Waits until it is folded, so that batches are cut here.
    if (chance(0.3)) await engine.communications.unread({ agent })
  }
  const check = async () => {
    for (const agent of fleet) {
      const unread = messages.filter(
        ({ to, acknowledged }) => (to === undefined || to === agent) && !acknowledged.has(agent)
      )
      expect(await engine.communications.unread({ agent })).toBe(base.get(agent)! + unread.length)
      const inbox = await engine.communications.inbox({ agent, unread: true, limit: 1_000 })
      const ours = inbox.filter(({ message }) => messages.some(({ id }) => id === message))
      expect(ours.map(({ message }) => message)).toEqual(unread.map(({ id }) => id).toReversed())
    }
  }
  await check()
  const { verified } = await engine.rebuild("communications", { verify: true })
  expect(
    verified?.tables.map(({ different, onlyLive, onlyRebuilt }) => [different, onlyLive, onlyRebuilt])
  ).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0]
  ])
  await check()
})
