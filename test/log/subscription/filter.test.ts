import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import type { Engine, Event, Filter, NewEvent } from "../../../src/index.ts"
import { collector, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// A filter is tested in memory while a subscription is live, and by the database while it catches up.

const log = testLog()

const streams = ["agent-7", "agent-8", "run-7", "run-x-7", "run.a-8", "task-1"]
const types = ["Woke", "Slept", "Said"]
const labels = ["run:42", "agent:7", "agent:x-7", "tool:ä"]
const actors: ReadonlyArray<unknown> = ["7", "8", "x-7", 7, null, { id: "7" }, undefined]

const given = <A>(values: ReadonlyArray<A>, maxLength = 2) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength }), { nil: undefined })

const anyFilter: fc.Arbitrary<Filter> = fc
  .record({
    streams: given(streams),
    categories: given(["agent", "run", "run.a", "task", "none"]),
    types: given([...types, "Never"]),
    labels: given(labels),
    agent: fc.option(fc.constantFrom("7", "8", "x-7", "9"), { nil: undefined })
  })
  .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)))

const anyEmit = fc.record({
  stream: fc.constantFrom(...streams),
  type: fc.constantFrom(...types),
  labels: fc.uniqueArray(fc.constantFrom(...labels), { maxLength: 2 }),
  actor: fc.constantFrom(...actors)
})

type Emit = typeof anyEmit extends fc.Arbitrary<infer A> ? A : never

const emitted = async (engine: Engine, emits: ReadonlyArray<Emit>) => {
  for (const { stream, type, labels: own, actor } of emits) {
    const event: NewEvent = { type, labels: own }
    await engine.emit(stream, event, actor === undefined ? {} : { meta: { actor: actor as string } })
  }
}

/** What a filter lets through after a position, up to a last event that is made when it listens. */
const heardOf = async (engine: Engine, filter: Filter, from: number, during: () => Promise<number>) => {
  const heard: Array<Event> = []
  const subscription = await engine.subscribe({ from, ...filter }, (event) => heard.push(event))
  const last = await during()
  await until(() => subscription.position >= last)
  await subscription.stop()
  return heard.filter(({ type }) => type !== "End").map(({ position }) => position)
}

const end = async (engine: Engine) => (await engine.emit("end-1", { type: "End" })).position

/** What the words of the filter mean, said once more. */
const wanted = (filter: Filter, event: Event): boolean => {
  const dash = event.stream.indexOf("-")
  const { agent } = filter
  return (
    (filter.streams?.includes(event.stream) ?? true) &&
    (filter.categories?.includes(event.stream.slice(0, dash)) ?? true) &&
    (filter.types?.includes(event.type) ?? true) &&
    (filter.labels?.some((label) => event.labels.includes(label)) ?? true) &&
    (agent === undefined ||
      event.stream.slice(dash + 1) === agent ||
      event.meta.actor === agent ||
      event.labels.includes(`agent:${agent}`))
  )
}

test("a filter lets the same events through, live and in catch-up, and they are those that it names", async () => {
  await fc.assert(
    fc.asyncProperty(anyFilter, fc.array(anyEmit, { minLength: 1, maxLength: 12 }), async (filter, emits) => {
      const from = (await log.engine.emit("begin-1", { type: "Begin" })).position
      const every: Array<Event> = []
      const recording = await log.engine.subscribe({ from }, (event) => every.push(event))
      const live = await heardOf(log.engine, filter, from, async () => {
        await emitted(log.engine, emits)
        return end(log.engine)
      })
      const caughtUp = await heardOf(log.engine, filter, from, async () => end(log.engine))
      await recording.stop()
      const expected = every
        .filter((event) => event.type !== "End" && wanted(filter, event))
        .map(({ position }) => position)
      expect(live).toEqual(expected)
      expect(
        caughtUp.filter((position) => position <= every.at(-1)!.position && expected.includes(position))
      ).toEqual(expected)
      expect(caughtUp).toEqual(expected)
    }),
    { numRuns: 60 }
  )
})

describe("a filter by", () => {
  let from = 0
  beforeAll(async () => {
    from = (await log.engine.emit("begin-1", { type: "Begin" })).position
    await log.engine.emit("agent-zoe", { type: "Woke" })
    await log.engine.emit("run-zoe", { type: "Begun" })
    await log.engine.emit("task-9", { type: "Done" }, { meta: { actor: "zoe" } })
    await log.engine.emit("task-9", { type: "Noted", labels: ["agent:zoe", "run:1"] })
    await log.engine.emit("task-zoe-2", { type: "Other", labels: ["run:1"] })
    await log.engine.emit("task-9", { type: "Other" }, { meta: { actor: "Zoe" } })
  })

  test.each<readonly [string, Filter, ReadonlyArray<string>]>([
    [
      "agent: its streams in any category, what it did, what is labelled with it",
      { agent: "zoe" },
      ["Woke", "Begun", "Done", "Noted"]
    ],
    ["stream", { streams: ["task-9"] }, ["Done", "Noted", "Other"]],
    ["category", { categories: ["run", "agent"] }, ["Woke", "Begun"]],
    ["type", { types: ["Woke", "Done"] }, ["Woke", "Done"]],
    ["label", { labels: ["run:1", "run:2"] }, ["Noted", "Other"]],
    [
      "several: all of them must hold",
      { agent: "zoe", categories: ["task"], types: ["Done", "Other"] },
      ["Done"]
    ]
  ])("%s", async (_, filter, expected) => {
    const heard: Array<string> = []
    const last = await end(log.engine)
    const subscription = await log.engine.subscribe({ from, ...filter }, ({ type }) => heard.push(type))
    await until(() => subscription.position >= last)
    await subscription.stop()
    expect(heard).toEqual(expected)
  })

  test("nothing at all hears every event", async () => {
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({ from }, ({ type }) => heard.push(type))
    expect(await heard.reaches(6)).toEqual(["Woke", "Begun", "Done", "Noted", "Other", "Other"])
    await subscription.stop()
  })

  test("a hundred streams is no less exact", async () => {
    const names = upTo(100).map(() => log.stream("many"))
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({ streams: names }, ({ stream }) => heard.push(stream))
    await Promise.all([...names, log.stream("many")].map((stream) => log.engine.emit(stream, { type: "N" })))
    expect((await heard.reaches(100)).toSorted()).toEqual(names.toSorted())
    await subscription.stop()
  })
})
