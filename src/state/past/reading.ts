import { Effect } from "effect"
import type { BranchState } from "../branch/branch-state.ts"
import { Given, type Wanting } from "../change/given.ts"
import { MAIN } from "../name.ts"
import { type StateFailure, type StateScene, sound, stateToken } from "../parts.ts"
import type { Ref } from "./ref.ts"
import { unknownBranch } from "./refs.ts"
import { type Snapshot, snapshotOf } from "./snapshot.ts"
import { NOTHING, type Selection } from "../store.ts"

export interface ReadOptions extends Wanting, Omit<Ref, "branch"> {
  /** From memory, where it is there: own writes are in it, what others wrote maybe not yet. Default: false. */
  readonly cached?: boolean
}

/** A branch with some keys, as it is in the log just now or as far as it is known; it goes on as the branch does. Fails with UnknownBranch and StateCorrupt. */
export const goingOn = Effect.fnUntraced(function* (
  scene: StateScene,
  selection: Selection,
  isFresh: boolean
): Effect.fn.Return<BranchState, StateFailure> {
  const { parts, name } = scene
  const state = yield* parts.branches.read(parts.branches.of(name), selection, isFresh)
  if (!state.isLive && name.branch !== MAIN) return yield* unknownBranch(name)
  if (state.fault !== undefined) return yield* parts.refs.corrupt(state)
  return state
})

/** The branch as it is in the log just now, and stays, but for its keys. Fails with UnknownBranch and StateCorrupt. */
export const headOf = (scene: StateScene): Effect.Effect<BranchState, StateFailure> =>
  Effect.map(goingOn(scene, NOTHING, true), (state) => state.outline())

/** A state now, or as it was. */
export const readState = Effect.fnUntraced(function* (
  scene: StateScene,
  { cached = false, tiers, paths, ...ref }: ReadOptions
): Effect.fn.Return<Snapshot, StateFailure> {
  const { parts, name } = scene
  const wanting = { ...(tiers === undefined ? {} : { tiers }), ...(paths === undefined ? {} : { paths }) }
  const selection = yield* sound(new Given(name).selection(wanting))
  const node = yield* parts.refs.node(name, ref)
  const state =
    node === undefined
      ? yield* goingOn(scene, selection, !cached)
      : yield* parts.refs.at(name, node, selection)
  const { id: branch, version, position } = state
  return snapshotOf(state, selection, stateToken(scene, { branch, version }, position))
})
