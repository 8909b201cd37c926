import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Build, RebuildParts } from "./build.ts"
import type { Filler } from "./filler.ts"
import { isOfLog } from "./verify.ts"

/** A round that took no longer, in ms, has caught up: the next would find as little. */
const NEAR_MS = 100

/** How many rounds it takes at most: where writers are as fast as the fold, the swap folds what is left, or says that it cannot. */
const MOST_ROUNDS = 50

/** Where the log is settled; and, where the tables are still to be compared with the live ones, no further than those are. */
export const reachable = Effect.fnUntraced(function* (
  { feed, registry }: RebuildParts,
  name: string,
  compares: boolean
): Effect.fn.Return<number, PostgresError> {
  const settled = yield* feed.settled
  if (!compares) return settled
  const live = yield* registry.load(name)
  return isOfLog(live) ? Math.min(settled, live.position) : settled
})

/** Folds what came meanwhile, until next to nothing comes any more while it is folded. */
export const catchUp = Effect.fnUntraced(function* (
  parts: RebuildParts,
  build: Build,
  filler: Filler,
  compares: boolean
): Effect.fn.Return<void, Failure> {
  build.pace.enter("catch up")
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const target = yield* reachable(parts, build.name, compares)
    build.pace.target = target
    // What was waited for an append under way is no sign of work left.
    const began = performance.now()
    yield* filler.fill(target)
    if (performance.now() - began < NEAR_MS) return
  }
})
