/**
 * Every class of error that a caller of Tidemark can catch, by name. The main entry has those that nearly every program decides by; here are
 * also those that say that something is set up wrongly: of opening, of the embedded server, of definitions, rebuilds and subscriptions.
 */
export {
  AlreadySubscribed,
  HandlingCut,
  NotParked,
  SubscriptionChanged,
  SubscriptionDeleted,
  SubscriptionStopped,
  UnknownSubscription
} from "./consumer/error.ts"
export { WebhookFailed } from "./engine/alerting/webhook.ts"
export { NoDatabase } from "./engine/configuration.ts"
export { InvalidConfiguration } from "./engine/settings/error.ts"
export { MaintenanceUnderWay } from "./engine/maintenance/error.ts"
export { ArchiveDamaged, ArchiveNotWritten, RetentionUnderWay } from "./engine/retention/error.ts"
export {
  DuplicateEvent,
  InvalidArgument,
  InvalidEvent,
  InvalidName,
  LogRewound,
  OutcomeUnknown,
  TokenTooOld,
  Unavailable,
  UpcastFailed,
  VersionConflict
} from "./log/error.ts"
export { PositionsExhausted, UnsoundSequence } from "./log/identity.ts"
export { HandlerFailed } from "./log/subscription.ts"
export {
  AgentStopped,
  BranchExists,
  BranchProtected,
  CheckpointExpired,
  ConflictEnded,
  ConflictMoved,
  InvalidChange,
  InvalidRules,
  LinkEnded,
  MergeEnded,
  MergeUnresolved,
  NotFastForward,
  ParentCorrupt,
  PatchRefused,
  StateConflict,
  StateCorrupt,
  StateInvalid,
  TagExists,
  UnknownBranch,
  UnknownCheckpoint,
  UnknownConflict,
  UnknownLink,
  UnknownMerge,
  UnknownRef
} from "./state/error.ts"
export {
  BadConnectionString,
  TlsFileUnreadable,
  TlsRefused,
  TlsUnverified
} from "./postgres/connection-error.ts"
export {
  BinariesMissing,
  DirectoryInUse,
  DirectoryNotOurs,
  DirectoryUnreachable,
  NoFreePort,
  NoRoom,
  NoServerUser,
  OtherMajorVersion,
  ServerDidNotStart
} from "./postgres/embedded/embedded-error.ts"
export {
  AccessDenied,
  Busy,
  ConnectionLost,
  Contention,
  DiskFull,
  InvalidData,
  LockTimeout,
  ReadOnly,
  Rejected,
  ReplicaBehind,
  RolledBack,
  StatementTimeout,
  TransactionEnded,
  UniqueViolation,
  Unreachable
} from "./postgres/error.ts"
export { InvalidIdentifier } from "./postgres/identifier.ts"
export { MigrationChanged, SchemaFromTheFuture, ServerTooOld } from "./postgres/migrate.ts"
export {
  DefinitionChanged,
  InvalidDefinition,
  InvalidInput,
  NotAllowed,
  NotAsExpected,
  NotFound,
  ProjectionBehind,
  ProjectionStopped,
  UnknownProjection
} from "./projection/error.ts"
export {
  GenerationTooOld,
  NoGenerationKept,
  OlderDefinition,
  RebuildDiffers,
  RebuildFailed,
  RebuildLost,
  RebuildUnderWay,
  SchemaInUse,
  ViewsInTheWay,
  WhatIfUnderWay
} from "./projection/rebuild/error.ts"
