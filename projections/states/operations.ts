import { Schema } from "effect"
import { query } from "../../src/projection/operation.ts"

const READ = "states:read"

const Agent = Schema.NonEmptyString
const Limit = Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1_000))

const DEFAULT_LIMIT = 100

const Version = Schema.Int

/** A branch of an agent's state. */
export const StateBranch = Schema.Struct({
  branch: Schema.String,
  version: Version,
  hash: Schema.String,
  description: Schema.NullOr(Schema.String),
  agentType: Schema.NullOr(Schema.String),
  session: Schema.NullOr(Schema.String),
  sessionEndsAt: Schema.NullOr(Schema.Date),
  parent: Schema.NullOr(Schema.String),
  parentVersion: Schema.NullOr(Version),
  createdAt: Schema.Date,
  changedAt: Schema.Date,
  deletedAt: Schema.NullOr(Schema.Date),
  isDamaged: Schema.Boolean
})
export type StateBranch = typeof StateBranch.Type

export const branches = query({
  name: "states.branches",
  description: "The branches of an agent's state, by name; on request also those that were deleted.",
  scope: READ,
  input: Schema.Struct({ agent: Agent, deleted: Schema.optionalKey(Schema.Boolean) }),
  output: Schema.Array(StateBranch),
  example: { agent: "billing-7" },
  run: ({ agent, deleted = false }, context) =>
    context.query<StateBranch>("#projections/states/branches.sql", [agent, deleted])
})

/** A tag: a name for a version of a branch. */
export const StateTag = Schema.Struct({
  tag: Schema.String,
  branch: Schema.String,
  version: Version,
  commit: Schema.NullOr(Schema.String),
  taggedBy: Schema.NullOr(Schema.String),
  taggedAt: Schema.Date
})
export type StateTag = typeof StateTag.Type

export const tags = query({
  name: "states.tags",
  description: "The tags of an agent's state, by name.",
  scope: READ,
  input: Schema.Struct({ agent: Agent }),
  output: Schema.Array(StateTag),
  example: { agent: "billing-7" },
  run: ({ agent }, context) => context.query<StateTag>("#projections/states/tags.sql", [agent])
})

/** A restore point of one branch; those of several at one moment share an id. */
export const StateCheckpoint = Schema.Struct({
  checkpoint: Schema.String,
  agent: Schema.String,
  branch: Schema.String,
  version: Version,
  hash: Schema.String,
  type: Schema.String,
  description: Schema.NullOr(Schema.String),
  metadata: Schema.Json,
  retention: Schema.String,
  expiresAt: Schema.NullOr(Schema.Date),
  createdBy: Schema.NullOr(Schema.String),
  createdAt: Schema.Date,
  droppedAt: Schema.NullOr(Schema.Date),
  droppedBecause: Schema.NullOr(Schema.String)
})
export type StateCheckpoint = typeof StateCheckpoint.Type

export const checkpoints = query({
  name: "states.checkpoints",
  description: "Checkpoints, the newest first, of an agent or of all; on request also those that are over.",
  scope: READ,
  input: Schema.Struct({
    agent: Schema.optionalKey(Agent),
    dropped: Schema.optionalKey(Schema.Boolean),
    limit: Schema.optionalKey(Limit)
  }),
  output: Schema.Array(StateCheckpoint),
  example: { agent: "billing-7" },
  run: ({ agent = null, dropped = false, limit = DEFAULT_LIMIT }, context) =>
    context.query<StateCheckpoint>("#projections/states/checkpoints.sql", [agent, dropped, limit])
})

const MergeStatus = Schema.Literals(["pending", "merged", "aborted"])

/** A merge of two branches. */
export const StateMerge = Schema.Struct({
  merge: Schema.String,
  agent: Schema.String,
  source: Schema.String,
  sourceVersion: Version,
  target: Schema.String,
  targetVersion: Version,
  mode: Schema.String,
  strategy: Schema.String,
  status: MergeStatus,
  mergedVersion: Schema.NullOr(Version),
  author: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  openedAt: Schema.Date,
  endedAt: Schema.NullOr(Schema.Date),
  openConflicts: Schema.Int
})
export type StateMerge = typeof StateMerge.Type

export const merges = query({
  name: "states.merges",
  description: "Merges, the newest first, of an agent or of all, in one status or in any.",
  scope: READ,
  input: Schema.Struct({
    agent: Schema.optionalKey(Agent),
    status: Schema.optionalKey(MergeStatus),
    limit: Schema.optionalKey(Limit)
  }),
  output: Schema.Array(StateMerge),
  example: { status: "pending" },
  run: ({ agent = null, status = null, limit = DEFAULT_LIMIT }, context) =>
    context.query<StateMerge>("#projections/states/merges.sql", [agent, status, limit])
})

/** A conflict of a merge, and what was decided about it. */
export const StateConflictRow = Schema.Struct({
  path: Schema.String,
  kind: Schema.String,
  conflict: Schema.Json,
  resolution: Schema.Json,
  resolvedBy: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  resolvedAt: Schema.NullOr(Schema.Date)
})
export type StateConflictRow = typeof StateConflictRow.Type

export const conflicts = query({
  name: "states.conflicts",
  description: "The conflicts of a merge, by path, decided ones included.",
  scope: READ,
  input: Schema.Struct({ merge: Schema.String.check(Schema.isUUID()) }),
  output: Schema.Array(StateConflictRow),
  example: { merge: "01890a5d-ac96-774b-bcce-b302099a8057" },
  run: ({ merge }, context) => context.query<StateConflictRow>("#projections/states/conflicts.sql", [merge])
})

const Values = Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))

const Contents = Schema.Struct({ local: Values, shared: Values, session: Values, persistent: Values })

export const find = query({
  name: "states.find",
  description:
    "The agents whose state, on main, holds some values: objects match where they hold the same, arrays where they have such elements.",
  scope: READ,
  input: Schema.Struct({
    where: Contents,
    limit: Schema.optionalKey(Limit),
    after: Schema.optionalKey(Schema.String)
  }),
  output: Schema.Array(Schema.Struct({ agent: Schema.String })),
  example: { where: { shared: { goal: "x" } } },
  run: ({ where, limit = DEFAULT_LIMIT, after = null }, context) =>
    context.query<{ agent: string }>("#projections/states/find.sql", [...columnsOf(where), limit, after])
})

/** The tiers, the keys and the values of what is looked for, as the query takes them. */
const columnsOf = (where: typeof Contents.Type): ReadonlyArray<ReadonlyArray<string>> => {
  const wanted = Object.entries(where).flatMap(([tier, values]) =>
    Object.entries(values ?? {}).map(([key, value]) => [tier, key, JSON.stringify(value)] as const)
  )
  return [0, 1, 2].map((column) => wanted.map((one) => one[column]!))
}

/** What there is of an agent's state. */
export const StateStatistics = Schema.Struct({
  agent: Schema.String,
  branches: Schema.Int,
  versions: Schema.Int,
  keys: Schema.Int,
  bytes: Schema.Int,
  tags: Schema.Int,
  checkpoints: Schema.Int,
  openMerges: Schema.Int,
  createdAt: Schema.Date,
  changedAt: Schema.Date
})
export type StateStatistics = typeof StateStatistics.Type

export const statistics = query({
  name: "states.statistics",
  description: "What there is of an agent's state, or of all, a row per agent.",
  scope: READ,
  input: Schema.Struct({ agent: Schema.optionalKey(Agent), limit: Schema.optionalKey(Limit) }),
  output: Schema.Array(StateStatistics),
  example: { agent: "billing-7" },
  run: ({ agent = null, limit = DEFAULT_LIMIT }, context) =>
    context.query<StateStatistics>("#projections/states/statistics.sql", [agent, limit])
})
