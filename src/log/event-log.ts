import { Context, Effect, Layer, Result, type Scope, Stream } from "effect"
import { encodeToken } from "../base/token.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres, type TransactionOptions } from "../postgres/postgres.ts"
import { Appender } from "./appender.ts"
import type { PlacedPart } from "./batch.ts"
import { Ambient } from "./ambient.ts"
import { audit } from "./audit/audit.ts"
import type { Audit, AuditOptions, AuditSubject } from "./audit/subject.ts"
import { type EffectHandler, runningEffects } from "./effect-handler.ts"
import { InvalidArgument, type LogError, logError } from "./error.ts"
import type { Appended, Event, Meta, NewEvent, Part } from "./event.ts"
import { type EventType, EventTypes } from "./event-type.ts"
import { Feed } from "./feed.ts"
import { type Filter, filterProblem } from "./filter.ts"
import { LogIdentity } from "./identity.ts"
import { readStream, type ReadOptions } from "./read-stream.ts"
import { DEFAULT_MAX_EVENT_BYTES, makeRequest, type RequestRules } from "./request.ts"
import { replay, type ReplayError } from "./replay/replay.ts"
import type { ReplayOptions } from "./replay/replay-options.ts"
import { type From, Resume } from "./resume.ts"
import { type Failure, type Handler, Subscription } from "./subscription.ts"
import { Telemetry, watchedEmit, watchedRead, watchedReplay, watchedTransaction } from "./telemetry.ts"
import { type EmitOptions, type Transaction, transaction } from "./transaction.ts"

export interface EventLogConfig {
  /** How large an event's data may be as JSON, in bytes; 1 MiB by default. */
  readonly maxEventBytes?: number
  /** Types of event that are checked at emit and brought up to date when read; others may be declared later. */
  readonly types?: ReadonlyArray<EventType>
}

export interface SubscribeOptions extends Filter {
  /** Default: `now`. */
  readonly from?: From
}

/** The log: append, read, follow. */
export class EventLog extends Context.Service<
  EventLog,
  {
    /** The declared types of event. */
    readonly types: EventTypes
    /**
     * Appends events to a stream, all or none. Retried with the same ids over lost connections until the deadline.
     * Fails with InvalidName, InvalidArgument, InvalidEvent, VersionConflict, DuplicateEvent, AccessDenied, Rejected,
     * Unavailable or OutcomeUnknown.
     */
    readonly emit: (
      stream: string,
      events: NewEvent | ReadonlyArray<NewEvent>,
      options?: EmitOptions
    ) => Effect.Effect<Appended, LogError>
    /** Appends to several streams, all or none; one Appended per part. Fails as `emit` does. */
    readonly emitAll: (
      parts: ReadonlyArray<Part>,
      options?: { readonly meta?: Meta }
    ) => Effect.Effect<ReadonlyArray<Appended>, LogError>
    /**
     * Runs a transaction of the caller's in which writes and events commit together. It is not retried. Lost at COMMIT, it
     * fails with OutcomeUnknown of which `transaction` is true: look for its ids before it is run again.
     */
    readonly transaction: <A, E, R>(
      use: (tx: Transaction) => Effect.Effect<A, E, R>,
      options?: TransactionOptions
    ) => Effect.Effect<A, E | LogError | PostgresError, R>
    /** The events of one stream, by version; strong: up to the stream's own head. An unknown stream is empty. */
    readonly read: (stream: string, options?: ReadOptions) => Stream.Stream<Event, LogError | PostgresError>
    /**
     * The settled events of a filter, in order of position, up to where the log is settled when it begins; the next page is read
     * while one is consumed. Fails with InvalidArgument, InvalidName, LogRewound, TokenTooOld, UpcastFailed or Unavailable (`to` is not
     * settled yet).
     */
    readonly replay: (options?: ReplayOptions) => Stream.Stream<Event, ReplayError>
    /**
     * The trees of causes and effects that a subject belongs to. Fails with InvalidArgument, UpcastFailed or Unavailable (the
     * server became another one again and again).
     */
    readonly audit: (subject: AuditSubject, options?: AuditOptions) => Effect.Effect<Audit, ReplayError>
    /**
     * Hands every event of a filter to a handler, in order of position; resolves when its starting point is known. An effect
     * that the handler returns is run before the next event comes.
     */
    subscribe<E, R>(
      options: SubscribeOptions,
      handler: EffectHandler<E, R>
    ): Effect.Effect<Subscription, LogError | PostgresError, Scope.Scope | R>
    subscribe(
      options: SubscribeOptions,
      handler: Handler
    ): Effect.Effect<Subscription, LogError | PostgresError, Scope.Scope>
    /** The position up to which no event can appear any more. */
    readonly settled: Effect.Effect<number, PostgresError>
    /**
     * The position that "start", "now", a position or a token means here; with a filter, one after which nothing is gone that this may want.
     * Fails with LogRewound, InvalidArgument, TokenTooOld or Unavailable.
     */
    readonly resolve: (from: From, filter?: Filter) => Effect.Effect<number, LogError | PostgresError>
    readonly token: (position: number) => string
    readonly subscriptions: () => ReadonlyArray<Subscription>
  }
>()("tidemark/log/EventLog") {
  static readonly layer = (
    config: EventLogConfig = {}
  ): Layer.Layer<EventLog, LogError, Postgres | Appender | Feed | LogIdentity> =>
    Layer.effect(EventLog, makeEventLog(config))
}

/** What the caller says goes before what is known of the trace, and that before what it is part of anyway. */
const metaOf = (
  ambient: Meta | undefined,
  traceparent: string | undefined,
  meta: Meta | undefined
): Meta | undefined => {
  if (traceparent !== undefined) return { ...ambient, traceparent, ...meta }
  return ambient === undefined ? meta : { ...ambient, ...meta }
}

/** How long a closing engine waits for a handler to end with the event it is at, in ms. */
const HANDLER_PATIENCE_MS = 5_000

/** What a handler or an upcaster said may quote data, so it goes to the status and not to the log of the process. */
const reported = (failure: Failure): Effect.Effect<void> =>
  Effect.logError("A subscription failed", {
    error: failure._tag,
    position: failure.position,
    ...("type" in failure ? { type: failure.type } : {})
  })

const makeEventLog = Effect.fnUntraced(function* (config: EventLogConfig) {
  const postgres = yield* Postgres
  const appender = yield* Appender
  const feed = yield* Feed
  const identity = yield* LogIdentity
  const telemetry = yield* Telemetry
  const resume = new Resume(postgres, identity, feed)
  const types = new EventTypes()
  const conflict = types.declare(config.types ?? [])
  if (conflict !== undefined) {
    const problem = `The type ${JSON.stringify(conflict)} is declared twice, with another schema or version`
    return yield* logError(new InvalidArgument({ problem }))
  }
  const reading = { postgres, feed, identity, resume, types }
  const rules: RequestRules = { types, maxEventBytes: config.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES }
  const subscriptions = new Set<Subscription>()
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  appender.onAppended((_, requests) => telemetry.appended?.(requests))

  const token = (position: number): string => {
    const { id, epoch } = identity.current()
    return encodeToken({ log: id, epoch, position })
  }

  const appended = ({ stream, events }: PlacedPart): Appended => {
    const { version, position } = events.at(-1)!
    return { stream, version, position, events, token: token(position) }
  }

  const append = (
    parts: ReadonlyArray<Part>,
    meta: Meta | undefined
  ): Effect.Effect<ReadonlyArray<Appended>, LogError> =>
    watchedEmit(telemetry, parts, (traceparent) =>
      Effect.flatMap(Ambient, (ambient) => {
        const request = makeRequest(parts, metaOf(ambient(), traceparent, meta), rules)
        return Result.isFailure(request)
          ? Effect.fail(logError(request.failure))
          : Effect.map(appender.append(request.success), (placed) => placed.map(appended))
      })
    )

  const subscribe = Effect.fnUntraced(function* <R>(
    { from = "now", ...filter }: SubscribeOptions,
    handler: Handler | EffectHandler<unknown, R>
  ): Effect.fn.Return<Subscription, LogError | PostgresError, Scope.Scope | R> {
    const wrong = filterProblem(filter)
    if (wrong !== undefined) return yield* logError(wrong)
    if (typeof handler !== "function")
      return yield* logError(new InvalidArgument({ problem: "The handler is not a function" }))
    const position = yield* resume.position(from, filter)
    const context = yield* Effect.context<R>()
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        const running = runningEffects(handler, context)
        const subscription = new Subscription({
          feed,
          types,
          telemetry,
          filter,
          from: position,
          handler: running,
          run
        })
        subscriptions.add(subscription)
        subscription.done.catch((failure: Failure) => void run(reported(failure)))
        return subscription
      }),
      (subscription) => {
        const stopped = Effect.timeoutOption(
          Effect.promise(() => subscription.stop()),
          HANDLER_PATIENCE_MS
        )
        const forgotten = Effect.sync(() => subscriptions.delete(subscription))
        return Effect.ensuring(stopped, forgotten)
      }
    )
  })

  return EventLog.of({
    types,
    emit: (stream, events, options) => {
      const part =
        options?.expected === undefined ? { stream, events } : { stream, events, expected: options.expected }
      return Effect.map(append([part], options?.meta), (all) => all[0]!)
    },
    emitAll: (parts, options) => append(parts, options?.meta),
    transaction: (use, options) =>
      watchedTransaction(telemetry, (traceparent) =>
        Effect.flatMap(Ambient, (ambient) =>
          Effect.andThen(
            identity.ready,
            transaction(postgres, appender, rules, metaOf(ambient(), traceparent, undefined), use, options)
          )
        )
      ),
    read: (stream, options) => watchedRead(telemetry, stream, readStream(postgres, types, stream, options)),
    replay: (options) => watchedReplay(telemetry, replay(reading, options)),
    audit: (subject, options) => audit(reading, subject, options),
    subscribe,
    settled: feed.settled,
    resolve: (from, filter) => resume.position(from, filter),
    token,
    subscriptions: () => [...subscriptions]
  })
})
