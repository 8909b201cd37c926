import { byAge, contains, type History, type Node, type Placed, type Vector } from "./history.ts"
import { answered, ask, type Asking } from "./questions.ts"

/** Several nodes taken as one: what a virtual merge of them would have as ancestors. */
export interface Heads {
  readonly nodes: ReadonlyArray<Node>
  readonly vector: Vector
}

/** What is in both vectors, the latest per branch: every common ancestor is one of these, or an ancestor of one. */
const candidatesOf = (one: Vector, other: Vector): ReadonlyArray<Node> =>
  [...one].flatMap(([branch, version]) => {
    const most = other.get(branch)
    return most === undefined ? [] : [{ branch, version: Math.min(version, most) }]
  })

const isBelow = (node: Node, { node: other, vector }: Placed): boolean =>
  node.branch !== other.branch && contains(vector, node)

/** How many nodes are asked about at once: most often the first ones leave nothing of the others. */
const AT_ONCE = 8

/**
 * The best common ancestors of heads: those that are no ancestor of another one; the oldest first. The heads' own branches
 * are asked about first, then those with the most versions, as hubs have them: what they contain need not be asked about.
 */
export const bestAncestors = function* (one: Heads, other: Heads): Asking<ReadonlyArray<Placed>> {
  const own = new Set([...one.nodes, ...other.nodes].map(({ branch }) => branch))
  const promise = ({ branch, version }: Node): number =>
    own.has(branch) ? Number.POSITIVE_INFINITY : version
  let open = candidatesOf(one.vector, other.vector).toSorted(
    (a, b) => Number(promise(a) < promise(b)) - Number(promise(a) > promise(b))
  )
  // Nobody stands above the only one, and nothing more of it is needed.
  if (open.length === 1) return [{ node: open[0]!, vector: new Map(), order: 0 }]
  const placed: Array<Placed> = []
  while (open.length > 0) {
    const known = yield* ask(open.slice(0, AT_ONCE))
    placed.push(...known)
    open = open.slice(AT_ONCE).filter((node) => !known.some((better) => isBelow(node, better)))
  }
  return placed.filter(({ node }) => !placed.some((better) => isBelow(node, better))).toSorted(byAge)
}

/** The merge bases of two nodes, for whom the history is far away; see questions.ts. Two questions are most often enough. */
export const askMergeBases = function* (one: Node, other: Node): Asking<ReadonlyArray<Node>> {
  const [first, second] = (yield* ask([one, other])) as [Placed, Placed]
  const bases = yield* bestAncestors(headOf(first), headOf(second))
  return bases.map(({ node }) => node)
}

export const headOf = ({ node, vector }: Placed): Heads => ({ nodes: [node], vector })

/**
 * The merge bases of two nodes: all best common ancestors, as `git merge-base --all` names them, the oldest first. One node
 * where one is the other's ancestor, or both are the same; none where the histories never met.
 */
export const mergeBases = (one: Node, other: Node, history: History): ReadonlyArray<Node> =>
  answered(askMergeBases(one, other), history)
