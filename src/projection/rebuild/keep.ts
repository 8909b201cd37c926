import { Effect } from "effect"
import { backoffMs } from "../../base/backoff.ts"
import type { RebuildParts } from "./build.ts"
import { SWAP_TRY_MS } from "./swap.ts"

/** How often it is tried to drop a generation that somebody still reads; then a later rebuild does it. */
const TRIES = 5

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
      Effect.andThen(
        connection.query(`set local lock_timeout = ${SWAP_TRY_MS}`),
        generations.drop(connection, name, generation, relations)
      )
    )
    let failures = 0
    const waiting = Effect.suspend(() => Effect.sleep(backoffMs((failures += 1))))
    const trying = Effect.retry(
      Effect.tapError(drop, () => waiting),
      { times: TRIES }
    )
    const isDropped = yield* Effect.isSuccess(trying)
    if (isDropped) dropped.push(generation)
    else yield* Effect.logWarning("A generation could not be dropped", { projection: name, generation })
  }
  return dropped
})
