import { Effect } from "effect"
import { statement } from "../../postgres/sql-file.ts"
import type { RebuildParts } from "./build.ts"
import { SWAP_TRY_MS } from "./swap.ts"
import { untilUnlocked } from "./unlocked.ts"

/** How long it is tried to drop a generation that somebody still reads, in ms; then a later rebuild does it. */
const PATIENCE_MS = 2_000

/** Drops the kept generations of a projection beyond so many, the longest out of use first; returns which. */
export const dropBeyond = Effect.fnUntraced(function* (
  { postgres, generations }: RebuildParts,
  name: string,
  keep: number
): Effect.fn.Return<ReadonlyArray<number>> {
  const found = yield* Effect.orElseSucceed(generations.of(postgres, name), () => [])
  const surplus = found
    .filter(({ state }) => state === "kept")
    .toSorted((one, other) => other.changedAt.getTime() - one.changedAt.getTime())
    .slice(keep)
  const dropped: Array<number> = []
  for (const { generation, relations } of surplus) {
    const drop = postgres.transaction((connection) =>
      Effect.gen(function* () {
        yield* connection.query(`set local lock_timeout = ${SWAP_TRY_MS}`)
        yield* connection.query(statement("lock_projections", postgres.schema).text, [postgres.schema])
        // A rollback may have made it live since it was listed.
        const now = yield* generations.of(connection, name)
        if (!now.some((one) => one.generation === generation && one.state === "kept")) return false
        yield* generations.drop(connection, name, generation, relations)
        return true
      })
    )
    const outcome = yield* Effect.result(untilUnlocked(drop, { patienceMs: PATIENCE_MS }))
    if (outcome._tag === "Success") {
      if (outcome.success) dropped.push(generation)
    } else yield* Effect.logWarning("A generation could not be dropped", { projection: name, generation })
  }
  return dropped
})
