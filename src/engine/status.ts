import { Effect } from "effect"
import { Appender } from "../log/appender.ts"
import type { AppenderStatus } from "../log/lanes.ts"
import { EventLog } from "../log/event-log.ts"
import { Feed } from "../log/feed.ts"
import { LogIdentity } from "../log/identity.ts"
import type { SubscriptionStatus } from "../log/subscription.ts"
import { Wake, type WakeStatus } from "../log/wake.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { Projections } from "../projection/projections.ts"
import type { ProjectionStatus } from "../projection/status.ts"

/** Who keeps the end of the log from settling. */
export interface Holder {
  /** The backend; null for a prepared transaction. */
  readonly pid: number | null
  readonly application: string | null
  readonly user: string | null
  readonly state: string | null
  /** How long its transaction has been open, in ms; null where that cannot be seen. */
  readonly ageMs: number | null
  readonly queryStartedAt: Date | null
}

export interface LogStatus {
  readonly log: string
  readonly epoch: number
  readonly schema: string
  readonly standby: boolean
  /** Up to here no event can appear any more. */
  readonly settled: number
  /** The highest position drawn; higher than `settled` while appends are under way, and after rollbacks. */
  readonly head: number
  readonly feed: {
    /** Undefined while nobody subscribes. */
    readonly position: number | undefined
    /** How long the tail has been held up by an append under way, in ms; 0 where it is not. */
    readonly heldForMs: number
    readonly heldBy: ReadonlyArray<Holder>
    readonly error: string | undefined
  }
  readonly emit: AppenderStatus
  readonly wake: WakeStatus
  readonly subscriptions: ReadonlyArray<SubscriptionStatus>
}

interface HolderRow {
  readonly pid: number
  readonly application: string | null
  readonly user: string | null
  readonly state: string | null
  readonly age_ms: number | null
  readonly query_start: Date | null
}

const PREPARED: Holder = {
  pid: null,
  application: null,
  user: null,
  state: "prepared transaction",
  ageMs: null,
  queryStartedAt: null
}

const namedHolders = (
  postgres: Postgres["Service"],
  holders: ReadonlyArray<{ readonly pid: number | null }>
): Effect.Effect<ReadonlyArray<Holder>, PostgresError> => {
  const pids = holders.flatMap((holder) => (holder.pid === null ? [] : [holder.pid]))
  const prepared = holders.filter((holder) => holder.pid === null).map(() => PREPARED)
  if (pids.length === 0) return Effect.succeed(prepared)
  const { text } = statement("name_holders", postgres.schema)
  return Effect.map(postgres.query<HolderRow>(text, [pids]), ({ rows }) => [
    ...rows.map((row): Holder => ({
      pid: row.pid,
      application: row.application,
      user: row.user,
      state: row.state,
      ageMs: row.age_ms,
      queryStartedAt: row.query_start
    })),
    ...prepared
  ])
}

/** How the log and this engine's part in it stand now. */
export const logStatus = Effect.gen(function* () {
  const postgres = yield* Postgres
  const feed = yield* Feed
  const identity = (yield* LogIdentity).current()
  const tail = feed.status()
  const holdup = tail?.holdup
  const settled = yield* feed.settled
  const { rows } = yield* postgres.query<{ head: string }>(statement("head_position", postgres.schema).text)
  const status: LogStatus = {
    log: identity.id,
    epoch: identity.epoch,
    schema: postgres.schema,
    standby: identity.standby,
    settled,
    head: Number(rows[0]!.head),
    feed: {
      position: tail?.position,
      heldForMs: holdup === undefined ? 0 : Date.now() - holdup.since,
      heldBy: holdup === undefined ? [] : yield* namedHolders(postgres, holdup.holders),
      error: tail?.error?.message
    },
    emit: (yield* Appender).status(),
    wake: (yield* Wake).status(),
    subscriptions: (yield* EventLog).subscriptions().map((subscription) => subscription.status())
  }
  return status
})

export interface EngineStatus extends LogStatus {
  readonly projections: ReadonlyArray<ProjectionStatus>
}

/** How the log, this engine's part in it, and its read models stand now. */
export const engineStatus = Effect.gen(function* () {
  const log = yield* logStatus
  const status: EngineStatus = { ...log, projections: (yield* Projections).status() }
  return status
})
