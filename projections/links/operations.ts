import { Schema } from "effect"
import { query } from "../../src/projection/operation.ts"
import { LinkMember } from "../../src/sync/link/event.ts"

const DEFAULT_LIMIT = 100
const MOST = 1_000

const LinkStatus = Schema.Literals(["active", "paused", "ended"])

/** Branches that share keys, and how that stands. */
export const StateLink = Schema.Struct({
  link: Schema.String,
  /** The agent whose state, on main, has what is shared. */
  hub: Schema.String,
  members: Schema.Array(LinkMember),
  /** As RFC 6901 pointers. */
  keys: Schema.Array(Schema.String),
  tiers: Schema.Array(Schema.String),
  strategy: Schema.String,
  rules: Schema.Json,
  priority: Schema.String,
  status: LinkStatus,
  createdBy: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  createdAt: Schema.Date,
  changedAt: Schema.Date
})
export type StateLink = typeof StateLink.Type

export const list = query({
  name: "links.list",
  description: "Links, the newest first, of an agent or of all, in one status or in any.",
  scope: "links:read",
  input: Schema.Struct({
    agent: Schema.optionalKey(Schema.NonEmptyString),
    status: Schema.optionalKey(LinkStatus),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(MOST)))
  }),
  output: Schema.Array(StateLink),
  example: { status: "active" },
  run: ({ agent = null, status = null, limit = DEFAULT_LIMIT }, context) =>
    context.query<StateLink>("#projections/links/list.sql", [agent, status, limit])
})
