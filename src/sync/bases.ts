import { Effect } from "effect"
import type { MaybeJson } from "../base/json-value.ts"
import { askBasePlan, type BasePlan, nodesOf } from "../state/merge/base-plan.ts"
import type { Asking } from "../state/merge/questions.ts"
import type { StateFailure, StateParts } from "../state/parts.ts"
import type { Node } from "../state/store.ts"
import type { KeyId } from "../state/tier.ts"

/** How a merge of single keys of two states comes to its bases. */
export interface Bases {
  readonly plans: ReadonlyMap<KeyId, BasePlan>
  /** What a key was at a version that its plan names. */
  readonly value: (key: KeyId, node: Node) => MaybeJson
}

interface Open {
  readonly key: KeyId
  readonly asking: Asking<BasePlan>
  readonly step: IteratorYieldResult<ReadonlyArray<Node>>
}

/** As many versions as are most often needed. */
const LOADS_AT_ONCE = 3

const nameOf = ({ branch, version }: Node): string => `${branch}.${version}`

/** Asks the history for all keys at once, as often as one of them has a question. */
const plansOf = Effect.fnUntraced(function* (
  { store }: StateParts,
  target: Node,
  source: Node,
  keys: ReadonlyArray<KeyId>
): Effect.fn.Return<ReadonlyMap<KeyId, BasePlan>, StateFailure> {
  const plans = new Map<KeyId, BasePlan>()
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
    const known = yield* store.knownOfKeys(
      round.flatMap(({ key, step }) => step.value.map((node) => ({ ...node, key })))
    )
    let at = 0
    for (const { key, asking, step } of round) {
      const answers = known.slice(at, (at += step.value.length))
      go(key, asking, asking.next(answers))
    }
  }
  return plans
})

/** The bases of single keys of a target and a source, both at a version that is kept ready. */
export const basesOf = Effect.fnUntraced(function* (
  parts: StateParts,
  target: Node,
  source: Node,
  keys: ReadonlyArray<KeyId>
): Effect.fn.Return<Bases, StateFailure> {
  const plans = yield* plansOf(parts, target, source, keys)
  const wanted = new Map<string, { readonly node: Node; readonly keys: Array<KeyId> }>()
  for (const [key, plan] of plans) {
    for (const node of nodesOf(plan)) {
      const one = wanted.get(nameOf(node)) ?? { node, keys: [] }
      one.keys.push(key)
      wanted.set(nameOf(node), one)
    }
  }
  const loaded = yield* Effect.forEach(
    wanted.values(),
    (one) =>
      Effect.map(
        parts.loader.at(one.node, { tiers: [], keys: one.keys }),
        (state) => [one.node, state] as const
      ),
    { concurrency: LOADS_AT_ONCE }
  )
  const states = new Map(loaded.map(([node, state]) => [nameOf(node), state]))
  const damaged = loaded.find(([, state]) => state.fault !== undefined)
  if (damaged !== undefined) return yield* parts.refs.corrupt(damaged[1])
  return { plans, value: (key, node) => states.get(nameOf(node))?.value(key) }
})
