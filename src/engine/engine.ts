import type { Effect } from "effect"
import type { Appended, Event, Meta, NewEvent, Part } from "../log/event.ts"
import type { SubscribeOptions } from "../log/event-log.ts"
import type { ReadOptions } from "../log/read-stream.ts"
import type { Handler, SubscriptionStatus } from "../log/subscription.ts"
import type { DurableHandler } from "../consumer/options.ts"
import type { DurableStatus } from "../consumer/status.ts"
import type { StateOptions } from "../state/states.ts"
import type { EmitOptions } from "../log/transaction.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import type { Bound, Operations } from "../projection/operation.ts"
import type { History } from "./history.ts"
import type { BoundReadModels } from "./read-models.ts"
import type { EngineLink, EngineLinks, SyncQueue } from "./linking.ts"
import type { Rebuilding } from "./rebuilding.ts"
import type { Checkpoint, CheckpointOptions } from "../state/checkpoint/checkpointing.ts"
import type { Defined, StateDefinition } from "../state/definition/definitions.ts"
import type { RestoreOptions } from "../state/checkpoint/restoring.ts"
import type { Written } from "../state/change/writing.ts"
import type { Conflicting } from "../state/error.ts"
import type { DetectOptions } from "../sync/sync.ts"
import type { RetriedSynced, RetriedSyncOptions } from "../sync/queue/retrying.ts"
import type { LinkOptions } from "../sync/link/wanted.ts"
import type { Attendant, PresenceFilter } from "../sync/presence.ts"
import type { EngineCache } from "./caching.ts"
import type { EngineConflicts } from "./conflicts.ts"
import type { Agents, EngineState, EngineStates } from "./states.ts"
import type { EngineStatus } from "./status.ts"
import type { DurableOptions, DurableSubscription, SubscriptionControl } from "./subscriptions.ts"
import type { Tx } from "./tx.ts"
import type { Overseeing } from "./overseeing.ts"
import type { Upkeep } from "./upkeep.ts"

/** A live subscription. */
export interface Subscription {
  /** Every event of the filter up to here was handled. */
  readonly position: number
  /** How many positions the log is ahead, at most: positions may skip numbers. */
  readonly lag: number
  /**
   * Resolves when it was stopped. Rejects with HandlerFailed or UpcastFailed, having stopped before that event, or with
   * LogRewound where the log was restored to before `position`. Not looking at it is no unhandled rejection.
   */
  readonly done: Promise<void>
  readonly status: () => SubscriptionStatus
  /** Stops it; resolves when the handler has ended with the event it is at. */
  readonly stop: () => Promise<void>
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

/**
 * An open log. Every method that fails rejects with an error class of its own, which says what to do. Whatever asks the
 * server may also reject with Unreachable, Busy, ConnectionLost, AccessDenied or StatementTimeout; after `close`, all reject
 * with Unavailable.
 */
export interface Engine extends AsyncDisposable, History, Overseeing, Rebuilding, Upkeep {
  /**
   * Appends events to a stream, all or none, and says where they came to lie. Safe to repeat with the same ids. Retried over
   * lost connections for `emitDeadlineMs` (30 000 ms). Rejects with InvalidName, InvalidEvent, VersionConflict,
   * InvalidArgument (no event, more than an append holds, or no such `expected`), DuplicateEvent, AccessDenied, Rejected,
   * Unavailable (nothing was done) or OutcomeUnknown (emit the same again with the ids that it names).
   */
  emit(stream: string, events: NewEvent | ReadonlyArray<NewEvent>, options?: EmitOptions): Promise<Appended>
  /** Appends to several streams, all or none; one Appended per part, in their order. Rejects as `emit` does. */
  emitAll(parts: ReadonlyArray<Part>, options?: { readonly meta?: Meta }): Promise<ReadonlyArray<Appended>>
  /**
   * Runs a transaction in which the caller's writes and events commit together. It is not retried, and its connection is
   * ended where it sits idle for 30 000 ms. Rejects with what the body throws, and as `Tx` does: then nothing was kept, but for
   * what is lost while COMMIT is under way. That is OutcomeUnknown with `transaction` true where it had events: look in its
   * `streams` for one of its `ids`; there, all of it was committed. Not there once the server has ended the lost connection
   * (where it does not notice, after those 30 000 ms), none of it was: run it again. Its events are not to be emitted alone.
   * Without events it is ConnectionLost, without `nothingKept`: look at what the body wrote.
   */
  transaction<A>(body: (tx: Tx) => Promise<A>): Promise<A>
  /**
   * The events of a stream by version, up to its own head; an unknown stream is empty. The loop throws InvalidName,
   * InvalidArgument or UpcastFailed; or Unavailable, where `close` cuts it short.
   */
  read(stream: string, options?: ReadOptions): AsyncIterable<Event>
  /**
   * Subscribes under a name, durably: its place in the log outlives this process, and all engines that subscribe under the name share
   * its partitions. Every event of the filter is handled at least once; what `transactional` handlers write with `context.tx`,
   * exactly once. `from` counts where it is made (default: now). Rejects with SubscriptionChanged where the name has another
   * filter, AlreadySubscribed, InvalidArgument, InvalidName, LogRewound or TokenTooOld.
   */
  subscribe<const O extends DurableOptions>(
    options: O,
    handler: DurableHandler<O, Tx>
  ): Promise<DurableSubscription>
  /**
   * Hands every event of a filter to a handler, one after the other, in order of position, waiting for a promise it returns.
   * Default: from now on; resolves when that point is known. Rejects with InvalidArgument, InvalidName, LogRewound (`from` is not of this log any
   * more) or TokenTooOld (retention has dropped telemetry after it that the filter may want); what goes wrong later is in `Subscription.done`.
   */
  subscribe(options: SubscribeOptions, handler: Handler): Promise<Subscription>
  /** What can be done to a durable subscription from any engine: status, pause, resume, rewind, change, delete, what is parked. */
  subscription(name: string): SubscriptionControl
  /** How all durable subscriptions stand, whoever works on them. */
  subscriptions(): Promise<ReadonlyArray<DurableStatus>>
  /**
   * The events of a filter as they come. It begins when the loop begins: by default with what is appended from then on. Leaving
   * the loop ends it, and so does `close`. Up to 256 events or some 8 MiB are read ahead. The loop throws InvalidArgument, InvalidName,
   * LogRewound, TokenTooOld or UpcastFailed.
   */
  events(options?: SubscribeOptions): AsyncIterable<Event>
  /**
   * The agents of the fleet: register, update, stop, retire, look up. What would change a retired one rejects with NotAllowed (`tidemark/errors`);
   * to register it anew does not.
   */
  readonly agents: ReadModel<"agents">
  /**
   * Alerts, which one engine of the fleet at a time raises and clears by rules: set, remove and look up rules; list and acknowledge alerts. Rejects with
   * NotFound where there is no such rule or alert, and with NotAllowed where an alert is over: classes of `tidemark/errors`. To hear of them:
   *
   * ```ts
   * await engine.subscribe({ name: "pager", categories: ["alert"], types: ["AlertRaised"], labels: ["severity:CRITICAL"] }, page)
   * ```
   */
  readonly alerts: ReadModel<"alerts"> & ReadModel<"alert_rules">
  /**
   * Messages between agents: send to one or to all, look into an inbox, acknowledge. Rejects with NotFound (`tidemark/errors`) where a message is
   * acknowledged that did not go to that agent. What comes into an inbox is followed live by its two streams, of which nothing is
   * missed or told twice from a position or a token on:
   *
   * ```ts
   * await engine.subscribe(
   *   { streams: [`inbox-${agent}`, "broadcast-all"], types: ["MessageSent"] },
   *   (event) => engine.communications.acknowledge({ agent, message: event.id })
   * )
   * ```
   */
  readonly communications: ReadModel<"communications">
  /**
   * Conversations with language models: record an exchange, look up, and sum up by agent, model or day. A cost is a decimal, given as text or as a
   * number that stands for the decimal it is written as, and given back as text; sums are exact. All costs are taken to be of one currency.
   */
  readonly conversations: ReadModel<"conversations">
  /**
   * How the agents are: how many are healthy, late or lost, and which are not well. One engine of the fleet at a time watches them, and says so by
   * events in the streams `health-<agent>`: `AgentRanLate` after two missed beats, `AgentLost` after three, `AgentRecovered` at the next beat.
   *
   * ```ts
   * await engine.subscribe({ name: "pager", categories: ["health"], types: ["AgentLost"] }, page)
   * ```
   */
  readonly vitals: ReadModel<"vitals">
  /** The agents' signs of life: record, look up, and tell how one is by its interval. */
  readonly heartbeats: ReadModel<"heartbeats">
  /**
   * Requests for help: ask, answer, take into work, close, reopen, look up. Rejects with NotFound where there is no such request, and with
   * NotAllowed where its status does not allow what is asked for: classes of `tidemark/errors`.
   */
  readonly help: ReadModel<"help">
  /**
   * The agents' measurements: record, list, sum up. A summary is read from rollups by the minute and hour, however many measurements there are:
   * its first minute is whole, quantiles are within 2 % of the exact ones, and all else is exact.
   */
  readonly metrics: ReadModel<"metrics"> & ReadModel<"metric_rollups">
  /**
   * Sessions of users and agents, which expire by themselves when nothing is heard of them: create, touch, end, look up. Rejects with NotFound where there is no
   * such session, and with NotAllowed where it is over: classes of `tidemark/errors`. The session of an agent's state is `state.startSession`, and another thing.
   */
  readonly sessions: ReadModel<"sessions">
  /**
   * What happens to the fleet and its agents, by severity: log, list, count. `WARNING` and worse are kept for ever, in the category `system_event`; `DEBUG`
   * and `INFO` until retention drops them, in `system_log`. To hear of them as they come, in all processes:
   *
   * ```ts
   * const bad = ["severity:ERROR", "severity:CRITICAL"]
   * for await (const { data } of engine.events({ categories: ["system_event"], types: ["SystemEventLogged"], labels: bad })) page(data)
   * ```
   *
   * Their labels are `severity:<severity>` and `event:<type>`.
   */
  readonly systemEvents: ReadModel<"system_events">
  /**
   * Values that the fleet shares, by key: set, get, list, remove, look up who set what, when and why. `compareAndSet` sets a value only while the key
   * has the expected one (none, where `expected` is left out), whoever else writes it, and else rejects with NotAsExpected, whose `actual` is what there
   * is; with VersionConflict, where others wrote the expected value again and again all the while.
   */
  readonly systemState: ReadModel<"system_state">
  /**
   * A branch of an agent's state: four tiers of JSON with versions, branches, merges and checkpoints. `main` by default; other branches
   * are `state.on(name)`. Nothing is done before a method is called.
   */
  state(agent: string, options?: StateOptions): EngineState
  /** The states of all agents: find by content, list, decide merges. */
  readonly states: EngineStates
  /** What is kept at hand for a while: JSON under keys, with a time and tags, for all engines of the log. */
  readonly cache: EngineCache
  /** The conflicts of synchronisations and pending merges: list, assign, decide. */
  readonly conflicts: EngineConflicts
  /**
   * Declares what the states of a type of agents, of one agent or of all look like: schemas of tiers, which every update, merge and restore of this
   * engine checks; what new ones begin with; and rules for merges, which are in the log for all. Rejects with InvalidRules, InvalidArgument.
   */
  defineState(definition: StateDefinition): Promise<Defined>
  /** Makes one restore point of several agents' states, as they are at one moment. Rejects with InvalidArgument, UnknownBranch. */
  checkpoint(options: CheckpointOptions & { readonly agents: Agents }): Promise<Checkpoint>
  /** Makes every state that a checkpoint names what it was then: all of them, or none. Rejects with UnknownCheckpoint, CheckpointExpired. */
  restore(
    checkpoint: string | { readonly checkpoint: string },
    options?: RestoreOptions
  ): Promise<ReadonlyArray<Written & { readonly agent: string; readonly branch: string }>>
  /**
   * Brings what an agent's state has of some keys into those of others. Each key is merged with what both had of it when they last met, there or
   * by way of others, so that only what both have changed since can be a conflict: then it is left as it is in that target, and told. Each target
   * succeeds or fails alone; what is taken over is one event of it, for up to 2 000 keys. `state_sync_events` keeps what was done. With `dryRun`
   * nothing is done; with `retry` a target that fails is tried again by and by. Rejects with InvalidArgument, InvalidName, InvalidRules, UnknownBranch, StateCorrupt (the source); of a target, `error` may be
   * these, too, AgentStopped, ProjectionBehind, or InvalidEvent, where a value is too large for an event.
   */
  sync(options: RetriedSyncOptions): Promise<RetriedSynced>
  /**
   * Shares keys from now on: what changes in one of the states comes to the others, each merged as `sync` does it, by way of one hub, so that rings and
   * groups neither echo nor count twice. It outlives this process: one engine of the fleet at a time hears of changes, and whichever is free brings
   * them. What cannot be brought is tried again, then parked (`syncQueue`); conflicts wait in the inbox. Rejects with InvalidArgument,
   * InvalidName, InvalidRules, UnknownBranch (a member that has no state).
   */
  link(options: LinkOptions): Promise<EngineLink>
  /** The links of the fleet. */
  readonly links: EngineLinks
  /** What is still to be brought from one state into another. */
  readonly syncQueue: SyncQueue
  /** The conflicts that `sync` would have with one target. Rejects as `sync` does, and with what is wrong with the target. */
  detectConflicts(options: DetectOptions): Promise<ReadonlyArray<Conflicting>>
  /**
   * Who watches which states, from where and since when: all watches of all engines that are alive, or those of one agent or of branches of
   * one name. A watch is there within a second; it goes when it ends, with its engine, or within `leaseMs` (4 000 ms) of the end of a process
   * that was killed: at once where that was on this machine. What a reader's role or a standby watches is not told.
   */
  presence(filter?: PresenceFilter): Promise<ReadonlyArray<Attendant>>
  /**
   * Makes a read model of the caller's, keeps it up with the log from now on, and returns its operations. Rejects with
   * InvalidDefinition, or DefinitionChanged where its tables were filled by another definition. Its operations reject with
   * InvalidInput; its queries, which wait `readOwnWritesMs` (1 000 ms) for this engine's own writes, with ProjectionBehind
   * or ProjectionStopped, and LogRewound or InvalidArgument where `after` is no token of this log; its commands as `emit` does.
   */
  project<Ops extends Operations>(
    definition: ProjectionDefinition<Ops>
  ): Promise<PromisedOperations<Bound<Ops>>>
  /** The position up to which no event can appear any more. */
  settled(): Promise<number>
  /** How the log, this engine's part in it, and its read models stand now. Ages are in ms. */
  status(): Promise<EngineStatus>
  /**
   * Ends subscriptions, each after the event it is at, waited for up to 5 000 ms; lets read models finish their batch for up
   * to 5 000 ms; sends what was emitted for up to 10 000 ms, after which emits reject with Unavailable or OutcomeUnknown;
   * leaves what it owned to the other engines, for up to 1 000 ms; gives transactions that are still open up to 3 000 ms, and
   * closes the connections. An embedded server stops with its
   * last user. May be called again.
   */
  close(): Promise<void>
}
