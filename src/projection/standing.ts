import { Effect } from "effect"
import { RATE_WINDOW_MS } from "../base/rate.ts"
import type { Owner } from "../fleet/post.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import type { RecordedError } from "./registry.ts"
import type { ProjectionStatus } from "./status.ts"

/** How many events one look at a projection's lag goes over. */
const LAG_EVENTS = 10_000

/** How a projection stands in the fleet. */
export interface ProjectionStanding extends ProjectionStatus {
  /** The engine that folds it; undefined where none that is alive does. */
  readonly owner: Owner | undefined
  /** How long the oldest event has been there that it has still to fold, in ms; 0 where there is none, undefined where it is too far. */
  readonly lagMs: number | undefined
}

/** A rebuild that is under way, in whichever process. */
export interface RebuildStanding {
  readonly projection: string
  readonly generation: number
  readonly version: number
  /** Everything up to here was folded when it last said so, a second ago at most while it works. */
  readonly position: number
  readonly target: number
  readonly events: number
  /** Events per second, from the beginning on. */
  readonly rate: number
  /** For how long it has been at it, in ms. */
  readonly ageMs: number
  /** How long filling takes from here on, at the pace so far, in ms; undefined where that cannot be told. */
  readonly etaMs: number | undefined
  /** Who is at it; undefined where that engine is gone, and the next rebuild cleans up after it. */
  readonly owner: Owner | undefined
}

/** Of the engine that is joined to a row; all null where none that is alive is. */
interface OwnerColumns extends Omit<Owner, "engine"> {
  readonly engine: string | null
}

interface OwnerRow extends OwnerColumns {
  readonly name: string
  readonly position: string
  readonly state: "running" | "stopped"
  readonly error: RecordedError | null
  readonly rate: number
}

interface LagRow {
  readonly is_cut: boolean
  readonly events: number
  readonly oldest_ms: number | null
}

interface RebuildRow extends OwnerColumns {
  readonly projection: string
  readonly generation: number
  readonly version: number
  readonly position: string
  readonly target: string
  readonly events: string
  readonly noted_ms: number
  readonly age_ms: number
}

const toTenth = (rate: number): number => Math.round(rate * 10) / 10

const ownerIn = ({ engine, application, host, pid }: OwnerColumns): Owner | undefined =>
  engine === null ? undefined : { engine, application, host, pid }

/** What this process knows of its projections, and what the fleet does. `settled`: up to where there is something to fold. */
export const standings = (
  postgres: Postgres["Service"],
  statuses: ReadonlyArray<ProjectionStatus>,
  typesOf: (name: string) => ReadonlyArray<string>,
  settled: number
): Effect.Effect<ReadonlyArray<ProjectionStanding>, PostgresError> =>
  Effect.gen(function* () {
    const { rows } = yield* postgres.query<OwnerRow>(statement("projection_owners", postgres.schema).text, [
      RATE_WINDOW_MS
    ])
    const owners = new Map(rows.map((row) => [row.name, row]))
    const lag = statement("projection_lag", postgres.schema)
    return yield* Effect.forEach(statuses, (known) => {
      const row = owners.get(known.name)
      // Who follows looks now and then how far the owner is.
      const position = known.follows && row !== undefined ? Number(row.position) : known.position
      const stopped = row?.state === "stopped" && row.error !== null ? row.error : undefined
      const asked = [position, settled, LAG_EVENTS, typesOf(known.name)]
      return Effect.map(
        postgres.query<LagRow>(lag.text, asked),
        ({ rows: [behind] }): ProjectionStanding => ({
          ...known,
          position,
          // As its owner wrote it down.
          rate: known.follows && row !== undefined ? toTenth(row.rate) : known.rate,
          lag: behind!.is_cut
            ? { atMost: Math.max(behind!.events, settled - position), isCount: false }
            : { atMost: behind!.events, isCount: true },
          ...(stopped === undefined ? {} : { state: "stopped", error: stopped }),
          owner: row && ownerIn(row),
          lagMs:
            behind!.oldest_ms === null && behind!.is_cut ? undefined : Math.max(0, behind!.oldest_ms ?? 0)
        })
      )
    })
  })

/** The rebuilds that are under way. */
export const rebuildsUnderWay = (
  postgres: Postgres["Service"]
): Effect.Effect<ReadonlyArray<RebuildStanding>, PostgresError> =>
  Effect.map(postgres.query<RebuildRow>(statement("rebuilds_under_way", postgres.schema).text), ({ rows }) =>
    rows.map((row): RebuildStanding => {
      const position = Number(row.position)
      const target = Number(row.target)
      const events = Number(row.events)
      const perMs = row.noted_ms > 0 ? position / row.noted_ms : 0
      return {
        projection: row.projection,
        generation: row.generation,
        version: row.version,
        position,
        target,
        events,
        rate: row.noted_ms > 0 ? Math.round((events * 1000) / row.noted_ms) : 0,
        ageMs: row.age_ms,
        etaMs: perMs === 0 ? undefined : Math.max(0, target - position) / perMs,
        owner: ownerIn(row)
      }
    })
  )
