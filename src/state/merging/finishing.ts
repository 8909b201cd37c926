import { Effect } from "effect"
import type { Json, JsonObject, MaybeJson } from "../../base/json-value.ts"
import { BranchDraft } from "../branch/draft.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { tokenAfter } from "../change/changing.ts"
import { blamed, combine, settled, told } from "./combining.ts"
import { constraints } from "../definition/constraining.ts"
import { type Conflicting, MergeEnded, MergeUnresolved, StateInvalid, stateError } from "../error.ts"
import { StateMergeChecked, StateMerged, StateMergeEnded } from "../event.ts"
import { nodeOf, ready } from "../past/history.ts"
import type { Conflict, Merged } from "../merge/conflict.ts"
import { resolve } from "../merge/resolve.ts"
import type { Strategy } from "../merge/settle.ts"
import { agentLabel, mergeStream } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateParts, type StateScene } from "../parts.ts"
import { isSameConflict, loadMerge, type PendingMerge, stillOpen } from "./pending-merge.ts"
import { headOf } from "../past/reading.ts"
import { isTier, keyId, type KeyId, type Tier } from "../tier.ts"
import { note } from "./resolving.ts"
import { type AppendAll, persistently } from "../branch/together.ts"
import { planOfEvent, type Written } from "../change/writing.ts"

/** What a pending merge comes to on the branches as they are now. */
interface Standing {
  readonly head: BranchState
  readonly values: ReadonlyMap<KeyId, MaybeJson>
  readonly bases: ReadonlyArray<{ readonly branch: number; readonly version: number }>
  readonly open: ReadonlyArray<Conflict>
  /** Whole tiers as somebody has written them. */
  readonly written: ReadonlyArray<Tier>
}

const isOpen = (pending: PendingMerge, conflict: Conflict): boolean => {
  const decided = pending.decided.get(conflict.path)
  return decided === undefined || !isSameConflict(decided.conflict, told(conflict))
}

/** The merge of a key with what was decided about it. */
const decidedFor = (pending: PendingMerge, merged: Merged): Merged => {
  const still = merged.conflicts.filter((conflict) => !isOpen(pending, conflict))
  return resolve(merged, new Map(still.map(({ path }) => [path, pending.decided.get(path)!.resolution])))
}

const standingOf = Effect.fnUntraced(function* (
  scene: StateScene,
  pending: PendingMerge
): Effect.fn.Return<Standing, StateFailure> {
  const { parts, name } = scene
  const head = yield* headOf(scene)
  // Its name may be that of another branch by now, of which nobody has decided anything.
  if (head.id !== pending.target.branch) {
    const status = `its target ${JSON.stringify(name.branch)} was deleted`
    return yield* stateError(new MergeEnded({ merge: pending.merge, status }))
  }
  yield* ready(scene, head)
  const rules = [...(yield* parts.definitions.rules(name.agent, head.agentType)), ...pending.rules]
  const { merged, bases } = yield* combine(scene, pending.source, nodeOf(head), rules)
  const decided = new Map([...merged].map(([key, one]) => [key, decidedFor(pending, one)]))
  const strategy = pending.strategy === "custom" ? "merge" : (pending.strategy as Strategy)
  const { values, conflicts } = settled(decided, strategy, rules)
  const wrong = yield* constraints(scene, head, values)
  const open = [...conflicts, ...wrong.filter((conflict) => isOpen(pending, conflict))]
  const tiers = wrong.filter((conflict) => !isOpen(pending, conflict))
  const written = tiers.filter(({ path }) => typeof pending.decided.get(path)!.resolution.use === "object")
  return {
    head,
    bases,
    open,
    values: yield* withTiers(scene, values, tiers, pending),
    written: written.map(({ path }) => path.slice(1) as Tier)
  }
})

/** Whole tiers as somebody has decided that they are to be. */
const withTiers = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  values: ReadonlyMap<KeyId, MaybeJson>,
  decided: ReadonlyArray<Conflict>,
  pending: PendingMerge
): Effect.fn.Return<ReadonlyMap<KeyId, MaybeJson>, StateFailure> {
  const after = new Map(values)
  for (const { path } of decided) {
    const tier = path.slice(1) as Tier
    const { use } = pending.decided.get(path)!.resolution
    // `theirs` is the merged tier as it is, whatever its schema says.
    if (!isTier(tier) || use === "theirs") continue
    const state = yield* parts.branches.read(parts.branches.of(name), { tiers: [tier], keys: [] }, true)
    const wanted = typeof use === "object" ? (use.value as JsonObject) : state.values([tier])[tier]
    const keys = new Set([...[...state.entries([tier])].map(([key]) => key), ...values.keys()])
    for (const key of keys) if (key.startsWith(`${tier}/`)) after.set(key, undefined)
    for (const [key, value] of Object.entries(wanted)) after.set(keyId(tier, key), value as Json)
  }
  return after
})

/** Puts a merge of which every conflict is decided into its target. */
export const finishMerge = Effect.fnUntraced(function* (
  parts: StateParts,
  merge: string,
  by: ByWhom
): Effect.fn.Return<Written, StateFailure> {
  const { agent, target } = yield* loadMerge(parts, merge)
  const name = parts.named(agent, target.name)
  const scene: StateScene = { parts, name, agentType: undefined }
  return yield* persistently(parts, [name], (append) => finished(scene, merge, by, append))
})

const finished = Effect.fnUntraced(function* (
  scene: StateScene,
  merge: string,
  by: ByWhom,
  append: AppendAll
): Effect.fn.Return<Written, StateFailure> {
  const { parts, name } = scene
  const pending = yield* loadMerge(parts, merge)
  yield* stillOpen(pending)
  const standing = yield* standingOf(scene, pending)
  if (standing.open.length > 0) return yield* unresolved(scene, pending, standing, by)
  const { head, values, bases, written } = standing
  // Whoever took a side has seen it; what somebody wrote instead was never looked at.
  const wrong = (yield* constraints(scene, head, values)).find(({ path }) =>
    written.includes(path.slice(1) as Tier)
  )
  if (wrong !== undefined) {
    const { agent, branch } = name
    return yield* stateError(
      new StateInvalid({ agent, branch, tier: wrong.path.slice(1), problem: wrong.problem! })
    )
  }
  const selection = { tiers: [], keys: [...values.keys()] }
  const draft = new BranchDraft(yield* parts.refs.at(name, nodeOf(head), selection))
  const { mode, strategy, source, author } = pending
  const who = author === undefined ? {} : { author }
  const { events, told: tell } = planOfEvent(
    draft,
    [],
    values,
    (fields) => StateMerged.make({ ...fields, merge, source, bases, mode, strategy, ...who }),
    tokenAfter(scene, draft)
  )
  const ended = StateMergeEnded.make({ status: "merged", version: draft.version })
  const labels = [agentLabel(name.agent)]
  const both = [
    { stream: name.stream, events: events.map((one) => ({ ...one, labels })), expected: head.version },
    { stream: mergeStream(merge), events: [{ ...ended, labels }], expected: pending.version }
  ]
  const [placed = []] = yield* append(both, metaOf(by))
  return tell(placed, head.id)
})

/** Says which conflicts are open; those that came up since are written down first, so that somebody can decide them. */
const unresolved = Effect.fnUntraced(function* (
  scene: StateScene,
  pending: PendingMerge,
  { head, open }: Standing,
  by: ByWhom
): Effect.fn.Return<never, StateFailure> {
  const { merge } = pending
  const paths = open.map(({ path }) => path)
  const known = new Map(pending.conflicts.map((one) => [one.path, one]))
  const isNew = (conflict: Conflict): boolean => {
    const before: Conflicting | undefined = known.get(conflict.path)
    return before === undefined || !isSameConflict(before, told(conflict))
  }
  if (!open.some(isNew)) return yield* stateError(new MergeUnresolved({ merge, paths, isChecked: false }))
  const conflicts = yield* blamed(scene, open, nodeOf(head), pending.source)
  const checked = StateMergeChecked.make({
    version: head.version,
    conflicts: conflicts as unknown as ReadonlyArray<JsonObject>
  })
  yield* note(scene.parts, merge, by, () => Effect.succeed(checked))
  return yield* stateError(new MergeUnresolved({ merge, paths, isChecked: true }))
})
