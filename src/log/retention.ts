import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres, Queryable } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { TokenTooOld } from "./error.ts"
import type { Filter } from "./filter.ts"

/** How many positions a telemetry partition takes, as telemetry_width() has it. */
const PARTITION_POSITIONS = 10_000_000

/** Whether a position is in an earlier partition than another one: only such a partition can be dropped while the log goes on from there. */
export const isInEarlierPartition = (position: number, than: number): boolean =>
  Math.floor(position / PARTITION_POSITIONS) < Math.floor(than / PARTITION_POSITIONS)

interface KeptRow {
  readonly position: string
}

/** The position after which all telemetry is still there that a filter may want; 0 where nothing of it was dropped. */
export const keptAfter = (
  asked: Queryable,
  schema: string,
  { streams, categories }: Filter
): Effect.Effect<number, PostgresError> => {
  const { text, name } = statement("telemetry_kept_after", schema)
  return Effect.map(asked.query<KeptRow>(text, [streams ?? null, categories ?? null], { name }), ({ rows }) =>
    Number(rows[0]!.position)
  )
}

/** Why what comes after a position cannot all be handed over, if it cannot: retention has dropped telemetry that the filter may want. */
export const tooOld = (
  postgres: Pick<Postgres["Service"], "query" | "schema">,
  position: number,
  filter: Filter,
  tokenAt: (position: number) => string
): Effect.Effect<TokenTooOld | undefined, PostgresError> =>
  Effect.map(keptAfter(postgres, postgres.schema, filter), (oldest) =>
    position < oldest ? new TokenTooOld({ position, oldest, token: tokenAt(oldest) }) : undefined
  )
