import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** A part of the telemetry that retention can drop as a whole. */
export interface TelemetryPartition {
  /** Its table, in the log's schema. */
  readonly name: string
  /** The first position that it takes. */
  readonly from: number
  /** The first position that it does not take any more. */
  readonly upTo: number
  /** On disk, with its indexes. */
  readonly bytes: number
}

export interface TelemetryStatus {
  /** By position; what positions leapt over belongs to none. */
  readonly partitions: ReadonlyArray<TelemetryPartition>
  /** How many are there for positions that were not drawn yet. */
  readonly ahead: number
  /** That none is, and what comes of it. */
  readonly warning: string | undefined
}

interface Row {
  readonly name: string
  readonly from_position: string
  readonly up_to: string
  readonly bytes: string
}

const NONE_AHEAD =
  "no partition lies ahead: the append that needs one makes it and waits for that. See that an engine of the owner's or a writer's runs (tidemark migrate --grant-writer)"

/** The partitions of the telemetry, as the server knows them, for a log that has come to `head`. */
export const telemetryStatus = (
  postgres: Postgres["Service"],
  head: number,
  standby: boolean
): Effect.Effect<TelemetryStatus, PostgresError> =>
  Effect.map(postgres.query<Row>(statement("telemetry_partitions", postgres.schema).text), ({ rows }) => {
    const partitions = rows.map((row): TelemetryPartition => ({
      name: row.name,
      from: Number(row.from_position),
      upTo: Number(row.up_to),
      bytes: Number(row.bytes)
    }))
    const ahead = partitions.filter(({ from }) => from > head).length
    return { partitions, ahead, warning: ahead === 0 && !standby ? NONE_AHEAD : undefined }
  })
