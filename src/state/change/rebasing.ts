import { Effect } from "effect"
import { isSameJson, type MaybeJson } from "../../base/json-value.ts"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { BranchDraft } from "../branch/draft.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { by, blamed, settled } from "../merging/combining.ts"
import { StateConflict, stateError } from "../error.ts"
import { nodeOf } from "../past/history.ts"
import { contains, vectorOf } from "../merge/history.ts"
import { merge3 } from "../merge/merge.ts"
import type { ByWhom, StateFailure, StateScene } from "../parts.ts"
import type { Node, Selection } from "../store.ts"
import { type KeyId, placeOfKey } from "../tier.ts"

/** The version that a change was made on, with the keys that it looks at. */
export interface Base {
  readonly node: Node
  readonly state: BranchState
}

/** The version that a token names; fails with InvalidArgument, LogRewound or UnknownRef where it is none of this state's. */
export const baseOf = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  token: string,
  selection: Selection
): Effect.fn.Return<Base, StateFailure> {
  const node = yield* parts.refs.token(name, token)
  return { node, state: yield* parts.refs.at(name, node, selection) }
})

/** Whether a branch has everything that a version has. */
const isBehind = (
  { parts }: StateScene,
  { id, version, position }: BranchState,
  node: Node
): Effect.Effect<boolean, StateFailure> => {
  if (node.branch === id) return Effect.succeed(node.version <= version)
  const head: Node = { branch: id, version }
  return Effect.map(
    Effect.andThen(parts.store.caughtUp(position), parts.store.known([head])),
    ([known]) => known !== undefined && contains(vectorOf(head, known), node)
  )
}

/**
 * The values that a change, made on a base, comes to on what the branch is now: paths that only it changed are as it says, paths that
 * only others changed stay theirs, and what both changed is merged by the rules of its path. Fails with StateConflict.
 */
export const rebased = Effect.fnUntraced(function* (
  scene: StateScene,
  draft: BranchDraft,
  base: Base,
  wanted: ReadonlyMap<KeyId, MaybeJson>,
  who: ByWhom
): Effect.fn.Return<ReadonlyMap<KeyId, MaybeJson>, StateFailure> {
  const { parts, name } = scene
  if (!(yield* isBehind(scene, draft.state, base.node))) {
    const problem = `The base is version ${base.node.version} of a branch that ${JSON.stringify(name.branch)} does not have: give a token that a read of this branch returned`
    return yield* logError(new InvalidArgument({ problem }))
  }
  const moved = [...wanted].filter(([key]) => !isSameJson(base.state.value(key), draft.value(key)))
  if (moved.length === 0) return wanted
  const rules = yield* parts.definitions.rules(name.agent, draft.agentType)
  const merged = moved.map(([key, theirs]) => {
    const { tier, key: part } = placeOfKey(key)
    const sides = { base: base.state.value(key), ours: draft.value(key), theirs }
    return [key, merge3({ ...sides, path: [tier, part], rules })] as const
  })
  const { values, conflicts } = settled(new Map(merged), "merge", rules)
  if (conflicts.length === 0) return new Map([...wanted, ...values])
  const { agent, branch } = name
  yield* parts.store.isSoonCaughtUp(draft.state.position)
  const ours = yield* blamed(scene, conflicts, nodeOf(draft.state), undefined)
  return yield* stateError(
    new StateConflict({
      agent,
      branch,
      base: base.node.version,
      version: draft.version,
      conflicts: ours.map((one) => ({ ...one, ...by("theirs", who.actor, who.reason) }))
    })
  )
})
