import { Effect, Logger } from "effect"
import { expect, test } from "vitest"
import {
  agentState,
  assignConflict,
  decideConflict,
  EventLog,
  expireConflicts,
  layer,
  ReadModels,
  type StateChange,
  States,
  syncStates,
  watch
} from "../../src/effect.ts"
import { testDatabase } from "../support/database.ts"
import { collector } from "../support/eventually.ts"

const db = testDatabase()

const run = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.runPromise(
    Effect.scoped(program).pipe(
      Effect.provide(layer({ database: db.url, logger: false })),
      Effect.provide(Logger.layer([]))
    ) as Effect.Effect<A, unknown>
  )

test("a watch of the Effect face is subscribed to, runs what its handler returns, and ends with its scope", async () => {
  const seen = collector<StateChange>()
  const program = Effect.gen(function* () {
    const [log, states] = [yield* EventLog, yield* States]
    const scene = states.scene("effects")
    const state = agentState(scene)
    yield* state.update({ local: { n: 1 } })
    const noticed = (change: StateChange) => Effect.sync(() => seen.push(change))
    const { streams, handler } = yield* watch(yield* scene, ["/local/n"], noticed)
    yield* log.subscribe({ streams }, (event) => handler(event, undefined))
    yield* state.update({ local: { n: 2 } })
    return (yield* Effect.promise(() => seen.reaches(1)))[0]!.changes
  })
  expect(await run(program)).toEqual([{ path: "/local/n", before: 1, after: 2 }])
})

test("the inbox of the Effect face lists, assigns and decides, and fails as the other one rejects", async () => {
  const program = Effect.gen(function* () {
    const [{ states: lists }, states] = [yield* ReadModels, yield* States]
    const [a, b] = ["left", "right"].map((agent) => agentState(states.scene(agent)))
    yield* a!.update({ shared: { mode: "y" } })
    yield* b!.update({ shared: { mode: "z" } })
    yield* syncStates(states, { from: "left", to: ["right"], keys: ["/shared/mode"] })
    const [entry] = yield* lists.inbox({ agent: "left" })
    yield* assignConflict(states, entry!.id, "eve")
    expect(yield* expireConflicts(states)).toBe(0)
    yield* decideConflict(states, entry!.id, { use: "theirs" })
    const late = yield* Effect.flip(decideConflict(states, entry!.id, { use: "ours" }))
    return [late.reason._tag, (yield* b!.read()).shared]
  })
  expect(await run(program)).toEqual(["ConflictEnded", { mode: "y" }])
})
