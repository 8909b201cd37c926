import { Effect } from "effect"
import { InvalidArgument, logError } from "../../log/error.ts"
import { StateCompacted } from "../event.ts"
import { agentProblem } from "../name.ts"
import { type ByWhom, type StateFailure, type StateParts, type StateScene, submit } from "../parts.ts"
import { NOTHING } from "../store.ts"

export interface CompactOptions extends ByWhom {
  /** Only of this agent; of all, by default. */
  readonly agent?: string
  /** Versions from before so many ms; 30 days by default. */
  readonly olderThanMs?: number
  /** Only tell what would be let go of. Default: false. */
  readonly dryRun?: boolean
}

/** What is, or would be, let go of, of one branch. */
export interface Compacted {
  readonly agent: string
  readonly branch: string
  /** Of versions before this one. */
  readonly before: number
  /** How many values, and how many bytes of them as they are stored. */
  readonly values: number
  readonly bytes: number
}

const DEFAULT_OLDER_THAN_MS = 30 * 24 * 60 * 60 * 1_000

/** How many branches are looked at at a time. */
const AT_ONCE = 200

/**
 * Lets go of values of old versions that are kept ready and that nothing names. Nothing of the log is touched: a version without them is
 * read as before, of more patches.
 */
export const compact = Effect.fnUntraced(function* (
  parts: StateParts,
  { agent, olderThanMs = DEFAULT_OLDER_THAN_MS, dryRun = false, ...by }: CompactOptions
): Effect.fn.Return<ReadonlyArray<Compacted>, StateFailure> {
  if (!(Number.isFinite(olderThanMs) && olderThanMs >= 0)) {
    const problem = `olderThanMs is ${olderThanMs}: give ms from 0`
    return yield* logError(new InvalidArgument({ problem }))
  }
  const unfit = agent === undefined ? undefined : agentProblem(agent)
  if (unfit !== undefined) return yield* logError(unfit)
  // What was named by now has to be known.
  yield* parts.store.caughtUp(yield* parts.log.settled)
  const time = new Date(Date.now() - olderThanMs)
  const compacted: Array<Compacted> = []
  let position = 0
  for (let after = 0; ;) {
    const page = yield* parts.store.compactableBranches(agent, time, AT_ONCE, after)
    for (const { branch, agent: of, name, before } of page) {
      after = branch
      const { values, bytes } = yield* parts.store.compactable(branch, before)
      if (values === 0) continue
      compacted.push({ agent: of, branch: name, before, values, bytes })
      if (dryRun) continue
      const scene: StateScene = { parts, name: parts.named(of, name), agentType: undefined }
      position = Math.max(position, yield* compactBranch(scene, before, by))
    }
    if (page.length < AT_ONCE) break
  }
  yield* parts.store.caughtUp(position)
  return compacted
})

const compactBranch = (scene: StateScene, before: number, by: ByWhom): Effect.Effect<number, StateFailure> =>
  submit(scene, by, NOTHING, (draft) =>
    Effect.sync(() => {
      // Somebody has ended it since.
      if (!draft.isLive) return { events: [], told: () => 0 }
      draft.note()
      return {
        events: [StateCompacted.make({ before })],
        told: (placed) => placed.at(-1)?.position ?? 0
      }
    })
  )
