import { expectTypeOf, test } from "vitest"
import type {
  DurableSubscription,
  Engine,
  Event,
  HandlerContext,
  Subscription,
  TransactionalContext,
  Tx
} from "../../src/index.ts"

declare const engine: Engine

test("a handler is given what its options say", () => {
  expectTypeOf(
    engine.subscribe({ name: "one" }, (event, context) => {
      expectTypeOf(event).toEqualTypeOf<Event>()
      expectTypeOf(context).toEqualTypeOf<HandlerContext>()
    })
  ).toEqualTypeOf<Promise<DurableSubscription>>()
  void engine.subscribe({ name: "many", batch: 10 }, (events) => {
    expectTypeOf(events).toEqualTypeOf<ReadonlyArray<Event>>()
  })
  void engine.subscribe(
    { name: "tx", transactional: true, onParked: ({ position }) => position },
    (event, context) => {
      expectTypeOf(event).toEqualTypeOf<Event>()
      expectTypeOf(context).toEqualTypeOf<TransactionalContext<Tx>>()
    }
  )
  void engine.subscribe({ name: "both", transactional: true, batch: 5 }, (events, { tx }) => {
    expectTypeOf(events).toEqualTypeOf<ReadonlyArray<Event>>()
    expectTypeOf(tx).toEqualTypeOf<Tx>()
  })
  // @ts-expect-error there is no transaction where none was asked for
  void engine.subscribe({ name: "none" }, (_, { tx }) => tx)
})

test("without a name it is an ephemeral subscription", () => {
  expectTypeOf(engine.subscribe({ types: ["A"] }, (event) => event.position)).toEqualTypeOf<
    Promise<Subscription>
  >()
})
