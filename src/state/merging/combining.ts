import { Effect } from "effect"
import type { Json, MaybeJson } from "../../base/json-value.ts"
import { parsePointer } from "../../base/pointer.ts"
import { changesOf } from "../past/blaming.ts"
import type { BranchState } from "../branch/branch-state.ts"
import type { Conflicting } from "../error.ts"
import { basesOf } from "./key-bases.ts"
import { askBasePlan, type BasePlan, nodesOf } from "../merge/base-plan.ts"
import type { Conflict, Merged, Note } from "../merge/conflict.ts"
import type { Known } from "../merge/history.ts"
import { merge3 } from "../merge/merge.ts"
import type { Asking } from "../merge/questions.ts"
import type { Rule } from "../merge/rule.ts"
import { type Settled, settle, type Strategy } from "../merge/settle.ts"
import { valueOfPlan } from "../merge/virtual-base.ts"
import type { StateFailure, StateScene } from "../parts.ts"
import type { Node } from "../store.ts"
import { keyId, type KeyId, keyOfPath, placeOfKey } from "../tier.ts"

/** What a source has that a target has not, key by key, brought together with what the target has. */
export interface Combined {
  /** The merge bases, the oldest first; several after a criss-cross. */
  readonly bases: ReadonlyArray<Node>
  /** The target has nothing that the source has not: what came there since, if anything, left its values as they were. */
  readonly isFastForward: boolean
  /** The source has nothing that the target has not, likewise. */
  readonly isUpToDate: boolean
  readonly merged: ReadonlyMap<KeyId, Merged>
}

/** Answers what a computation asks of the history, a question at a time. */
const answered = <A>(scene: StateScene, asking: Asking<A>): Effect.Effect<A, StateFailure> =>
  Effect.gen(function* () {
    let step = asking.next()
    while (step.done !== true) {
      const known: ReadonlyArray<Known> = yield* scene.parts.store.known(step.value)
      step = asking.next(known)
    }
    return step.value
  })

/** As many as most merges need: both sides, and their base. */
const LOADS_AT_ONCE = 3

const isSame = (one: Node, other: Node): boolean =>
  one.branch === other.branch && one.version === other.version

/** Brings what a source has into a target, both at a version: in memory only. What the source has not changed is not looked at. */
export const combine = Effect.fnUntraced(function* (
  scene: StateScene,
  source: Node,
  target: Node,
  rules: ReadonlyArray<Rule>
): Effect.fn.Return<Combined, StateFailure> {
  const { parts, name } = scene
  const plan: BasePlan = yield* answered(scene, askBasePlan(target, source))
  const bases = plan.nodes
  const isUpToDate = bases.some((base) => isSame(base, source))
  const isAncestor = bases.some((base) => isSame(base, target))
  if (isUpToDate) return { bases, isUpToDate, isFastForward: isAncestor, merged: new Map() }
  const found = yield* Effect.forEach(bases, (base) => parts.store.changedKeys(base, source))
  const keys = [...new Set(found.flat())]
  const selection = { tiers: [], keys }
  const nodes = [target, source, ...nodesOf(plan)]
  const [ours, theirs, ...states] = (yield* Effect.forEach(
    nodes,
    (node) => parts.refs.at(name, node, selection),
    { concurrency: LOADS_AT_ONCE }
  )) as [BranchState, BranchState, ...ReadonlyArray<BranchState>]
  const stateAt = ({ branch, version }: Node): BranchState =>
    states[nodes.findIndex((node, at) => at > 1 && node.branch === branch && node.version === version) - 2]!
  // What two bases agree in need not be what both sides began with: that of a counter is the sum of both.
  const isAsItBegan = ({ hash }: BranchState): boolean =>
    bases.length === 1 && bases.every((base) => stateAt(base).hash === hash)
  const isFastForward = isAncestor || isAsItBegan(ours)
  if (isAsItBegan(theirs)) return { bases, isUpToDate: true, isFastForward, merged: new Map() }
  // A key that was synchronised by itself has met others than its branch has.
  const isSynced = yield* parts.store.hasSynced([target, source])
  const own = isSynced ? yield* basesOf(parts, { target, source, upTo: 0 }, keys) : undefined
  const merged = keys.map((key): readonly [KeyId, Merged] => {
    const { tier, key: part } = placeOfKey(key)
    const path = [tier, part]
    const base =
      own === undefined
        ? valueOfPlan(plan, (node) => stateAt(node).value(key), rules, path)
        : valueOfPlan(own.plans.get(key)!, (node) => own.value(key, node), rules, path)
    return [key, merge3({ base, ours: ours.value(key), theirs: theirs.value(key), path, rules })]
  })
  return { bases, isUpToDate, isFastForward, merged: new Map(merged) }
})

/** What is left of a merge when a strategy has decided what it decides. */
export interface Outcome {
  readonly values: ReadonlyMap<KeyId, MaybeJson>
  readonly conflicts: ReadonlyArray<Conflict>
  readonly settled: ReadonlyArray<Settled>
  readonly notes: ReadonlyArray<Note>
}

export const settled = (
  merged: ReadonlyMap<KeyId, Merged>,
  strategy: Strategy,
  rules: ReadonlyArray<Rule>
): Outcome => {
  const values = new Map<KeyId, MaybeJson>()
  const conflicts: Array<Conflict> = []
  const decided: Array<Settled> = []
  const notes: Array<Note> = []
  for (const [key, one] of merged) {
    const after = settle(one, strategy, rules)
    values.set(key, after.value)
    conflicts.push(...after.conflicts)
    decided.push(...after.settled)
    notes.push(...after.notes)
  }
  return { values, conflicts, settled: decided, notes }
}

/** The key that a conflict is in. */
export const keyOfConflict = ({ path }: Pick<Conflict, "path">): KeyId => {
  const parts = parsePointer(path)!
  return keyOfPath(parts) ?? keyId(parts[0] as never, "")
}

/** A conflict as callers are told of it, without who is to blame. */
export const told = ({
  path,
  kind,
  base,
  ours,
  theirs,
  changed,
  hint,
  rule,
  problem,
  digest
}: Conflict): Conflicting => ({
  path,
  kind,
  ...(base === undefined ? {} : { base }),
  ...(ours === undefined ? {} : { ours }),
  ...(theirs === undefined ? {} : { theirs }),
  ...(changed === undefined ? {} : { changed }),
  ...(hint === undefined ? {} : { hint: { ...hint } }),
  ...(rule === undefined ? {} : { rule: { ...rule } as Json }),
  ...(problem === undefined ? {} : { problem }),
  ...(digest === undefined ? {} : { digest })
})

/** Of how many conflicts it is looked up who changed what. */
const MOST_BLAMED = 50

/** Conflicts with who changed what lies there, on both sides, and why. */
export const blamed = (
  scene: StateScene,
  conflicts: ReadonlyArray<Conflict>,
  ours: Node,
  theirs: Node | undefined
): Effect.Effect<ReadonlyArray<Conflicting>, StateFailure> =>
  Effect.forEach(conflicts, (conflict, at) =>
    Effect.gen(function* () {
      if (at >= MOST_BLAMED) return told(conflict)
      const path = parsePointer(conflict.path)!
      const key = keyOfConflict(conflict)
      const of = (node: Node | undefined) =>
        node === undefined ? Effect.succeed([]) : changesOf(scene, node, key, path, 1)
      const [[one], [other]] = yield* Effect.all([of(ours), of(theirs)])
      return {
        ...told(conflict),
        ...by("ours", one?.meta.actor, one?.meta.reason),
        ...by("theirs", other?.meta.actor, other?.meta.reason)
      }
    })
  )

/** Who has a side of a conflict, and why. */
export const by = (
  side: "ours" | "theirs",
  actor: string | undefined,
  reason: string | undefined
): Partial<Conflicting> => ({
  ...(actor === undefined ? {} : { [`${side}By`]: actor }),
  ...(reason === undefined ? {} : { [`${side}Because`]: reason })
})
