import { AsyncLocalStorage } from "node:async_hooks"
import { Context, Deferred, Effect, Exit, ManagedRuntime, Scope, Stream } from "effect"
import { withinTransaction } from "../log/causation.ts"
import type { Appended, Event, Meta, NewEvent, Part } from "../log/event.ts"
import { type LogError, logError, Unavailable } from "../log/error.ts"
import { EventLog, type SubscribeOptions } from "../log/event-log.ts"
import type { Audit, AuditOptions, AuditSubject } from "../log/audit/subject.ts"
import { liveEvents } from "../log/live-events.ts"
import type { ReadOptions } from "../log/read-stream.ts"
import type { ReplayOptions } from "../log/replay/replay-options.ts"
import type { Handler } from "../log/subscription.ts"
import { Consumers } from "../consumer/consumers.ts"
import type { DurableHandler } from "../consumer/options.ts"
import type { DurableStatus } from "../consumer/status.ts"
import { States, type StateOptions } from "../state/states.ts"
import type { EmitOptions } from "../log/transaction.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import type { Bound, Operations } from "../projection/operation.ts"
import { Projections } from "../projection/projections.ts"
import { Cache } from "../cache/cache.ts"
import { type EngineCache, promisedCache } from "./caching.ts"
import type { OpenOptions } from "./configuration.ts"
import type { Engine, PromisedOperations, Subscription } from "./engine.ts"
import { engineLayer, type EngineServices } from "./layers.ts"
import type { Overseeing } from "./overseeing.ts"
import { Oversight } from "./oversight/oversight.ts"
import { ReadModelFaces } from "./read-model-faces.ts"
import { Search } from "./search/search.ts"
import { ReadModels } from "./read-models.ts"
import { type Rebuilding, rebuildIn, rollbackIn, whatIfIn } from "./rebuilding.ts"
import { type EngineStatus, engineStatus } from "./status.ts"
import { plainError } from "./plain-error.ts"
import {
  type DurableOptions,
  type DurableSubscription,
  promisedSubscription,
  subscribeDurably,
  type SubscriptionControl
} from "./subscriptions.ts"
import { Links } from "../sync/link/links.ts"
import { type EngineLinks, PromisedLinks, type SyncQueue } from "./linking.ts"
import { type Agents, type EngineState, type EngineStates, PromisedStates } from "./states.ts"
import type { Checkpoint, CheckpointOptions } from "../state/checkpoint/checkpointing.ts"
import { Presence } from "../sync/presence.ts"
import type { Defined, StateDefinition } from "../state/definition/definitions.ts"
import type { EngineConflicts } from "./conflicts.ts"
import { promisedTx, type Tx } from "./tx.ts"
import { withinSpan } from "./telemetry.ts"
import { doctorIn } from "./doctor/doctor.ts"
import { maintainIn, maintenanceHistory } from "./maintenance/maintaining.ts"
import { archivedIn } from "./retention/archived.ts"
import { retainIn } from "./retention/retaining.ts"
import type { Upkeep } from "./upkeep.ts"

/**
 * Opens a log: starts or joins a server where none is named, migrates the schema, and connects.
 * Rejects early, saying what to do: BadConnectionString, TlsFileUnreadable, InvalidIdentifier, NoDatabase; Unreachable,
 * AccessDenied, TlsRefused, TlsUnverified, Busy (waited for, for up to 5 000 ms); ServerTooOld, SchemaFromTheFuture,
 * MigrationChanged, UnsoundSequence, PositionsExhausted; ReadOnly, where a standby has no schema yet, or an old one;
 * LockTimeout, where a migration waited 3 000 ms for a table in use (nothing was done: try again); InvalidArgument, where a
 * type is declared twice; DefinitionChanged, and InvalidDefinition where read models have no tables and this role may not make them;
 * and what can go wrong with an embedded server: DirectoryNotOurs, DirectoryInUse, DirectoryUnreachable, NoFreePort,
 * OtherMajorVersion, NoRoom, BinariesMissing, NoServerUser, ServerDidNotStart. All are classes of `tidemark/errors`.
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

type Run = <A>(effect: Effect.Effect<A, unknown, EngineServices>) => Promise<A>

/** What every call is told after `close`; the promise face's own, whatever the parts below would say. */
const closedError = (): Unavailable => new Unavailable({ detail: "this engine is closed" })

class OpenEngine extends ReadModelFaces implements Engine {
  readonly maintenance: Upkeep["maintenance"] = {
    history: (...given) => this.run(maintenanceHistory(...given))
  }
  readonly cache: EngineCache
  private readonly log: EventLog["Service"]
  private readonly consumers: Consumers["Service"]
  private readonly statesService: States["Service"]
  private readonly promisedStates: PromisedStates
  private readonly promisedLinks: PromisedLinks
  private readonly projections: Projections["Service"]
  private readonly services: Context.Context<EngineServices>
  private readonly scope = Scope.makeUnsafe()
  private readonly ended = Deferred.makeUnsafe<void>()
  /** Also after `close`: for what has to end, and for transactions that are still open. */
  private readonly runAnyway: Run
  private readonly dispose: () => Promise<void>
  private closing: Promise<void> | undefined
  /** Nothing is taken on any more. Handlers that a closing engine waits for may still emit and ask. */
  private isClosed = false

  constructor(context: Context.Context<EngineServices>, dispose: () => Promise<void>) {
    const models = Context.get(context, ReadModels)
    super(models)
    this.services = context
    const runPromise = Effect.runPromiseWith(context)
    this.log = Context.get(context, EventLog)
    this.consumers = Context.get(context, Consumers)
    this.runAnyway = (effect) => runPromise(Effect.mapError(effect, plainError))
    this.dispose = dispose
    this.projections = Context.get(context, Projections)
    this.cache = promisedCache(Context.get(context, Cache), (effect) => this.run(effect))
    this.statesService = Context.get(context, States)
    this.promisedStates = new PromisedStates(
      this.statesService,
      this.promisedOperations(models.states),
      (effect) => this.run(effect),
      this
    )
    this.promisedLinks = new PromisedLinks(
      Context.get(context, Links),
      this.promisedOperations(models.links),
      (effect) => this.run(effect)
    )
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
      this.statesService.transaction((tx) =>
        Effect.flatMap(withinSpan, (inSpan) =>
          Effect.tryPromise({
            try: () =>
              asCaller(() =>
                inSpan(() =>
                  withinTransaction(() => body(promisedTx(tx, this.runAnyway, this.statesService)))
                )
              ),
            catch: (thrown) => thrown
          })
        )
      )
    )
  }

  read(stream: string, options?: ReadOptions): AsyncIterable<Event> {
    return this.whole(this.log.read(stream, options))
  }

  replay(options?: ReplayOptions): AsyncIterable<Event> {
    return this.whole(this.log.replay(options))
  }

  audit(subject: AuditSubject, options?: AuditOptions): Promise<Audit> {
    return this.run(this.log.audit(subject, options))
  }

  subscribe<const O extends DurableOptions>(
    options: O,
    handler: DurableHandler<O, Tx>
  ): Promise<DurableSubscription>
  subscribe(options: SubscribeOptions, handler: Handler): Promise<Subscription>
  async subscribe(
    options: SubscribeOptions | DurableOptions,
    handler: Handler | DurableHandler<DurableOptions, Tx>
  ): Promise<Subscription | DurableSubscription> {
    if (this.closing !== undefined) throw closedError()
    const scope = await this.run(Scope.fork(this.scope))
    if ("name" in options)
      return subscribeDurably(this.consumers, options, handler, scope, this.statesService, this.runAnyway)
    const subscription = await this.run(Scope.provide(this.log.subscribe(options, handler as Handler), scope))
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
        await this.runAnyway(Scope.close(scope, Exit.void))
      }
    }
  }

  events(options: SubscribeOptions = {}): AsyncIterable<Event> {
    return this.iterable(Stream.interruptWhen(liveEvents(this.log, options), Deferred.await(this.ended)))
  }

  subscription(name: string): SubscriptionControl {
    return promisedSubscription(this.consumers.control(name), (effect) => this.run(effect))
  }

  subscriptions(): Promise<ReadonlyArray<DurableStatus>> {
    return this.run(this.consumers.status)
  }

  settled(): Promise<number> {
    return this.run(this.log.settled)
  }

  state(agent: string, options?: StateOptions): EngineState {
    return this.promisedStates.state(agent, options)
  }

  get states(): EngineStates {
    return this.promisedStates.all
  }

  get conflicts(): EngineConflicts {
    return this.promisedStates.conflicts
  }

  defineState(definition: StateDefinition): Promise<Defined> {
    return this.promisedStates.define(definition)
  }

  checkpoint(options: CheckpointOptions & { readonly agents: Agents }): Promise<Checkpoint> {
    return this.promisedStates.checkpoint(options)
  }

  sync(...given: Parameters<Engine["sync"]>): ReturnType<Engine["sync"]> {
    return this.promisedLinks.sync(...given)
  }

  link(...given: Parameters<Engine["link"]>): ReturnType<Engine["link"]> {
    return this.promisedLinks.make(...given)
  }

  get links(): EngineLinks {
    return this.promisedLinks.all
  }

  get syncQueue(): SyncQueue {
    return this.promisedLinks.queue
  }

  detectConflicts(...given: Parameters<Engine["detectConflicts"]>): ReturnType<Engine["detectConflicts"]> {
    return this.promisedStates.detectConflicts(...given)
  }

  restore(...given: Parameters<Engine["restore"]>): ReturnType<Engine["restore"]> {
    return this.promisedStates.restore(...given)
  }

  presence(...given: Parameters<Engine["presence"]>): ReturnType<Engine["presence"]> {
    return this.run(Effect.flatMap(Presence, ({ list }) => list(...given)))
  }

  async project<Ops extends Operations>(
    definition: ProjectionDefinition<Ops>
  ): Promise<PromisedOperations<Bound<Ops>>> {
    return this.promisedOperations(await this.run(this.projections.project(definition)))
  }

  status(): Promise<EngineStatus> {
    return this.run(engineStatus)
  }

  rebuild(...given: Parameters<Rebuilding["rebuild"]>): ReturnType<Rebuilding["rebuild"]> {
    return this.run(rebuildIn(...given))
  }

  rollback(projection: string): ReturnType<Rebuilding["rollback"]> {
    return this.run(rollbackIn(projection))
  }

  whatIf(...given: Parameters<Rebuilding["whatIf"]>): ReturnType<Rebuilding["whatIf"]> {
    return this.run(whatIfIn(...given))
  }

  maintain(...given: Parameters<Upkeep["maintain"]>): ReturnType<Upkeep["maintain"]> {
    return this.run(maintainIn(...given))
  }

  doctor(...given: Parameters<Upkeep["doctor"]>): ReturnType<Upkeep["doctor"]> {
    return this.run(doctorIn(...given))
  }

  retain(...given: Parameters<Upkeep["retain"]>): ReturnType<Upkeep["retain"]> {
    return this.run(retainIn(...given))
  }

  archived(file: string): AsyncIterable<Event> {
    return this.whole(archivedIn(file))
  }

  health(): ReturnType<Overseeing["health"]> {
    return this.run(Effect.flatMap(Oversight, ({ health }) => health))
  }

  statistics(): ReturnType<Overseeing["statistics"]> {
    return this.run(Effect.flatMap(Oversight, ({ statistics }) => statistics))
  }

  context(...given: Parameters<Overseeing["context"]>): ReturnType<Overseeing["context"]> {
    return this.run(Effect.flatMap(Oversight, ({ context }) => context(...given)))
  }

  search(...given: Parameters<Overseeing["search"]>): ReturnType<Overseeing["search"]> {
    return this.run(Effect.flatMap(Search, ({ search }) => search(...given)))
  }

  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async end(): Promise<void> {
    await this.runAnyway(Deferred.succeed(this.ended, undefined))
    await this.runAnyway(Scope.close(this.scope, Exit.void))
    this.isClosed = true
    await this.dispose()
  }

  protected run<A>(effect: Effect.Effect<A, unknown, EngineServices>): Promise<A> {
    return this.isClosed ? Promise.reject(closedError()) : this.runAnyway(effect)
  }

  /** A stream that has an end: a loop that `close` ended before it, in silence, would take what it got for all there is. */
  private whole<A, E>(stream: Stream.Stream<A, E, EngineServices>): AsyncIterable<A> {
    const cut = Effect.andThen(Deferred.await(this.ended), Effect.fail(logError(closedError())))
    return this.iterable(Stream.interruptWhen(stream, cut))
  }

  /** A stream to loop over; a loop that begins after `close` fails. */
  private iterable<A, E>(stream: Stream.Stream<A, E, EngineServices>): AsyncIterable<A> {
    const whileOpen = Stream.suspend((): Stream.Stream<A, E | LogError, EngineServices> =>
      this.closing === undefined ? stream : Stream.fail(logError(closedError()))
    )
    return Stream.toAsyncIterableWith(Stream.mapError(whileOpen, plainError), this.services)
  }
}
