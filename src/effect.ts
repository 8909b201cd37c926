/**
 * The Effect face: the same engine as services and layers. `layer(options)` provides them all.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const log = yield* EventLog
 *   yield* log.emit("agent-1", { type: "Woke" })
 * })
 * await Effect.runPromise(program.pipe(Effect.provide(layer({ database: "postgres://…" }))))
 * ```
 */
import type { Layer } from "effect"
import type { OpenOptions } from "./engine/configuration.ts"
import { engineLayer } from "./engine/layers.ts"

/** Everything an engine is made of, opened for the time of the layer's scope. */
export const layer = (options: OpenOptions = {}): ReturnType<typeof engineLayer> =>
  engineLayer(options, process.env)

export type EngineError = Layer.Error<ReturnType<typeof engineLayer>>
export { Cache } from "./cache/cache.ts"
export type { CacheOptions, CacheSetOptions } from "./cache/entry.ts"
export type { CacheCounts, CacheStatistics, NamespaceCounts } from "./cache/statistics.ts"
export { Consumers, type Membership } from "./consumer/consumers.ts"
export type { Control } from "./consumer/control.ts"
export { ConsumerError, type ConsumerReason, HandlingCut } from "./consumer/error.ts"
export type { HeldEvent } from "./consumer/held.ts"
export type {
  ConsumeOptions,
  DurableHandler,
  HandlerContext,
  RetryOptions,
  TransactionalContext
} from "./consumer/options.ts"
export type { DurableStatus } from "./consumer/status.ts"
export { NoDatabase, type OpenOptions } from "./engine/configuration.ts"
export { InvalidConfiguration } from "./engine/settings/error.ts"
export { type Diagnosis, type DoctorOptions, doctorIn as doctor } from "./engine/doctor/doctor.ts"
export {
  type Maintained,
  maintainIn as maintain,
  maintenanceHistory,
  type MaintainOptions,
  type MaintenanceReport
} from "./engine/maintenance/maintaining.ts"
export type { RetentionReport, RetentionStep } from "./engine/retention/report.ts"
export { archivedIn as archived } from "./engine/retention/archived.ts"
export { retainIn as retain, type RetainOptions } from "./engine/retention/retaining.ts"
export type {
  ContextOptions,
  FleetContext,
  Hit,
  HealthCheck,
  Indicator,
  SearchKind,
  SearchOptions,
  Statistics,
  SystemHealth
} from "./engine/overseeing.ts"
export { Search } from "./engine/search/search.ts"
export { Oversight } from "./engine/oversight/oversight.ts"
export { ReadModels } from "./engine/read-models.ts"
export { type EngineStatus, engineStatus, type LogStatus } from "./engine/status.ts"
export { Appender } from "./log/appender.ts"
export type { Audit, AuditEntry, AuditOptions, AuditSubject } from "./log/audit/subject.ts"
export { LogError, type LogReason } from "./log/error.ts"
export type { Appended, Event, ExpectedVersion, Meta, NewEvent, Part, Placed } from "./log/event.ts"
export { EventLog, type SubscribeOptions } from "./log/event-log.ts"
export { eventType, type EventType, type Upcast } from "./log/event-type.ts"
export { Feed } from "./log/feed.ts"
export type { Filter } from "./log/filter.ts"
export { LogIdentity, PositionsExhausted, UnsoundSequence } from "./log/identity.ts"
export { liveEvents } from "./log/live-events.ts"
export type { ReadOptions } from "./log/read-stream.ts"
export type { ReplayError } from "./log/replay/replay.ts"
export type { ReplayOptions } from "./log/replay/replay-options.ts"
export type { From } from "./log/resume.ts"
export {
  type Handler,
  HandlerFailed,
  type Subscription,
  type SubscriptionStatus
} from "./log/subscription.ts"
export type { EmitOptions, Transaction } from "./log/transaction.ts"
export { Wake } from "./log/wake.ts"
export { ConnectionError, type ConnectionReason } from "./postgres/connection-error.ts"
export type { ConnectionSettings } from "./postgres/connection-settings.ts"
export { EmbeddedError, type EmbeddedReason } from "./postgres/embedded/embedded-error.ts"
export type { EmbeddedOptions } from "./postgres/embedded/server.ts"
export { PostgresError, type PostgresReason } from "./postgres/error.ts"
export { InvalidIdentifier } from "./postgres/identifier.ts"
export { MigrationError, type MigrationReason } from "./postgres/migrate.ts"
export { type Connection, Postgres, type Rows } from "./postgres/postgres.ts"
export {
  entities,
  type EntitiesShape,
  projection,
  type ProjectionDefinition,
  rows,
  type RowsShape
} from "./projection/definition.ts"
export { ProjectionError, type ProjectionReason } from "./projection/error.ts"
export { command, type Operation, type OperationContext, query } from "./projection/operation.ts"
export { Projections } from "./projection/projections.ts"
export type { RebuildProgress } from "./projection/rebuild/pace.ts"
export type { RebuildOptions, RebuildReport } from "./projection/rebuild/rebuild.ts"
export { Rebuilds } from "./projection/rebuild/rebuilds.ts"
export type { RollbackReport } from "./projection/rebuild/rollback.ts"
export type { WhatIf, WhatIfReport } from "./projection/rebuild/what-if.ts"
export { type AgentState, agentState } from "./state/agent-state.ts"
export { StateError, type StateReason } from "./state/error.ts"
export { StatesWithin } from "./state/change/within.ts"
export { type StateOptions, States } from "./state/states.ts"
export { assignConflict } from "./sync/conflicts/assigning.ts"
export { decideConflict } from "./sync/conflicts/deciding.ts"
export { expireConflicts } from "./sync/conflicts/expiring.ts"
export type { PathChange } from "./sync/path-changes.ts"
export { Links } from "./sync/link/links.ts"
export { type Attendance, type Attendant, Presence, type PresenceFilter } from "./sync/presence.ts"
export { detectConflicts, syncStates } from "./sync/sync.ts"
export { type ChangeHandler, type Watch, watch } from "./sync/watch.ts"
export type { StateChange } from "./sync/state-change.ts"
export type { SqlSource } from "./projection/sql-source.ts"
export type { ProjectionStatus } from "./projection/status.ts"
/** What the queries of the read models give. */
export type { Agent, AgentStatus } from "../projections/agents/agent.ts"
export type { AlertRule } from "../projections/alert-rules/operations.ts"
export type { Alert } from "../projections/alerts/operations.ts"
export type { Message, MessageStanding, Received } from "../projections/communications/operations.ts"
export type { ConversationTotal, Exchange } from "../projections/conversations/operations.ts"
export type { HealthOverview, UnwellAgent } from "../projections/vitals/operations.ts"
export type { Health, Heartbeat } from "../projections/heartbeats/operations.ts"
export type { AnsweredHelpRequest, HelpRequest, HelpResponse } from "../projections/help/operations.ts"
export type { Summary as MetricSummary } from "../projections/metric-rollups/operations.ts"
export type { Metric } from "../projections/metrics/operations.ts"
export type { Session } from "../projections/sessions/operations.ts"
export type { SystemEvent, SystemEventCounts } from "../projections/system-events/operations.ts"
export type { SystemState, SystemStateChange } from "../projections/system-state/operations.ts"
