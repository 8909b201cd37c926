import { Effect, Logger } from "effect"
import { expect, test } from "vitest"
import { agentState, EventLog, layer, type StateChange, States, watch } from "../../src/effect.ts"
import { testDatabase } from "../support/database.ts"
import { collector } from "../support/eventually.ts"

const db = testDatabase()

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
  const run = Effect.scoped(program).pipe(
    Effect.provide(layer({ database: db.url, logger: false })),
    Effect.provide(Logger.layer([]))
  ) as Effect.Effect<unknown, unknown>
  expect(await Effect.runPromise(run)).toEqual([{ path: "/local/n", before: 1, after: 2 }])
})
