import { AsyncLocalStorage } from "node:async_hooks"
import { Context, Deferred, Effect, Exit, ManagedRuntime, Result, Scope, Stream } from "effect"
import { withinTransaction } from "../log/causation.ts"
import type { Appended, Event, Meta, NewEvent, Part } from "../log/event.ts"
import { EventLog, type SubscribeOptions } from "../log/event-log.ts"
import { liveEvents } from "../log/live-events.ts"
import type { ReadOptions } from "../log/read-stream.ts"
import type { Handler, SubscriptionStatus } from "../log/subscription.ts"
import type { EmitOptions, Transaction } from "../log/transaction.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import type { Bound, Operations } from "../projection/operation.ts"
import { Projections } from "../projection/projections.ts"
import type { OpenOptions } from "./configuration.ts"
import { engineLayer, type EngineServices } from "./layers.ts"
import { type BoundReadModels, ReadModels } from "./read-models.ts"
import { type EngineStatus, engineStatus } from "./status.ts"
import { plainError } from "./plain-error.ts"
import { withinSpan } from "./telemetry.ts"

/** A live subscription. */
export interface Subscription {
  /** Every event of the filter up to here was handled. */
  readonly position: number
  /** How many positions the log is ahead, at most: positions may skip numbers. */
  readonly lag: number
  /** Resolves when it was stopped; rejects with HandlerFailed or UpcastFailed when it failed. */
  readonly done: Promise<void>
  readonly status: () => SubscriptionStatus
  /** Stops it; resolves when the handler has ended with the event it is at. */
  readonly stop: () => Promise<void>
}

/** A transaction of the caller's. */
export interface Tx {
  /** Runs a statement. */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Promise<{ readonly rows: ReadonlyArray<Row>; readonly count: number }>
  /** Queues events; they are appended as the last thing before COMMIT. Throws InvalidName, InvalidEvent or VersionConflict. */
  readonly emit: (stream: string, events: NewEvent | ReadonlyArray<NewEvent>, options?: EmitOptions) => void
  /** Appends what is queued now; from here to COMMIT its streams are locked and readers of the log wait. */
  readonly flush: () => Promise<
    ReadonlyArray<{ readonly stream: string; readonly events: Appended["events"] }>
  >
}

/** Operations that return promises. */
export type PromisedOperations<B> = {
  readonly [Verb in keyof B]: B[Verb] extends (
    ...input: infer Input
  ) => Effect.Effect<infer Output, infer _Error>
    ? (...input: Input) => Promise<Output>
    : never
}

/** The operations of one of the read models that every engine has. */
export type ReadModel<Name extends keyof BoundReadModels> = PromisedOperations<BoundReadModels[Name]>

/** An open log. Every method that fails rejects with an error class of its own, which says what to do. */
export interface Engine extends AsyncDisposable {
  /**
   * Appends events to a stream, all or none, and says where they came to lie. Safe to repeat with the same ids. Retried over
   * lost connections until the deadline. Rejects with InvalidName, InvalidEvent, VersionConflict, DuplicateEvent,
   * Unavailable (nothing was done) or OutcomeUnknown (repeat with the ids it names).
   */
  emit(stream: string, events: NewEvent | ReadonlyArray<NewEvent>, options?: EmitOptions): Promise<Appended>
  /** Appends to several streams, all or none. */
  emitAll(parts: ReadonlyArray<Part>, options?: { readonly meta?: Meta }): Promise<ReadonlyArray<Appended>>
  /** Runs a transaction in which the caller's writes and events commit together. It is not retried. */
  transaction<A>(body: (tx: Tx) => Promise<A>): Promise<A>
  /** The events of a stream by version, up to its own head; an unknown stream is empty. */
  read(stream: string, options?: ReadOptions): AsyncIterable<Event>
  /** Hands every event of a filter to a handler, one after the other, in order of position. Default: from now on. */
  subscribe(options: SubscribeOptions, handler: Handler): Promise<Subscription>
  /** The events of a filter as they come; leaving the loop ends it. Default: from now on. */
  events(options?: SubscribeOptions): AsyncIterable<Event>
  /** The agents of the fleet: register, update, stop, look up. */
  readonly agents: ReadModel<"agents">
  /** The agents' signs of life: record, look up, and tell who is healthy. */
  readonly heartbeats: ReadModel<"heartbeats">
  /** The agents' measurements: record, list, sum up. */
  readonly metrics: ReadModel<"metrics">
  /**
   * Makes a read model of the caller's, keeps it up with the log from now on, and returns its operations. Rejects with
   * InvalidDefinition, or DefinitionChanged where its tables were filled by another definition.
   */
  project<Ops extends Operations>(
    definition: ProjectionDefinition<Ops>
  ): Promise<PromisedOperations<Bound<Ops>>>
  /** The position up to which no event can appear any more. */
  settled(): Promise<number>
  status(): Promise<EngineStatus>
  /** Ends subscriptions, sends what was emitted, closes connections; an embedded server stops with its last user. */
  close(): Promise<void>
}

/**
 * Opens a log: starts or joins a server where none is named, migrates the schema, and connects.
 * Rejects early, saying what to do: Unreachable, AccessDenied, BadConnectionString, TlsRefused, TlsUnverified, ServerTooOld,
 * SchemaFromTheFuture, and what can go wrong with an embedded server.
 */
export const open = async (options: OpenOptions = {}): Promise<Engine> => {
  const runtime = ManagedRuntime.make(engineLayer(options, process.env))
  try {
    return new OpenEngine(await runtime.context(), () => runtime.dispose())
  } catch (thrown) {
    await runtime.dispose()
    throw plainError(thrown)
  }
}

class OpenEngine implements Engine {
  readonly agents: ReadModel<"agents">
  readonly heartbeats: ReadModel<"heartbeats">
  readonly metrics: ReadModel<"metrics">
  private readonly log: EventLog["Service"]
  private readonly projections: Projections["Service"]
  private readonly context: Context.Context<EngineServices>
  private readonly scope = Scope.makeUnsafe()
  private readonly ended = Deferred.makeUnsafe<void>()
  private readonly run: <A>(effect: Effect.Effect<A, unknown, EngineServices>) => Promise<A>
  private readonly dispose: () => Promise<void>
  private closing: Promise<void> | undefined

  constructor(context: Context.Context<EngineServices>, dispose: () => Promise<void>) {
    this.context = context
    const runPromise = Effect.runPromiseWith(context)
    this.log = Context.get(context, EventLog)
    this.run = (effect) => runPromise(Effect.mapError(effect, plainError))
    this.dispose = dispose
    this.projections = Context.get(context, Projections)
    const { agents, heartbeats, metrics } = Context.get(context, ReadModels)
    this.agents = this.promisedOperations(agents)
    this.heartbeats = this.promisedOperations(heartbeats)
    this.metrics = this.promisedOperations(metrics)
  }

  emit(stream: string, events: NewEvent | ReadonlyArray<NewEvent>, options?: EmitOptions): Promise<Appended> {
    return this.run(this.log.emit(stream, events, options))
  }

  emitAll(parts: ReadonlyArray<Part>, options?: { readonly meta?: Meta }): Promise<ReadonlyArray<Appended>> {
    return this.run(this.log.emitAll(parts, options))
  }

  transaction<A>(body: (tx: Tx) => Promise<A>): Promise<A> {
    const asCaller = AsyncLocalStorage.snapshot()
    return this.run(
      this.log.transaction((tx) =>
        Effect.flatMap(withinSpan, (inSpan) =>
          Effect.tryPromise({
            try: () => asCaller(() => inSpan(() => withinTransaction(() => body(this.promised(tx))))),
            catch: (thrown) => thrown
          })
        )
      )
    )
  }

  read(stream: string, options?: ReadOptions): AsyncIterable<Event> {
    return this.iterable(this.log.read(stream, options))
  }

  async subscribe(options: SubscribeOptions, handler: Handler): Promise<Subscription> {
    const scope = await this.run(Scope.fork(this.scope))
    const subscription = await this.run(Scope.provide(this.log.subscribe(options, handler), scope))
    return {
      get position() {
        return subscription.position
      },
      get lag() {
        return subscription.lag
      },
      done: subscription.done,
      status: () => subscription.status(),
      stop: async () => {
        await subscription.stop()
        await this.run(Scope.close(scope, Exit.void))
      }
    }
  }

  events(options: SubscribeOptions = {}): AsyncIterable<Event> {
    return this.iterable(liveEvents(this.log, options))
  }

  settled(): Promise<number> {
    return this.run(this.log.settled)
  }

  async project<Ops extends Operations>(
    definition: ProjectionDefinition<Ops>
  ): Promise<PromisedOperations<Bound<Ops>>> {
    return this.promisedOperations(await this.run(this.projections.project(definition)))
  }

  status(): Promise<EngineStatus> {
    return this.run(engineStatus)
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async end(): Promise<void> {
    await this.run(Deferred.succeed(this.ended, undefined))
    await this.run(Scope.close(this.scope, Exit.void))
    await this.dispose()
  }

  /** A stream to loop over; closing the engine ends the loop. */
  private iterable<A, E>(stream: Stream.Stream<A, E, EngineServices>): AsyncIterable<A> {
    const whileOpen = Stream.interruptWhen(stream, Deferred.await(this.ended))
    return Stream.toAsyncIterableWith(Stream.mapError(whileOpen, plainError), this.context)
  }

  private promisedOperations<B extends object>(bound: B): PromisedOperations<B> {
    const promised = Object.entries(bound).map(([verb, operation]) => [
      verb,
      (...input: Array<unknown>) =>
        this.run((operation as (...input: Array<unknown>) => Effect.Effect<unknown, unknown>)(...input))
    ])
    return Object.fromEntries(promised) as PromisedOperations<B>
  }

  private promised(tx: Transaction): Tx {
    return {
      query: (sql, params) => this.run(tx.query(sql, params)),
      emit: (stream, events, options) => {
        const emitted = Effect.runSync(Effect.result(tx.emit(stream, events, options)))
        if (Result.isFailure(emitted)) throw plainError(emitted.failure)
      },
      flush: () => this.run(tx.flush)
    }
  }
}
