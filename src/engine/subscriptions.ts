import { Effect, Exit, Scope } from "effect"
import type { Consumers, Membership } from "../consumer/consumers.ts"
import type { Control, DropOptions, HeldOptions } from "../consumer/control.ts"
import type { HeldEvent } from "../consumer/held.ts"
import type {
  ConsumeOptions,
  DurableHandler,
  HandlerContext,
  TransactionalContext
} from "../consumer/options.ts"
import type { DurableStatus } from "../consumer/status.ts"
import type { Event } from "../log/event.ts"
import type { Filter } from "../log/filter.ts"
import type { From } from "../log/resume.ts"
import type { States } from "../state/states.ts"
import { promisedTx, type Tx } from "./tx.ts"

export type DurableOptions = ConsumeOptions

/** This engine's part in a durable subscription. */
export interface DurableSubscription extends Membership {
  /** What can be done to it as a whole. */
  readonly control: SubscriptionControl
}

/**
 * What can be done to a durable subscription, from any engine, whoever works on it. Every method rejects with UnknownSubscription
 * where there is none of the name. `retry` and `drop` wait for nobody; the other changes wait until handlers that are at work in a
 * transaction have ended it (their engines end a batch with the event at hand, and cut a handler short after 1 000 ms), and reject
 * with LockTimeout, which says who is in the way, after 10 000 ms.
 */
export interface SubscriptionControl {
  readonly name: string
  status(): Promise<DurableStatus>
  /** Nothing more is handed to handlers until it is resumed; what one is at now is handed over again then. */
  pause(): Promise<void>
  /** Goes on where it was paused, also in partitions that stopped. */
  resume(): Promise<void>
  /** Every partition goes on from there, back or forth; what is held beyond that comes again from there. Rejects with LogRewound, TokenTooOld or InvalidArgument. */
  rewind(to: From): Promise<void>
  /** It is gone, with its place and what it holds. Engines that work on it end with SubscriptionDeleted. */
  delete(): Promise<void>
  /**
   * Another filter, from where each partition is; engines that have the old one end with SubscriptionChanged. Another number of
   * partitions, dealt when all have come to where the furthest is: order within a stream is kept.
   */
  change(to: { readonly filter?: Filter; readonly partitions?: number }): Promise<void>
  /** The events that could not be handled, with what was thrown, in order of position: the parked ones, unless told otherwise. */
  parked(options?: HeldOptions): Promise<ReadonlyArray<HeldEvent>>
  /** Parked events are handed over again, as if for the first time; how many. Rejects with NotParked where one is named that is not. */
  retry(which: number | "all"): Promise<number>
  /** Parked events are given up; an EventDropped in stream `subscription-<name>` says which and why. How many; rejects as `retry` does. */
  drop(which: number | "all", options: DropOptions): Promise<number>
}

type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

/** The verbs of a subscription as promises. */
export const promisedSubscription = (control: Control, run: Run): SubscriptionControl => ({
  name: control.name,
  status: () => run(control.status),
  pause: () => run(control.pause),
  resume: () => run(control.resume),
  rewind: (to) => run(control.rewind(to)),
  delete: () => run(control.delete),
  change: (to) => run(control.change(to)),
  parked: (options) => run(control.held(options)),
  retry: (which) => run(control.retry(which)),
  drop: (which, options) => run(control.drop(which, options))
})

/** Subscribes with a handler of promises, in a scope of its own. */
export const subscribeDurably = async (
  consumers: Consumers["Service"],
  options: DurableOptions,
  handler: unknown,
  scope: Scope.Closeable,
  states: States["Service"],
  run: Run
): Promise<DurableSubscription> => {
  const call = handler as DurableHandler<DurableOptions, Tx>
  const promised = (given: Event, context: HandlerContext | TransactionalContext): unknown =>
    call(given, "tx" in context ? withPromises(context, states, run) : context)
  const wanted = typeof handler === "function" ? promised : (handler as never)
  const membership = await run(Scope.provide(consumers.subscribe(options, wanted), scope))
  return {
    ...membership,
    control: promisedSubscription(consumers.control(membership.name), run),
    stop: async () => {
      await membership.stop()
      await run(Scope.close(scope, Exit.void))
    }
  }
}

const withPromises = (
  context: TransactionalContext,
  states: States["Service"],
  run: Run
): TransactionalContext<Tx> =>
  Object.create(context, {
    tx: { value: promisedTx(context.tx, run, states), enumerable: true }
  }) as TransactionalContext<Tx>
