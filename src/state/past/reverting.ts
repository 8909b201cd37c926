import { Effect } from "effect"
import { tokenAfter } from "../change/changing.ts"
import { blamed, settled } from "../merging/combining.ts"
import { StateConflict, stateError } from "../error.ts"
import { StateCommitted, StateReverted } from "../event.ts"
import { fits } from "../definition/constraining.ts"
import { nodeOf, ready, versionOf } from "./history.ts"
import { merge3 } from "../merge/merge.ts"
import type { Strategy } from "../merge/settle.ts"
import type { ByWhom, StateFailure, StateScene } from "../parts.ts"
import { type Prepared, whileStill } from "../branch/prepared.ts"
import type { RefLike } from "./ref.ts"
import { type Node, NOTHING } from "../store.ts"
import { placeOfKey } from "../tier.ts"
import { planOfChange, type Written } from "../change/writing.ts"

export interface RevertOptions extends ByWhom {
  /** Who is named as the author; the actor by default. */
  readonly author?: string
  /** What becomes of what was changed again since: it conflicts (`merge`, the default), it stays (`target_wins`), or goes (`source_wins`). */
  readonly strategy?: Strategy
}

/** The version before what a change did: that of the commit before a commit, and the one before any other. */
const beforeOf = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  first: Node,
  to: Node
): Effect.fn.Return<Node, StateFailure> {
  const [event] = yield* parts.store.history(to, 1)
  if (event?.type !== StateCommitted.type) {
    const before = yield* parts.store.before(first)
    return (
      before ??
      (yield* parts.refs.unknown(name, `version ${to.version}`, "there is nothing before it to go back to"))
    )
  }
  const commit = yield* parts.store.commitBefore(to)
  return (
    commit ??
    (yield* parts.refs.unknown(name, `commit ${event.id}`, "there is nothing before it to go back to"))
  )
})

/** All of the change that is meant, though it is several events: the version before it, and the last of its own. */
const rangeOf = Effect.fnUntraced(function* (
  scene: StateScene,
  of: RefLike
): Effect.fn.Return<{ readonly from: Node; readonly to: Node }, StateFailure> {
  const { parts, name } = scene
  const named = yield* versionOf(scene, of)
  yield* ready(scene, named)
  const [first, to] = yield* parts.store.wholeChange(nodeOf(named))
  yield* ready(scene, yield* parts.refs.at(name, to, NOTHING))
  return { from: yield* beforeOf(scene, first, to), to }
})

/**
 * Undoes what one version, or one commit since the commit before it, did: as git's revert, a merge of the state before that into the branch
 * with the state after it as the base. What was changed again since is a conflict. Merging a reverted branch again does not bring it back.
 */
export const revertState = Effect.fnUntraced(function* (
  scene: StateScene,
  of: RefLike,
  { author, strategy = "merge", ...by }: RevertOptions
): Effect.fn.Return<Written, StateFailure> {
  const { parts, name } = scene
  const { from, to } = yield* rangeOf(scene, of)
  const keys = yield* parts.store.changedKeys(from, to)
  const selection = { tiers: [], keys }
  const [before, after] = yield* Effect.all([
    parts.refs.at(name, from, selection),
    parts.refs.at(name, to, selection)
  ])
  const who = author === undefined ? {} : { author }
  const meta = by.actor === undefined && author !== undefined ? { ...by, actor: author } : by
  return yield* whileStill(
    scene,
    meta,
    Effect.fnUntraced(function* (head): Effect.fn.Return<Prepared<Written>, StateFailure> {
      yield* ready(scene, head)
      const rules = yield* parts.definitions.rules(name.agent, head.agentType)
      const ours = yield* parts.refs.at(name, nodeOf(head), selection)
      const merged = keys.map((key) => {
        const { tier, key: part } = placeOfKey(key)
        const sides = { base: after.value(key), ours: ours.value(key), theirs: before.value(key) }
        return [key, merge3({ ...sides, path: [tier, part], rules })] as const
      })
      const { values, conflicts } = settled(new Map(merged), strategy, rules)
      if (conflicts.length > 0) {
        const told = yield* blamed(scene, conflicts, nodeOf(head), to)
        const { agent, branch } = name
        const facts = { agent, branch, base: to.version, version: head.version, conflicts: told }
        return yield* stateError(new StateConflict(facts))
      }
      yield* fits(scene, head, values)
      return {
        selection,
        plan: (draft) =>
          planOfChange(
            name,
            draft,
            [],
            values,
            (fields) => StateReverted.make({ ...fields, from, to, ...who }),
            tokenAfter(scene, draft)
          )
      }
    })
  )
})
