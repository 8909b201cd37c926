import { Context, Effect, Exit, Layer, Logger, Scope } from "effect"
import { expect, test } from "vitest"
import { AppendCall } from "../../../src/log/append-call.ts"
import { Appender } from "../../../src/log/appender.ts"
import { batchOutcomes } from "../../../src/log/batch.ts"
import { LogIdentity } from "../../../src/log/identity.ts"
import { MAX_WAITING_EVENTS } from "../../../src/log/queue.ts"
import type { AppenderConfig } from "../../../src/log/lanes.ts"
import type { Request } from "../../../src/log/request.ts"
import { Postgres } from "../../../src/postgres/postgres.ts"
import { inTime } from "../../support/eventually.ts"

// The order and the room of the queue, and that every caller hears of its events, whatever else goes wrong.

const request = (stream: string, events = 1): Request => ({
  events,
  bytes: 1,
  ownIds: false,
  parts: [
    {
      stream,
      expected: "any",
      rows: [
        {
          id: "0198c0de-0000-7000-8000-000000000001",
          stream,
          type: "T",
          data: "{}",
          labels: [],
          meta: "{}",
          schemaVersion: 1
        }
      ]
    }
  ]
})

const lone = { position: "1", version: "1", verdict: null, actual: "0" }
const batch = { positions: [2, 3], versions: [2, 3], verdicts: null, actuals: [1] }
/** Answers an append of one event and of two. */
const answered = { rows: [{ ...lone, ...batch }], count: 1 }

const appenderOn = (
  answer: Effect.Effect<{ rows: ReadonlyArray<unknown>; count: number }>,
  config?: AppenderConfig
) => {
  const connection = { query: () => answer }
  const postgres = Postgres.of({
    schema: "tidemark",
    query: () => answer,
    withConnection: (use: (on: typeof connection) => unknown) => use(connection)
  } as never)
  const identity = LogIdentity.of({ ready: Effect.void } as never)
  return Appender.layer(config).pipe(
    Layer.provide([Layer.succeed(Postgres, postgres), Layer.succeed(LogIdentity, identity)])
  )
}

/** A turn of the event loop, at the end of which the engine sends what came in it. */
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

test("whoever waits for room enters when another emit is given up, and nobody who comes later goes before", async () => {
  const play = Effect.gen(function* () {
    const appender = yield* Appender
    const start = (one: Request) => Effect.runFork(appender.append(one))
    start(request("busy"))
    yield* turn
    const large = start(request("busy", MAX_WAITING_EVENTS))
    start(request("busy"))
    expect(appender.status()).toMatchObject({ blocked: 1, waiting: MAX_WAITING_EVENTS })
    yield* turn
    large.interruptUnsafe()
    start(request("busy"))
    expect(appender.status()).toMatchObject({ blocked: 2, waiting: 0 })
    yield* turn
    yield* turn
    expect(appender.status()).toMatchObject({ blocked: 0, waiting: 2 })
    answer()
  })
  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))
  const late = Effect.as(
    Effect.promise(() => asked),
    answered
  )
  await Effect.runPromise(Effect.provide(play, appenderOn(late)))
})

test("nobody waits for a batch, or for room, beyond the deadline", async () => {
  const play = Effect.gen(function* () {
    const appender = yield* Appender
    Effect.runFork(appender.append(request("sent")))
    yield* turn
    const waiting = [
      appender.append(request("queued", MAX_WAITING_EVENTS)),
      appender.append(request("blocked"))
    ]
    const failures = yield* Effect.all(waiting.map(Effect.flip), { concurrency: "unbounded" })
    return { failures, status: appender.status() }
  })
  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))
  const late = Effect.as(
    Effect.promise(() => asked),
    answered
  )
  const onOneLane = appenderOn(late, { lanes: 1, deadlineMs: 50 })
  const done = Effect.ensuring(
    play,
    Effect.sync(() => answer())
  )
  const { failures, status } = await inTime(Effect.runPromise(Effect.provide(done, onOneLane)))
  expect(failures.map(({ reason }) => reason._tag)).toEqual(["Unavailable", "Unavailable"])
  expect(status).toMatchObject({ waiting: 0, blocked: 0, underWay: 1 })
})

test("a closing engine does not wait for an emit that was given up", async () => {
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(Layer.buildWithScope(appenderOn(Effect.succeed(answered)), scope))
  const emit = Effect.runFork(Context.get(context, Appender).append(request("order-1")))
  const closed = Effect.runPromise(Scope.close(scope, Exit.void))
  emit.interruptUnsafe()
  await inTime(closed, { within: 5_000 })
})

test("a batch that is slow holds up only its own streams", async () => {
  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => (answer = resolve))
  let calls = 0
  const first = Effect.suspend(() =>
    ++calls === 1
      ? Effect.as(
          Effect.promise(() => asked),
          answered
        )
      : Effect.succeed(answered)
  )
  const play = Effect.gen(function* () {
    const appender = yield* Appender
    const slow = Effect.runFork(appender.append(request("slow")))
    yield* turn
    yield* appender.append(request("quick"))
    yield* appender.append(request("quick"))
    expect(slow.pollUnsafe()).toBeUndefined()
    answer()
  })
  await inTime(Effect.runPromise(Effect.provide(play, appenderOn(first))))
  expect(calls).toBe(3)
})

test("a listener that throws keeps neither the caller nor the other listeners from hearing what was appended", async () => {
  const heard: Array<number> = []
  const play = Effect.gen(function* () {
    const appender = yield* Appender
    appender.onAppended(() => {
      throw new RangeError("a listener's own fault")
    })
    appender.onAppended((position) => heard.push(position))
    return yield* appender.append(request("order-1"))
  })
  const layer = Layer.provide(appenderOn(Effect.succeed(answered)), Logger.layer([]))
  const placed = await Effect.runPromise(Effect.provide(play, layer))
  expect(placed).toMatchObject([{ stream: "order-1", events: [{ position: 1, version: 1 }] }])
  expect(heard).toEqual([1])
})

test("every conflict of a large batch names the version of its own stream", () => {
  const streams = Array.from({ length: 1_000 }, (_, at) => `order-${at}`)
  const sorted = streams.toSorted()
  const outcomes = batchOutcomes(
    streams.map((one) => request(one)),
    {
      positions: streams.map(() => null),
      versions: streams.map(() => null),
      verdicts: streams.map(() => "conflict"),
      actuals: sorted.map((_, at) => at)
    }
  )
  const actual = outcomes.map((one) => ("actual" in one ? one.actual : undefined))
  expect(actual).toEqual(streams.map((one) => sorted.indexOf(one)))
})

test.each([
  ["no time", 0],
  ["as much time as the server may wait", 800],
  ["plenty of time", 60_000]
])("with %s left, the answer is waited for longer than the server waits for a lock", async (_, left) => {
  const patienceMs = 800
  const given: Array<number> = []
  const connection = {
    query: (_text: string, _values: unknown, { answerTimeoutMs }: { answerTimeoutMs: number }) => {
      given.push(answerTimeoutMs)
      return Effect.succeed(answered)
    }
  }
  const postgres = { schema: "tidemark", withConnection: (use: (on: unknown) => unknown) => use(connection) }
  const call = new AppendCall(postgres as never)
  await Effect.runPromise(call.append([request("order-1")], patienceMs, Date.now() + left))
  expect(given[0]).toBeGreaterThan(2 * patienceMs)
})
