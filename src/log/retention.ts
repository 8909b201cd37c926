import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { TokenTooOld } from "./error.ts"
import type { Filter } from "./filter.ts"

interface KeptRow {
  readonly position: string
}

/** Why what comes after a position cannot all be handed over, if it cannot: retention has dropped telemetry that the filter may want. */
export const tooOld = (
  postgres: Pick<Postgres["Service"], "query" | "schema">,
  position: number,
  { streams, categories }: Filter,
  tokenAt: (position: number) => string
): Effect.Effect<TokenTooOld | undefined, PostgresError> => {
  const { text, name } = statement("telemetry_kept_after", postgres.schema)
  return Effect.map(
    postgres.query<KeptRow>(text, [streams ?? null, categories ?? null], { name }),
    ({ rows }) => {
      const oldest = Number(rows[0]!.position)
      return position < oldest ? new TokenTooOld({ position, oldest, token: tokenAt(oldest) }) : undefined
    }
  )
}
