import { Context, Effect, Layer, Scope, Semaphore } from "effect"
import { Ambient } from "../log/ambient.ts"
import { InvalidArgument, type LogError, logError, LogRewound } from "../log/error.ts"
import { EventLog } from "../log/event-log.ts"
import { Feed } from "../log/feed.ts"
import { LogIdentity } from "../log/identity.ts"
import { Telemetry } from "../log/telemetry.ts"
import { Fleet } from "../fleet/fleet.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { Turns } from "./caution.ts"
import { type Control, controlOf } from "./control.ts"
import {
  AlreadySubscribed,
  type ConsumerError,
  consumerError,
  SubscriptionChanged,
  UnknownSubscription
} from "./error.ts"
import { type AnyHandler, runningHandler } from "./handling.ts"
import { type LocalPartition, Member } from "./member.ts"
import {
  type ConsumeOptions,
  type ConsumerDefaults,
  type DurableHandler,
  isSameFilter,
  type Settings,
  settingsOf
} from "./options.ts"
import type { ConsumerParts } from "./parts.ts"
import { Places } from "./places.ts"
import { Register } from "./register.ts"
import { type DurableStatus, durableStatuses } from "./status.ts"

/** How many transactions of handlers an engine has at once; each takes a connection, and handlers may want more. */
const TRANSACTIONS_AT_ONCE = 4

/** This engine's part in a durable subscription. */
export interface Membership {
  readonly name: string
  /** The partitions that this engine works on now. */
  readonly partitions: () => ReadonlyArray<LocalPartition>
  /**
   * Resolves when it was stopped. Rejects with SubscriptionDeleted, SubscriptionChanged (its filter), or LogRewound (its place lies
   * beyond the end of the log: rewind it). Not looking at it is no unhandled rejection.
   */
  readonly done: Promise<void>
  /** Leaves the subscription to others, after the events that are being handled; those are waited for up to 4 000 ms. */
  readonly stop: () => Promise<void>
}

/** The durable subscriptions of an engine: consumers with a name, whose place in the log outlives their processes. */
export class Consumers extends Context.Service<
  Consumers,
  {
    /**
     * Hands the events of a filter to a handler, wherever the subscription of that name stands, shared with all other engines that
     * do the same. An effect that the handler returns is run before the next event comes. Fails with InvalidArgument or
     * InvalidName, SubscriptionChanged, AlreadySubscribed, or LogRewound.
     */
    subscribe<const O extends ConsumeOptions, E, R>(
      options: O,
      handler: (...given: Parameters<DurableHandler<O>>) => Effect.Effect<unknown, E, R>
    ): Effect.Effect<Membership, ConsumerError | LogError | PostgresError, Scope.Scope | R>
    subscribe<const O extends ConsumeOptions>(
      options: O,
      handler: DurableHandler<O>
    ): Effect.Effect<Membership, ConsumerError | LogError | PostgresError, Scope.Scope>
    /** What can be done to the subscription of a name. */
    readonly control: (name: string) => Control
    /** How all of them stand, whoever works on them. */
    readonly status: Effect.Effect<ReadonlyArray<DurableStatus>, PostgresError>
  }
>()("tidemark/consumer/Consumers") {
  static readonly layer = (
    defaults: ConsumerDefaults = {}
  ): Layer.Layer<Consumers, never, Postgres | EventLog | Feed | Fleet | LogIdentity> =>
    Layer.effect(Consumers, makeConsumers(defaults))
}

const makeConsumers = Effect.fnUntraced(function* (defaults: ConsumerDefaults) {
  const postgres = yield* Postgres
  const log = yield* EventLog
  const fleet = yield* Fleet
  const identity = yield* LogIdentity
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  // This engine need not wait until it hears itself.
  const tell = Effect.andThen(
    Effect.sync(() => fleet.look()),
    fleet.tell
  )
  const register = new Register(postgres, tell)
  const members = new Map<string, Member>()
  /** The last of each name, which may not have given up everything yet. */
  const former = new Map<string, Member>()
  const parts: ConsumerParts = {
    places: new Places(postgres, identity),
    log,
    feed: yield* Feed,
    fleet,
    identity,
    telemetry: yield* Telemetry,
    ambient: yield* Ambient,
    transactions: yield* Semaphore.make(TRANSACTIONS_AT_ONCE),
    turns: new Turns((effect) => run(effect)),
    run: (effect) => run(effect),
    runUntil: (effect, signal) => run(effect, { signal })
  }
  // Each may wait for its handlers when the engine closes: all at once, not one after the other.
  yield* Effect.addFinalizer(() =>
    Effect.promise(async () => {
      await Promise.all([...members.values()].map((member) => member.stop()))
      for (const member of former.values()) member.keep()
    })
  )

  const local = (name: string): ReadonlyArray<LocalPartition> => members.get(name)?.status() ?? []
  const statusOf = (name: string | null) => durableStatuses(register, local, name)

  /** The subscription is there, as wanted, and where it can be gone on from. */
  const registered = Effect.fnUntraced(function* ({ name, filter, from, partitions }: Settings) {
    const found = yield* register.load(name)
    if (found === undefined)
      yield* register.insert(name, filter, partitions, yield* log.resolve(from, filter))
    const row = found ?? (yield* register.load(name))
    if (row === undefined) return yield* consumerError(new UnknownSubscription({ subscription: name }))
    if (!isSameFilter(row.filter, filter)) {
      const texts = { found: JSON.stringify(row.filter), given: JSON.stringify(filter) }
      return yield* consumerError(new SubscriptionChanged({ subscription: name, ...texts }))
    }
    const { furthest: position, head } = row
    if (position > head) {
      const detail = `subscription ${JSON.stringify(name)} lies beyond the head; rewind it`
      return yield* logError(new LogRewound({ position, head, detail }))
    }
  })

  const begin = (settings: Settings, handler: AnyHandler): Member => {
    const { name } = settings
    // What the one before it could not give up yet is this one's to work on, or to give up.
    former.get(name)?.keep()
    const member = new Member(settings, handler, parts, register)
    members.set(name, member)
    former.set(name, member)
    const forget = (): boolean => members.get(name) === member && members.delete(name)
    member.done.then(forget, forget)
    return member
  }

  const subscribe = Effect.fnUntraced(function* <R>(
    options: ConsumeOptions,
    handler: AnyHandler
  ): Effect.fn.Return<Membership, ConsumerError | LogError | PostgresError, Scope.Scope | R> {
    const settings = settingsOf(options, defaults)
    if (settings instanceof Error) return yield* logError(settings)
    if (typeof handler !== "function")
      return yield* logError(new InvalidArgument({ problem: "The handler is not a function" }))
    const { name } = settings
    if (members.has(name)) return yield* consumerError(new AlreadySubscribed({ subscription: name }))
    yield* registered(settings)
    const running = runningHandler(handler, yield* Effect.context<R>())
    if (members.has(name)) return yield* consumerError(new AlreadySubscribed({ subscription: name }))
    // From its first moment there is somebody who ends it: whoever subscribes may be interrupted.
    const member = yield* Effect.acquireRelease(
      Effect.sync(() => begin(settings, running)),
      (begun) => Effect.promise(() => begun.stop())
    )
    const stop = async (): Promise<void> => {
      await member.stop()
    }
    const membership: Membership = { name, partitions: () => member.status(), done: member.done, stop }
    return membership
  })

  return Consumers.of({
    subscribe: <R>(options: ConsumeOptions, handler: unknown) => subscribe<R>(options, handler as AnyHandler),
    control: (name) => controlOf(name, { register, log, tell, status: statusOf }),
    status: statusOf(null)
  })
})
