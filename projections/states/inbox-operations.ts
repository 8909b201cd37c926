import { Schema } from "effect"
import { query } from "../../src/projection/operation.ts"
import { Conflicting } from "../../src/state/error.ts"

const DEFAULT_LIMIT = 100
const MOST = 1_000

const Kind = Schema.Literals(["sync", "merge"])

/** `decided`: somebody has, and it is not in the target yet. `aborted`: the merge was given up. */
const Status = Schema.Literals(["open", "decided", "resolved", "expired", "aborted"])

/** A conflict of synchronisations, or of a merge. Ours is what the target has, theirs what the source has. */
export const InboxEntry = Schema.Struct({
  id: Schema.String,
  kind: Kind,
  status: Status,
  source: Schema.String,
  sourceBranch: Schema.String,
  target: Schema.String,
  targetBranch: Schema.String,
  path: Schema.String,
  /** The values on both sides and before, who and why, and the rule that did not fit. */
  conflict: Conflicting,
  /** The keys that are left because of it, as RFC 6901 pointers. */
  keys: Schema.Array(Schema.String),
  /** The synchronisation that last found it. */
  sync: Schema.NullOr(Schema.String),
  merge: Schema.NullOr(Schema.String),
  /** The rules that were given with that synchronisation, before those that are declared. */
  rules: Schema.Array(Schema.Record(Schema.String, Schema.Json)),
  /** When it was found, when last, and how often. */
  openedAt: Schema.Date,
  seenAt: Schema.Date,
  times: Schema.Int,
  assignee: Schema.NullOr(Schema.String),
  /** Null where nobody decided it: the target has taken the key over otherwise, or there was no conflict any more. */
  resolution: Schema.Json,
  resolvedBy: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  resolvedAt: Schema.NullOr(Schema.Date)
})
export type InboxEntry = typeof InboxEntry.Type

export const inbox = query({
  name: "states.inbox",
  description:
    "Conflicts of synchronisations and merges, the newest first: of an agent on either side or of all; of one assignee; in one status, or of one kind; or one of them.",
  scope: "states:read",
  input: Schema.Struct({
    agent: Schema.optionalKey(Schema.NonEmptyString),
    assignee: Schema.optionalKey(Schema.NonEmptyString),
    status: Schema.optionalKey(Status),
    kind: Schema.optionalKey(Kind),
    id: Schema.optionalKey(Schema.String.check(Schema.isUUID())),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(MOST)))
  }),
  output: Schema.Array(InboxEntry),
  example: { status: "open" },
  run: (
    { agent = null, assignee = null, status = null, kind = null, id = null, limit = DEFAULT_LIMIT },
    context
  ) => context.query<InboxEntry>("#projections/states/inbox.sql", [agent, assignee, status, kind, id, limit])
})
