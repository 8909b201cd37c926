import { type History, type Known, type Node, type Placed, vectorOf } from "./history.ts"

/**
 * A computation that asks about nodes as it goes: it yields those it wants to know of, all that it can name at once, and is
 * sent what is known of each, in the same order. Who has the history in a database answers each list with one query.
 */
export type Asking<A> = Generator<ReadonlyArray<Node>, A, ReadonlyArray<Known>>

/** Asks about nodes. */
export const ask = function* (nodes: ReadonlyArray<Node>): Asking<ReadonlyArray<Placed>> {
  if (nodes.length === 0) return []
  const known = yield nodes
  return nodes.map((node, index) => {
    const { order, ...rest } = known[index]!
    return { node, order, vector: vectorOf(node, { order, ...rest }) }
  })
}

/** Lets a history that is at hand answer all questions. */
export const answered = <A>(asking: Asking<A>, history: History): A => {
  let step = asking.next()
  while (step.done !== true) step = asking.next(step.value.map(history.knownAt))
  return step.value
}
