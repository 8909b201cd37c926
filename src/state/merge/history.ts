/** A version of a branch. */
export interface Node {
  readonly branch: number
  readonly version: number
}

/**
 * The ancestors of a node, itself among them. What a branch has below a version are ancestors of that version, so that per
 * branch the latest one says all: a version vector.
 *
 * D. Stott Parker et al.: Detection of Mutual Inconsistency in Distributed Systems (1983).
 */
export type Vector = ReadonlyMap<number, number>

/** What is known of a node. */
export interface Known {
  /**
   * The vector of the latest point of its branch, at the node or before it, at which the branch forked from another or
   * merged one; empty where there is none. After that point only the branch's own version grew.
   */
  readonly vector: Vector
  /** The older a node the lower, and always lower than that of its descendants: its position in the log, for example. */
  readonly order: number | bigint
}

/** Answers by one look-up per node: the latest fork or merge of a branch at or before a version. */
export interface History {
  readonly knownAt: (node: Node) => Known
}

/** A node and all that merging needs to know of it. */
export interface Placed extends Known {
  readonly node: Node
}

/** The vector of a node, itself included, from that of its latest fork or merge. */
export const vectorOf = ({ branch, version }: Node, { vector }: Known): Vector =>
  new Map(vector).set(branch, version)

/**
 * The ancestors of two nodes together. A branch that forks, and one that merges, writes down the joined vectors of its
 * parents with its own new version.
 */
export const joined = (one: Vector, other: Vector): Vector => {
  const vector = new Map(one)
  for (const [branch, version] of other) vector.set(branch, Math.max(version, vector.get(branch) ?? version))
  return vector
}

/** Whether a node is among the ancestors that a vector names. */
export const contains = (vector: Vector, { branch, version }: Node): boolean =>
  (vector.get(branch) ?? Number.NEGATIVE_INFINITY) >= version

/** The older first; of the same age, by branch. */
export const byAge = (one: Placed, other: Placed): number => {
  if (one.order !== other.order) return one.order < other.order ? -1 : 1
  return one.node.branch - other.node.branch
}
