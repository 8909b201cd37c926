export type { Engine, PromisedOperations, ReadModel, Subscription } from "./engine/engine.ts"
export { open } from "./engine/open.ts"
export type { DurableOptions, DurableSubscription, SubscriptionControl } from "./engine/subscriptions.ts"
export type { Tx } from "./engine/tx.ts"
export type { HeldEvent } from "./consumer/held.ts"
export type {
  DurableHandler,
  HandlerContext,
  RetryOptions,
  TransactionalContext
} from "./consumer/options.ts"
export type { DurableStatus } from "./consumer/status.ts"
export type { OpenOptions } from "./engine/configuration.ts"
export type { EngineStatus, LogStatus } from "./engine/status.ts"
export {
  DuplicateEvent,
  InvalidArgument,
  InvalidEvent,
  InvalidName,
  LogRewound,
  OutcomeUnknown,
  Unavailable,
  UpcastFailed,
  VersionConflict
} from "./log/error.ts"
export type { Audit, AuditEntry, AuditOptions, AuditSubject } from "./log/audit/subject.ts"
export type { Appended, Event, ExpectedVersion, Meta, NewEvent, Part, Placed } from "./log/event.ts"
export type { SubscribeOptions } from "./log/event-log.ts"
export { eventType, type EventType, type Upcast } from "./log/event-type.ts"
export type { Filter } from "./log/filter.ts"
export type { ReadOptions } from "./log/read-stream.ts"
export type { ReplayOptions } from "./log/replay/replay-options.ts"
export type { From } from "./log/resume.ts"
export { type Handler, HandlerFailed, type SubscriptionStatus } from "./log/subscription.ts"
export type { EmitOptions } from "./log/transaction.ts"
export {
  AccessDenied,
  Busy,
  ConnectionLost,
  Contention,
  InvalidData,
  LockTimeout,
  ReadOnly,
  Rejected,
  RolledBack,
  StatementTimeout,
  TransactionEnded,
  UniqueViolation,
  Unreachable
} from "./postgres/error.ts"
export type { ConnectionSettings } from "./postgres/connection-settings.ts"
export type { EmbeddedOptions } from "./postgres/embedded/server.ts"
export {
  entities,
  projection,
  type EntitiesShape,
  type ProjectionDefinition,
  rows,
  type RowsShape
} from "./projection/definition.ts"
export { InvalidInput, ProjectionBehind, ProjectionStopped } from "./projection/error.ts"
export { command, query, type Operation, type OperationContext } from "./projection/operation.ts"
export type { SqlSource } from "./projection/sql-source.ts"
export type { ProjectionStatus } from "./projection/status.ts"
