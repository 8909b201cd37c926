import { Effect, Schema } from "effect"
import { query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { HealthState } from "./interval.ts"

const READ = "vitals:read"

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** Before every id. */
const BEFORE_ALL = ""

const Unwell = Schema.Literals(["late", "lost"])

/** An agent that is late or lost. */
export const UnwellAgent = Schema.Struct({
  agent: Schema.String,
  health: Unwell,
  since: Schema.Date,
  /** How many beats it has missed by now, one after the other. */
  missed: Schema.Int,
  intervalMs: Schema.Int,
  /** Null where it promised to beat, and never did. */
  lastBeatAt: Schema.NullOr(Schema.Date)
})
export type UnwellAgent = typeof UnwellAgent.Type

/** How the agents are that are neither stopped nor retired. */
export const HealthOverview = Schema.Struct({
  /** How many there are in each state of health. */
  counts: Schema.Record(HealthState, Schema.Int),
  /** Those that are late or lost, by id: a page of them. */
  unwell: Schema.Array(UnwellAgent),
  /** What to give as `after` for the next page; null where there is none. */
  next: Schema.NullOr(Schema.String)
})
export type HealthOverview = typeof HealthOverview.Type

interface Count {
  readonly health: HealthState
  readonly agents: number
}

const countsOf = (counted: ReadonlyArray<Count>): HealthOverview["counts"] => {
  const counts = Object.fromEntries(HealthState.literals.map((health) => [health, 0]))
  for (const { health, agents } of counted) counts[health] = agents
  return counts as HealthOverview["counts"]
}

export const overview = query({
  name: "vitals.overview",
  description:
    "How many agents are healthy, late, lost or not known, and those that are late or lost, by id; what comes after an id is the next page.",
  scope: READ,
  input: Schema.Struct({
    /** Those that are late, or those that are lost, alone. */
    health: Schema.optionalKey(Unwell),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))),
    after: Schema.optionalKey(AgentId)
  }),
  output: HealthOverview,
  example: { health: "lost", limit: 20 },
  run: Effect.fnUntraced(function* ({ health, limit = DEFAULT_LIMIT, after = BEFORE_ALL }, context) {
    const wanted = health === undefined ? Unwell.literals : [health]
    const counts = countsOf(yield* context.query<Count>("#projections/vitals/counts.sql"))
    const values = [wanted, after, limit]
    const unwell = yield* context.query<UnwellAgent>("#projections/vitals/unwell.sql", values)
    return { counts, unwell, next: unwell.length < limit ? null : unwell.at(-1)!.agent }
  })
})
