import { Schema } from "effect"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { type Appended, type Event, eventType, type ReplayOptions, UpcastFailed } from "../../../src/index.ts"
import { encodeToken } from "../../../src/base/token.ts"
import { deferred, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const replayed = async (options?: ReplayOptions, engine = log.engine): Promise<ReadonlyArray<Event>> => {
  const events: Array<Event> = []
  for await (const event of engine.replay(options)) events.push(event)
  return events
}

const typesOf = async (options: ReplayOptions) => (await replayed(options)).map(({ type }) => type)

describe("what is replayed", () => {
  let first: Appended
  let placed: Appended
  let last: Appended

  beforeAll(async () => {
    first = await log.engine.emit("order-1", { type: "Placed", labels: ["run:1"] })
    placed = await log.engine.emit("order-1", { type: "Paid" }, { meta: { correlationId: "work-7" } })
    await log.engine.emit("task-zoe", { type: "Done" }, { meta: { correlationId: first.events[0]!.id } })
    await log.engine.emit("heartbeat-zoe", { type: "Beat" })
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

describe("a replay is refused", () => {
  const refused = (options: unknown) => replayed(options as ReplayOptions)

  test.each<readonly [string, unknown, string, string]>([
    ["a stream that is none", { streams: ["order"] }, "InvalidName", "malformed"],
    ["an empty list", { types: [] }, "InvalidArgument", "leave the field out"],
    [
      "an option that is misspelt",
      { stream: ["order-1"] },
      "InvalidArgument",
      'no option "stream": give some of from'
    ],
    ["options that are none", null, "InvalidArgument", "takes an object"],
    ["from now", { from: "now" }, "InvalidArgument", 'give "start"'],
    ["from a Date", { from: new Date() }, "InvalidArgument", 'give "start"'],
    ["to the start", { to: "start" }, "InvalidArgument", "give a position or a token"],
    ["to nothing", { to: null }, "InvalidArgument", "give a position or a token"],
    ["a position that is none", { from: 1.5 }, "InvalidArgument", "no position"],
    ["a position below 0", { to: -1 }, "InvalidArgument", "no position"],
    ["a token that is none", { to: "yesterday" }, "InvalidArgument", "no token"],
    ["from behind to", { from: 3, to: 2 }, "InvalidArgument", "give an earlier from"],
    ["a time without a zone", { since: "2026-01-01T10:00" }, "InvalidArgument", "since is"],
    ["a day that is none", { until: "2026-02-30" }, "InvalidArgument", "until is"],
    ["an hour that is none", { until: "2026-02-03T25:00Z" }, "InvalidArgument", "until is"],
    ["a number as a time", { since: 1_700_000_000 }, "InvalidArgument", "give a Date, or ISO text"],
    ["a Date that holds none", { since: new Date(Number.NaN) }, "InvalidArgument", "no time"],
    [
      "since behind until",
      { since: "2026-02-02", until: "2026-02-01" },
      "InvalidArgument",
      "not before until"
    ],
    [
      "no time at all in between",
      { since: "2026-02-02", until: "2026-02-02" },
      "InvalidArgument",
      "not before until"
    ],
    ["an empty correlation", { correlation: "" }, "InvalidArgument", "The correlation"],
    [
      "a correlation that no event can carry",
      { correlation: "\u0000" },
      "InvalidArgument",
      "The correlation"
    ],
    ["an agent that is none", { agent: 7 }, "InvalidArgument", "no agent's id"],
    ["a position that is not reached", { from: 1e9 }, "LogRewound", "beyond the head"],
    ["an end that is not reached", { to: 1e9 }, "LogRewound", "beyond the head"]
  ])("for %s, and says what to give", async (_, options, tag, words) => {
    const asked = refused(options)
    await expect(asked).rejects.toMatchObject({ _tag: tag })
    await expect(asked).rejects.toThrow(words)
  })

  test("for a token of another log, as its beginning and as its end", async () => {
    const token = encodeToken({ log: "00000000-0000-4000-8000-000000000000", epoch: 1, position: 1 })
    for (const options of [{ from: token }, { to: token }])
      await expect(refused(options)).rejects.toMatchObject({ _tag: "LogRewound" })
  })
})

describe("old events", () => {
  const renamed = eventType("Renamed", Schema.Struct({ name: Schema.String }), {
    schemaVersion: 2,
    upcasts: {
      1: (data) => {
        const { title } = data as { title?: string }
        if (title === undefined) throw new Error("it has no title")
        return { name: title }
      }
    }
  })

  test("are brought up to date; what cannot be ends the replay at that event, behind those before it", async () => {
    const engine = await log.open({ events: [renamed] })
    const stream = log.stream("old")
    for (const data of [{ title: "a" }, { title: "b" }, {}, { title: "d" }])
      await log.engine.emit(stream, { type: "Renamed", data, schemaVersion: 1 })
    const seen: Array<unknown> = []
    const looping = (async () => {
      for await (const { data, schemaVersion } of engine.replay({ streams: [stream] }))
        seen.push([data, schemaVersion])
    })()
    await expect(looping).rejects.toBeInstanceOf(UpcastFailed)
    expect(seen).toEqual([
      [{ name: "a" }, 2],
      [{ name: "b" }, 2]
    ])
  })
})

describe("a loop over a replay", () => {
  const stream = "long-1"
  const size = 5_000
  beforeAll(async () => {
    for (let sent = 0; sent < size; sent += 500)
      await log.engine.emit(
        stream,
        upTo(500).map(() => ({ type: "Part" }))
      )
  })

  const named = (application: string): string => {
    const url = new URL(log.db.url)
    url.searchParams.set("application_name", application)
    return url.href
  }

  /** What this engine's connections are at. */
  const busy = async (application: string) =>
    (
      await log.db.query<{ n: number }>(
        `select count(*)::integer as n from pg_stat_activity where application_name = $1 and state <> 'idle'`,
        [application]
      )
    )[0]!.n

  test("reads page after page, without a hole", async () => {
    for (const options of [{ streams: [stream] }, { streams: [stream], since: "2020-01-01" }])
      expect((await replayed(options)).map(({ version }) => version)).toEqual(upTo(size))
  })

  test("may be left early, and then nothing is under way any more, and another may begin", async () => {
    const engine = await log.open({ database: named("early"), poolSize: 2 })
    for (const _ of upTo(20)) {
      let seen = 0
      for await (const event of engine.replay({ categories: ["long"] })) {
        seen += 1
        expect(event.version).toBe(seen)
        if (seen === 3) break
      }
    }
    await until(async () => (await busy("early")) === 0)
    expect(await replayed({ streams: [stream] }, engine)).toHaveLength(size)
  })

  test("may be left by an error", async () => {
    const leaving = async () => {
      for await (const _ of log.engine.replay()) throw new Error("enough")
    }
    await expect(leaving()).rejects.toThrow("enough")
  })

  test("is cut short with Unavailable when the engine closes, also while a page is on its way", async () => {
    const engine = await log.open()
    const closed = deferred()
    let seen = 0
    const loop = (async () => {
      for await (const _ of engine.replay({ streams: [stream] })) {
        seen += 1
        if (seen > 1) continue
        void engine.close().then(closed.resolve)
        await closed.promise
      }
    })()
    await expect(loop).rejects.toMatchObject({ _tag: "Unavailable" })
    expect(seen).toBeLessThan(size)
  })

  test("goes on where its connections are lost on the way", async () => {
    const name = "lost"
    const engine = await log.open({ database: named(name) })
    const versions: Array<number> = []
    for await (const { version } of engine.replay({ streams: [stream] })) {
      versions.push(version)
      if (version % 1_000 === 1)
        await log.db.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`,
          [name]
        )
    }
    expect(versions).toEqual(upTo(size))
  })
})

describe("an append that is still open", () => {
  test("keeps a replay from what lies behind it, and `to` says so", async () => {
    const session = await log.session()
    const stream = log.stream("held")
    await log.engine.emit(stream, { type: "Before" })
    await session.query("begin")
    await session.query(`select from append_events($1, '[{"type": "Open"}]')`, [log.stream("held")])
    const behind = await log.engine.emit(stream, { type: "Behind" })
    expect(await typesOf({ streams: [stream] })).toEqual(["Before"])
    const asked = typesOf({ streams: [stream], to: behind.token })
    await expect(asked).rejects.toMatchObject({ _tag: "Unavailable" })
    await expect(asked).rejects.toThrow("was not settled in 5000 ms")
    await session.query("rollback")
    expect(await typesOf({ streams: [stream], to: behind.token })).toEqual(["Before", "Behind"])
  })

  test("is waited for where `to` lies behind it", async () => {
    const session = await log.session()
    const stream = log.stream("held")
    await session.query("begin")
    await session.query(`select from append_events($1, '[{"type": "Open"}]')`, [stream])
    const behind = await log.engine.emit(log.stream("held"), { type: "Behind" })
    const asked = typesOf({ streams: [stream], to: behind.position })
    await session.query("commit")
    expect(await asked).toEqual(["Open"])
  })

  test("that came to nothing leaves a gap that a replay ends in", async () => {
    const session = await log.session()
    await session.query("begin")
    const [row] = await session.query<{ position: string }>(
      `select position from append_events($1, '[{"type": "Undone"}]')`,
      [log.stream("held")]
    )
    await session.query("rollback")
    expect(await typesOf({ types: ["Undone"], to: Number(row!.position) })).toEqual([])
  })
})
