import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { type Appended, type Event, type ReplayOptions } from "../../../src/index.ts"
import { testLog, upTo } from "../test-log.ts"
import { replayed as replayedOf } from "./replayed.ts"

const log = testLog()

const replayed = (options?: ReplayOptions) => replayedOf(log.engine, options)

const typesOf = async (options: ReplayOptions) => (await replayed(options)).map(({ type }) => type)

describe("what is replayed", () => {
  let first: Appended
  let placed: Appended
  let last: Appended

  beforeAll(async () => {
    first = await log.engine.emit("order-1", { type: "Placed", labels: ["run:1"] })
    placed = await log.engine.emit("order-1", { type: "Paid" }, { meta: { correlationId: "work-7" } })
    await log.engine.emit("task-zoe", { type: "Done" }, { meta: { correlationId: first.events[0]!.id } })
    await log.engine.emit("heartbeat-zoe", { type: "Beat", labels: ["agent:kim"] })
    last = await log.engine.emit("order-2", { type: "Shipped" }, { meta: { actor: "zoe" } })
  })

  const all = ["Placed", "Paid", "Done", "Beat", "Shipped"]

  test("is everything, of both classes of events, in order of position, with nothing asked", async () => {
    const events = await replayed()
    expect(events.map(({ type }) => type)).toEqual(all)
    const positions = events.map(({ position }) => position)
    expect(positions).toEqual(positions.toSorted((one, other) => one - other))
  })

  test("is the event as it was read of its stream", async () => {
    const [event] = await replayed({ types: ["Shipped"] })
    for await (const read of log.engine.read("order-2")) expect(event).toEqual(read)
  })

  test.each<readonly [string, () => ReplayOptions, ReadonlyArray<string>]>([
    ["behind a position", () => ({ from: first.position }), all.slice(1)],
    ["behind a token", () => ({ from: placed.token }), all.slice(2)],
    ["from the start", () => ({ from: "start" }), all],
    ["up to and with a position", () => ({ to: placed.position }), all.slice(0, 2)],
    ["up to and with a token", () => ({ to: last.token }), all],
    ["in between", () => ({ from: first.token, to: placed.token }), ["Paid"]],
    ["nothing between a position and itself", () => ({ from: first.token, to: first.position }), []],
    ["of a stream", () => ({ streams: ["order-1"] }), ["Placed", "Paid"]],
    ["of a category", () => ({ categories: ["order", "heartbeat"] }), ["Placed", "Paid", "Beat", "Shipped"]],
    ["of a type", () => ({ types: ["Paid", "Never"] }), ["Paid"]],
    ["of a label", () => ({ labels: ["run:1"] }), ["Placed"]],
    ["of an agent", () => ({ agent: "zoe" }), ["Done", "Beat", "Shipped"]],
    ["of an agent, by a label alone", () => ({ agent: "kim" }), ["Beat"]],
    ["of a piece of work, by any text", () => ({ correlation: "work-7" }), ["Paid"]],
    [
      "of a piece of work, with the event that began it",
      () => ({ correlation: first.events[0]!.id }),
      ["Placed", "Done"]
    ],
    [
      "of all of these together",
      () => ({ agent: "zoe", categories: ["order", "task"], from: first.position }),
      ["Done", "Shipped"]
    ],
    ["of no piece of work", () => ({ correlation: "work-8" }), []]
  ])("may be what is %s", async (_, options, expected) => {
    expect(await typesOf(options())).toEqual(expected)
    // With a time, another query answers.
    expect(await typesOf({ ...options(), since: "2020-01-01" })).toEqual(expected)
  })

  test("ends with what was settled when it began", async () => {
    const seen: Array<string> = []
    for await (const { type } of log.engine.replay({ streams: ["order-1", "late-1"] })) {
      if (seen.length === 0) await log.engine.emit("late-1", { type: "Late" })
      seen.push(type)
    }
    expect(seen).toEqual(["Placed", "Paid"])
  })

  test("can be gone through again, and then has what came since", async () => {
    const again = log.engine.replay({ categories: ["again"] })
    const count = async () => {
      let events = 0
      for await (const _ of again) events += 1
      return events
    }
    expect(await count()).toBe(0)
    await log.engine.emit("again-1", { type: "Came" })
    expect(await count()).toBe(1)
  })
})

describe("the time of a replay", () => {
  /** Recorded as the owner may write it, in no order: 09:00, 11:00, 10:00 and 10:00:00.0005. */
  const clock = ["09:00:00", "11:00:00", "10:00:00", "10:00:00.0005"]
  beforeAll(async () => {
    for (const [at, time] of clock.entries())
      await log.db.query(
        `insert into tidemark.events (id, stream, version, type, data, recorded_at)
         values (gen_random_uuid(), 'clock-1', $1, 'Ticked', jsonb_build_object('at', $2::text), $3)`,
        [at + 1, time, `2026-01-05T${time}Z`]
      )
    await log.engine.emit("wake-1", { type: "Woke" })
  })

  const at = (time: string): string => `2026-01-05T${time}`

  test.each<readonly [string, ReplayOptions, ReadonlyArray<number>]>([
    ["since a time, that time with it", { since: at("10:00:00Z") }, [2, 3, 4]],
    ["since a ms later", { since: at("10:00:00.001Z") }, [2]],
    ["until a time, without that time", { until: at("10:00:00Z") }, [1]],
    ["until a ms later", { until: at("10:00:00.001Z") }, [1, 3, 4]],
    ["between, though later ones lie before it", { since: at("09:30Z"), until: at("10:30Z") }, [3, 4]],
    ["in another zone", { since: at("11:30:00+01:30"), until: at("11:30:00.001+0130") }, [3, 4]],
    ["as Dates", { since: new Date(at("10:30Z")), until: new Date(at("12:00Z")) }, [2]],
    ["of a day", { since: "2026-01-05", until: "2026-01-06" }, [1, 2, 3, 4]],
    ["of the day after", { since: "2026-01-06" }, []],
    ["since the earliest Date there is", { since: new Date(-8.64e15) }, [1, 2, 3, 4]]
  ])("%s", async (_, options, expected) => {
    const events = await replayed({ ...options, streams: ["clock-1"] })
    expect(events.map(({ version }) => version)).toEqual(expected)
  })
})

const streams = ["agent-7", "agent-8", "run-7", "heartbeat-7", "run.a-8"]
const types = ["Woke", "Slept", "Said"]
const labels = ["run:42", "agent:7", "tool:ä"]
const works = ["w", "W", "work '1'", "0199aaaa-0000-7000-8000-000000000001"]
const times = upTo(6).map((hour) => `2026-02-0${hour}T00:00:00Z`)

const some = <A>(values: ReadonlyArray<A>) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 })

const anyOptions: fc.Arbitrary<ReplayOptions> = fc.record(
  {
    streams: some(streams),
    categories: some(["agent", "run", "heartbeat", "none"]),
    types: some(types),
    labels: some(labels),
    agent: fc.constantFrom("7", "8"),
    correlation: fc.constantFrom(...works, "none"),
    since: fc.constantFrom(...times.slice(0, 3)),
    until: fc.constantFrom(...times.slice(3))
  },
  { requiredKeys: [] }
)

/** What the words of the options mean, said once more. */
const wanted = (options: ReplayOptions, event: Event): boolean => {
  const { agent, correlation, since, until } = options
  const dash = event.stream.indexOf("-")
  return (
    (options.streams?.includes(event.stream) ?? true) &&
    (options.categories?.includes(event.stream.slice(0, dash)) ?? true) &&
    (options.types?.includes(event.type) ?? true) &&
    (options.labels?.some((label) => event.labels.includes(label)) ?? true) &&
    (agent === undefined ||
      event.stream.slice(dash + 1) === agent ||
      event.meta.actor === agent ||
      event.labels.includes(`agent:${agent}`)) &&
    (correlation === undefined || event.meta.correlationId === correlation || event.id === correlation) &&
    (since === undefined || event.recordedAt.getTime() >= Date.parse(String(since))) &&
    (until === undefined || event.recordedAt.getTime() < Date.parse(String(until)))
  )
}

test("whatever is asked for, it is what a filter over all events gives, between any two positions, in order", async () => {
  const begin = await log.engine.emit("begin-1", { type: "Begin" })
  const made = fc.sample(
    fc.record({
      stream: fc.constantFrom(...streams),
      type: fc.constantFrom(...types),
      labels: fc.uniqueArray(fc.constantFrom(...labels), { maxLength: 2 }),
      actor: fc.constantFrom("7", 7, null, undefined),
      work: fc.constantFrom(...works, 1, undefined),
      time: fc.constantFrom(...times)
    }),
    { numRuns: 120, seed: 7 }
  )
  const versions = new Map<string, number>()
  for (const { stream, type, labels: own, actor, work, time } of made) {
    const version = (versions.get(stream) ?? 0) + 1
    versions.set(stream, version)
    const table = stream.startsWith("heartbeat-") ? "telemetry" : "events"
    await log.db.query(
      `insert into tidemark.${table} (id, stream, version, type, data, labels, meta, recorded_at)
       values (gen_random_uuid(), $1, $2, $3, '{}', $4, $5, $6)`,
      [stream, version + 1_000, type, own, JSON.stringify({ actor, correlationId: work }), time]
    )
  }
  const end = await log.engine.emit("end-1", { type: "End" })
  const every = await replayed({ from: begin.token, to: end.token })
  expect(every).toHaveLength(121)
  const anywhere = fc.integer({ min: begin.position, max: end.position })
  await fc.assert(
    fc.asyncProperty(anyOptions, anywhere, anywhere, async (options, one, other) => {
      const from = Math.min(one, other)
      const to = Math.max(one, other)
      const expected = every.filter(
        (event) => event.position > from && event.position <= to && wanted(options, event)
      )
      expect(await replayed({ ...options, from, to })).toEqual(expected)
    }),
    { numRuns: 60 }
  )
})
