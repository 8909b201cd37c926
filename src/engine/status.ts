import { Effect } from "effect"
import { Consumers } from "../consumer/consumers.ts"
import type { DurableStatus } from "../consumer/status.ts"
import { Appender } from "../log/appender.ts"
import type { AppenderStatus } from "../log/lanes.ts"
import { Barrier } from "../log/barrier.ts"
import { EventLog } from "../log/event-log.ts"
import { Feed } from "../log/feed.ts"
import { LogIdentity } from "../log/identity.ts"
import type { Holder as LockHolder, Pages } from "../log/page.ts"
import type { SubscriptionStatus } from "../log/subscription.ts"
import { type TelemetryStatus, telemetryStatus } from "../log/telemetry-partitions.ts"
import { Wake, type WakeStatus } from "../log/wake.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { Projections } from "../projection/projections.ts"
import { Links } from "../sync/link/links.ts"
import type { QueueStanding } from "../sync/queue/work.ts"
import {
  type ProjectionStanding,
  rebuildsUnderWay,
  type RebuildStanding,
  standings
} from "../projection/standing.ts"

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
  /** A pooler is between this engine and the server: statements are not prepared, and a session keeps nothing. */
  readonly pooled: boolean
  /** Up to here no event can appear any more; while the tail is held, as far as is known without waiting for who holds it. */
  readonly settled: number
  /** How long the oldest event that readers must not see yet has been there, in ms; 0 where there is none. */
  readonly unsettledForMs: number
  /** The highest position drawn; higher than `settled` while appends are under way, and after rollbacks. */
  readonly head: number
  readonly feed: {
    /** Undefined while nobody subscribes. */
    readonly position: number | undefined
    /** How long this engine's readers have seen the tail held up by an append under way, in ms; 0 where it is not, or they have not. */
    readonly heldForMs: number
    /** Whose appends under way keep events that are there already from readers, in this moment. */
    readonly heldBy: ReadonlyArray<Holder>
    readonly error: string | undefined
  }
  readonly emit: AppenderStatus
  readonly wake: WakeStatus
  readonly telemetry: TelemetryStatus
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

interface Standing {
  readonly settled: number
  /** Who holds up what is there above `settled`. */
  readonly holders: ReadonlyArray<LockHolder>
}

/** Where the log is settled, as far as one look tells: whoever asks how the log stands must not wait for who holds it. */
const standing = (
  pages: Pages,
  standby: boolean,
  handedOver: number
): Effect.Effect<Standing, PostgresError> =>
  Effect.gen(function* () {
    if (standby) return { settled: yield* pages.settledPosition(), holders: [] }
    const highest = yield* pages.highestPosition()
    const holders = yield* pages.lockHolders()
    const known = Math.max(yield* pages.settledPosition(), handedOver)
    const barrier = new Barrier(highest, holders)
    if (highest <= known || barrier.isPassed(holders))
      return { settled: Math.max(highest, known), holders: [] }
    const { contiguous = known } = yield* pages.extent(known)
    return { settled: contiguous, holders: contiguous < highest ? barrier.heldBy(holders) : [] }
  })

/** How the log and this engine's part in it stand now. */
export const logStatus = Effect.gen(function* () {
  const postgres = yield* Postgres
  const feed = yield* Feed
  const logIdentity = yield* LogIdentity
  const look = Effect.suspend(() => standing(feed.pages, logIdentity.current().standby, feed.position() ?? 0))
  yield* Effect.ignore(logIdentity.sure)
  const { settled, holders } = yield* Effect.catch(look, (error) => {
    if (error.reason._tag !== "ReadOnly") return Effect.fail(error)
    // It has become a standby since it was asked.
    logIdentity.doubt()
    return Effect.andThen(Effect.ignore(logIdentity.sure), look)
  })
  const unsettledForMs = holders.length === 0 ? 0 : ((yield* feed.pages.oldestAbove(settled)) ?? 0)
  const { rows } = yield* postgres.query<{ head: string }>(statement("head_position", postgres.schema).text)
  const head = Number(rows[0]!.head)
  const identity = logIdentity.current()
  const tail = feed.status()
  const status: LogStatus = {
    log: identity.id,
    epoch: identity.epoch,
    schema: postgres.schema,
    standby: identity.standby,
    pooled: postgres.isPooled(),
    settled,
    unsettledForMs,
    head,
    feed: {
      position: tail?.position,
      heldForMs: tail?.holdup === undefined ? 0 : Date.now() - tail.holdup.since,
      heldBy: yield* namedHolders(postgres, holders),
      error: tail?.error?.message
    },
    emit: (yield* Appender).status(),
    wake: (yield* Wake).status(),
    telemetry: yield* telemetryStatus(postgres, head, identity.standby),
    subscriptions: (yield* EventLog).subscriptions().map((subscription) => subscription.status())
  }
  return status
})

export interface EngineStatus extends LogStatus {
  readonly projections: ReadonlyArray<ProjectionStanding>
  readonly rebuilds: ReadonlyArray<RebuildStanding>
  /** The durable subscriptions of the log, whichever engines work on them. */
  readonly durable: ReadonlyArray<DurableStatus>
  /** What is still to be brought from one state into another, by whichever engine. */
  readonly sync: QueueStanding
}

/** How the log, this engine's part in it, and its read models stand now. */
export const engineStatus = Effect.gen(function* () {
  const log = yield* logStatus
  const postgres = yield* Postgres
  const projections = yield* Projections
  const definitions = projections.definitions()
  const typesOf = (name: string) => definitions.get(name)!.events.map(({ type }) => type)
  const status: EngineStatus = {
    ...log,
    projections: yield* standings(postgres, projections.status(), typesOf, log.settled),
    rebuilds: yield* rebuildsUnderWay(postgres),
    durable: yield* (yield* Consumers).status,
    sync: yield* (yield* Links).standing
  }
  return status
})
