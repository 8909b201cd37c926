import { Schema } from "effect"
import { query } from "../../src/projection/operation.ts"

const DEFAULT_LIMIT = 100
const MOST = 1_000

const SyncStatus = Schema.Literals(["synced", "conflicts", "failed"])

/** What a synchronisation has taken over to one target, or left there. */
export const StateSync = Schema.Struct({
  sync: Schema.String,
  source: Schema.String,
  sourceBranch: Schema.String,
  sourceVersion: Schema.Int,
  target: Schema.String,
  targetBranch: Schema.String,
  /** Null where nothing was taken over. */
  targetVersion: Schema.NullOr(Schema.Int),
  type: Schema.String,
  /** As RFC 6901 pointers. */
  keys: Schema.Array(Schema.String),
  status: SyncStatus,
  /** The name of the error that it failed with. */
  failed: Schema.NullOr(Schema.String),
  strategy: Schema.String,
  conflictsDetected: Schema.Int,
  conflictsResolved: Schema.Int,
  durationMs: Schema.Int,
  actor: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  at: Schema.Date
})
export type StateSync = typeof StateSync.Type

export const syncs = query({
  name: "states.syncs",
  description:
    "What synchronisations have taken over and left, the newest first: of an agent on either side or of all; one of them; in one status.",
  scope: "states:read",
  input: Schema.Struct({
    agent: Schema.optionalKey(Schema.NonEmptyString),
    sync: Schema.optionalKey(Schema.String.check(Schema.isUUID())),
    status: Schema.optionalKey(SyncStatus),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(MOST)))
  }),
  output: Schema.Array(StateSync),
  example: { agent: "billing-7" },
  run: ({ agent = null, sync = null, status = null, limit = DEFAULT_LIMIT }, context) =>
    context.query<StateSync>("#projections/states/syncs.sql", [agent, sync, status, limit])
})
