import { type History, joined, type Node, type Placed } from "./history.ts"
import { bestAncestors, headOf, type Heads } from "./merge-base.ts"
import { answered, ask, type Asking } from "./questions.ts"

/** How many virtual bases may stand on each other: what happened before that has hardly any say in what is merged now. */
export const MAX_DEPTH = 8

/** How many plans one may hold. They halve, or worse, with the depth where many branches merge each other to and fro. */
export const MAX_PLANS = 64

/**
 * How the base of a merge comes about: the merge bases, the oldest first, each of which is merged into those before it. The
 * base of such a merge is a plan again.
 */
export interface BasePlan {
  /** None where the histories never met. */
  readonly nodes: ReadonlyArray<Node>
  /** One for each node but the first; undefined where MAX_DEPTH or MAX_PLANS leave none. */
  readonly bases: ReadonlyArray<BasePlan | undefined>
}

/** @param plans How many there may be, this one included; what it needs gets equal shares of the rest. */
const planFor = function* (one: Heads, other: Heads, depth: number, plans: number): Asking<BasePlan> {
  const placed = yield* bestAncestors(one, other)
  const share = depth === MAX_DEPTH ? 0 : Math.floor((plans - 1) / (placed.length - 1))
  const bases: Array<BasePlan | undefined> = []
  let merged: Heads = { nodes: [], vector: new Map() }
  for (const [index, next] of placed.entries()) {
    const head = headOf(next)
    if (index > 0) bases.push(share === 0 ? undefined : yield* planFor(merged, head, depth + 1, share))
    merged = { nodes: [...merged.nodes, ...head.nodes], vector: joined(merged.vector, head.vector) }
  }
  return { nodes: placed.map(({ node }) => node), bases }
}

/** The plan of the base of two nodes, for whom the history is far away; see questions.ts. */
export const askBasePlan = function* (one: Node, other: Node): Asking<BasePlan> {
  const [first, second] = (yield* ask([one, other])) as [Placed, Placed]
  return yield* planFor(headOf(first), headOf(second), 0, MAX_PLANS)
}

/**
 * Plans the base of a merge of two nodes. Where they have one merge base it is that; several, as after a criss-cross, are
 * merged into a virtual one, recursively, as git's `recursive` and `ort` do: to take one of them would silently undo
 * what the others decided.
 *
 * What was merged once is a merge base from then on, so that to revert it and to merge it again brings nothing back, as in
 * git: the revert is the later decision.
 */
export const basePlan = (one: Node, other: Node, history: History): BasePlan =>
  answered(askBasePlan(one, other), history)

/** All nodes whose values a plan needs, each once. */
export const nodesOf = (plan: BasePlan): ReadonlyArray<Node> => {
  const nodes = new Map<string, Node>()
  const visit = (at: BasePlan): void => {
    for (const node of at.nodes) nodes.set(`${node.branch}.${node.version}`, node)
    for (const base of at.bases) if (base !== undefined) visit(base)
  }
  visit(plan)
  return [...nodes.values()]
}
