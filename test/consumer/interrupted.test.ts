import { Effect, Exit, Fiber, Scope } from "effect"
import { expect, test } from "vitest"
import { Consumers, layer } from "../../src/effect.ts"
import { until } from "../support/eventually.ts"
import { consumerLog, own } from "./scene.ts"

const log = consumerLog()

const waiting = async () =>
  (
    await log.db.query(
      "select from pg_locks where not granted and relation = 'tidemark.subscription_members'::regclass"
    )
  ).length

test("who is interrupted while it subscribes leaves nobody for whom partitions would be kept", async () => {
  const one = { ...log.fresh(), partitions: 2 }
  const session = await log.session()
  const interrupted = Effect.gen(function* () {
    const consumers = yield* Consumers
    // The engine is known to be alive, before and after.
    const other = yield* consumers.subscribe(log.fresh(), () => undefined)
    yield* Effect.promise(() => until(() => other.partitions().length === 1))
    yield* Effect.promise(() => session.query("begin"))
    yield* Effect.promise(() =>
      session.query("lock table tidemark.subscription_members in share row exclusive mode")
    )
    const scope = yield* Scope.make()
    const fiber = yield* Effect.forkChild(
      Scope.provide(
        consumers.subscribe(one, () => undefined),
        scope
      )
    )
    yield* Effect.promise(() => until(async () => (await waiting()) > 0))
    yield* Fiber.interrupt(fiber)
    const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
    yield* Effect.promise(() => session.query("commit"))
    yield* Fiber.join(closing)
    yield* Effect.promise(() => until(async () => (await waiting()) === 0))
    const second = yield* Effect.promise(() => log.engine.subscribe(one, () => undefined))
    yield* Effect.promise(() => own([second], [2]))
    expect((yield* Effect.promise(() => second.control.status())).members).toBe(1)
    yield* Effect.promise(() => second.stop())
  })
  await Effect.runPromise(Effect.provide(Effect.scoped(interrupted), layer({ database: log.db.url })))
}, 30_000)
