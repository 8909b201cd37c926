import { Effect } from "effect"
import type { BranchDraft } from "./draft.ts"
import type { BranchState } from "./branch-state.ts"
import type { Plan, WriteFailure } from "./writer.ts"
import { BranchDraft as Draft } from "./draft.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene, submit } from "../parts.ts"
import { headOf } from "../past/reading.ts"
import type { Selection } from "../store.ts"

/** What is to be done to a branch as it is at one version: what it has to look at for that, and what it comes to. */
export interface Prepared<A> {
  readonly selection: Selection
  readonly plan: (draft: BranchDraft) => Effect.Effect<Plan<A>, WriteFailure>
}

/** How often it is prepared while others write the branch, before they are locked out. */
const TRIES = 3

const MOVED = Symbol("the branch has moved")

/**
 * Has something done to a branch that needs a look at more than the branch itself: it is prepared for the version that the branch is at,
 * and anew where that is not so any more. `seen` is the branch where somebody has looked at it just now.
 */
export const whileStill = Effect.fnUntraced(function* <A>(
  scene: StateScene,
  by: ByWhom,
  prepare: (head: BranchState) => Effect.Effect<Prepared<A>, StateFailure>,
  seen?: BranchState
): Effect.fn.Return<A, StateFailure> {
  for (let tries = 0; tries < TRIES; tries++) {
    const head = tries === 0 && seen !== undefined ? seen : yield* headOf(scene)
    const { version } = head
    const { selection, plan } = yield* prepare(head)
    const outcome: A | typeof MOVED = yield* submit<A | typeof MOVED>(scene, by, selection, (draft) =>
      draft.version === version && draft.keys.size === 0
        ? plan(draft)
        : Effect.succeed({ events: [], told: () => MOVED })
    )
    if (outcome !== MOVED) return outcome
  }
  return yield* whileLocked(scene, by, prepare)
})

/** The same while nobody else can write the branch. */
const whileLocked = <A>(
  { parts: { branches, refs }, name }: StateScene,
  by: ByWhom,
  prepare: (head: BranchState) => Effect.Effect<Prepared<A>, StateFailure>
): Effect.Effect<A, StateFailure> =>
  branches.locked(name, (state, load, append) =>
    Effect.gen(function* () {
      if (state.fault !== undefined) return yield* refs.corrupt(state)
      const { selection, plan } = yield* prepare(state)
      const draft = new Draft(yield* load(selection))
      const { events, told } = yield* plan(draft)
      const meta = metaOf(by)
      const placed = events.length === 0 ? [] : yield* append(events, meta)
      return told(placed, state.id)
    })
  )
