import { Effect } from "effect"
import type { MaybeJson } from "../../base/json-value.ts"
import { askBasePlan, type BasePlan, nodesOf } from "../merge/base-plan.ts"
import { type Vector, vectorOf } from "../merge/history.ts"
import type { Asking } from "../merge/questions.ts"
import type { BranchState } from "../branch/branch-state.ts"
import type { StateFailure, StateParts } from "../parts.ts"
import type { KnownBy, KnownOfKey, Node } from "../store.ts"
import type { KeyId } from "../tier.ts"

/** How a merge of single keys of two states comes to its bases. */
export interface Bases {
  readonly plans: ReadonlyMap<KeyId, BasePlan>
  /** What either side knows of other branches, as far as a key is concerned. */
  readonly known: ReadonlyMap<KeyId, KnownByBoth>
  /** What a key was at a version that its plan names. */
  readonly value: (key: KeyId, node: Node) => MaybeJson
}

export interface KnownByBoth {
  readonly target: Vector
  readonly source: Vector
  /** At which of its versions either side was last decided about, by somebody who may have left it as it was. */
  readonly decided: { readonly target: number | undefined; readonly source: number | undefined }
}

/** A version of a branch that goes on in memory, and some of the values that it had then. */
export interface Held {
  readonly state: BranchState
  readonly values: ReadonlyMap<KeyId, MaybeJson>
}

export interface Sides {
  readonly target: Node
  readonly source: Node
  /** The position of the younger of both. */
  readonly upTo: number
  /** What is at hand of either need not be asked for. */
  readonly held?: { readonly target: Held | undefined; readonly source: Held }
  /** Waits until that many keys can be asked about. */
  readonly ready?: (keys: number) => Effect.Effect<void, StateFailure>
}

interface Open {
  readonly key: KeyId
  readonly asking: Asking<BasePlan>
  readonly step: IteratorYieldResult<ReadonlyArray<Node>>
}

/** As many versions as are most often needed. */
const LOADS_AT_ONCE = 3

const nameOf = ({ branch, version }: Node): string => `${branch}.${version}`

const isAt = (node: Node, { branch, version }: Node): boolean =>
  node.branch === branch && node.version === version

/** The side of which a version is, as far as that is at hand. */
const heldOf = ({ target, source, held }: Sides, node: Node): Held | undefined => {
  if (isAt(node, target)) return held?.target
  return isAt(node, source) ? held?.source : undefined
}

/** What is known by some versions, each as far as a key is concerned; what is not at hand is asked for. */
const knownAt = Effect.fnUntraced(function* (
  { store }: StateParts,
  sides: Sides,
  nodes: ReadonlyArray<NodeOfKey>
): Effect.fn.Return<ReadonlyArray<KnownBy>, StateFailure> {
  const found = nodes.map((node) => {
    const state = heldOf(sides, node)?.state
    const vector = state?.meetings.known(node.key, node.version)
    // The order of what is to be merged does not matter, but that of what both had in common.
    return vector === undefined ? undefined : { vector, order: state!.position }
  })
  const missing = nodes.filter((_, at) => found[at] === undefined)
  if (missing.length === 0) return found as ReadonlyArray<KnownBy>
  yield* sides.ready?.(missing.length) ?? Effect.void
  const asked = yield* askKnown(store, missing, sides.upTo)
  for (const [at, node] of missing.entries()) {
    const state = heldOf(sides, node)?.state
    const { vector, isItsOwn } = asked[at]!
    if (state?.version === node.version && isItsOwn) state.meetings.learn(node.key, vector, node.version)
  }
  let at = 0
  return found.map((one) => one ?? asked[at++]!)
})

type NodeOfKey = Node & { readonly key: KeyId }

/** Waits for the read model only where events do not tell. */
const askKnown = Effect.fnUntraced(function* (
  store: StateParts["store"],
  nodes: ReadonlyArray<NodeOfKey>,
  upTo: number
): Effect.fn.Return<ReadonlyArray<KnownOfKey>, StateFailure> {
  const { known, isAll } = yield* store.knownOfKeys(nodes)
  if (isAll) return known
  yield* store.caughtUp(upTo)
  // Whatever is not folded then is of a damaged branch, and does not count.
  return (yield* store.knownOfKeys(nodes)).known
})

/** What a branch knows of itself is not its version, which says all, but when it was last decided about. */
const knownByBoth = ({ target, source }: Sides, ours: KnownBy, theirs: KnownBy): KnownByBoth => ({
  target: vectorOf(target, ours),
  source: vectorOf(source, theirs),
  decided: { target: ours.vector.get(target.branch), source: theirs.vector.get(source.branch) }
})

/** Asks the history for all keys at once, as often as one of them has a question; the first is what both sides know. */
const plansOf = Effect.fnUntraced(function* (
  parts: StateParts,
  sides: Sides,
  keys: ReadonlyArray<KeyId>
): Effect.fn.Return<Pick<Bases, "plans" | "known">, StateFailure> {
  const { target, source } = sides
  const plans = new Map<KeyId, BasePlan>()
  const vectors = new Map<KeyId, KnownByBoth>()
  const open: Array<Open> = []
  const go = (key: KeyId, asking: Asking<BasePlan>, step: ReturnType<Asking<BasePlan>["next"]>): void => {
    if (step.done === true) plans.set(key, step.value)
    else open.push({ key, asking, step })
  }
  for (const key of keys) {
    const asking = askBasePlan(target, source)
    go(key, asking, asking.next())
  }
  while (open.length > 0) {
    const round = open.splice(0)
    const asked = round.flatMap(({ key, step }) => step.value.map((node) => ({ ...node, key })))
    const known = yield* knownAt(parts, sides, asked)
    let at = 0
    for (const { key, asking, step } of round) {
      const answers = known.slice(at, (at += step.value.length))
      const [ours, theirs] = answers
      if (!vectors.has(key)) vectors.set(key, knownByBoth(sides, ours!, theirs!))
      go(key, asking, asking.next(answers))
    }
  }
  return { plans, known: vectors }
})

/** What was there when both last met; of a version that a repair has passed over since, what its branch went on from. */
const baseAt = Effect.fnUntraced(function* (
  parts: StateParts,
  node: Node,
  keys: ReadonlyArray<KeyId>
): Effect.fn.Return<BranchState | undefined, StateFailure> {
  const state = yield* parts.loader.at(node, { tiers: [], keys })
  if (state.fault === undefined) return state
  const { good, repaired } = state.fault
  if (repaired === null) return yield* parts.refs.corrupt(state)
  return good < 1
    ? undefined
    : yield* parts.loader.at({ branch: node.branch, version: good }, { tiers: [], keys })
})

/** The bases of single keys of a target and a source, of which the beginnings are kept ready. */
export const basesOf = Effect.fnUntraced(function* (
  parts: StateParts,
  sides: Sides,
  keys: ReadonlyArray<KeyId>
): Effect.fn.Return<Bases, StateFailure> {
  const { plans, known } = yield* plansOf(parts, sides, keys)
  const wanted = new Map<string, { readonly node: Node; readonly keys: Array<KeyId> }>()
  for (const [key, plan] of plans) {
    for (const node of nodesOf(plan)) {
      if (valuesAt(parts, sides, node)?.has(key) === true) continue
      const one = wanted.get(nameOf(node)) ?? { node, keys: [] }
      one.keys.push(key)
      wanted.set(nameOf(node), one)
    }
  }
  const loaded = yield* Effect.forEach(
    wanted.values(),
    (one) => Effect.map(baseAt(parts, one.node, one.keys), (state) => [nameOf(one.node), state] as const),
    { concurrency: LOADS_AT_ONCE }
  )
  const states = new Map(loaded)
  const value = (key: KeyId, node: Node): MaybeJson => {
    const values = valuesAt(parts, sides, node)
    return values?.has(key) === true ? values.get(key) : states.get(nameOf(node))?.value(key)
  }
  return { plans, known, value }
})

/** What is at hand of the values of a version: of either side as it is, or as others have met it. */
const valuesAt = (
  { past }: StateParts,
  sides: Sides,
  node: Node
): ReadonlyMap<KeyId, MaybeJson> | undefined => {
  const { target, source, held } = sides
  const now = heldOf(sides, node)
  if (now !== undefined) return now.values
  const side = [
    node.branch === target.branch ? held?.target : undefined,
    node.branch === source.branch ? held?.source : undefined
  ].find((one) => one !== undefined)
  return side && past.find(node, side.state)
}
