import type { Random } from "../../support/random.ts"

export interface Step {
  /** The places of its parents among the steps. */
  readonly parents: ReadonlyArray<number>
}

/** How histories are made, in shares of their steps. */
export interface Shape {
  readonly roots: number
  readonly steps: number
  readonly branches: number
  /** Two branches merge each other, as both were before. */
  readonly crissCross: number
  readonly merge: number
  readonly fork: number
}

/** A random history of branches that go on, fork, and merge each other, from anywhere. */
export const randomHistory = (
  { next, between, oneOf, chance }: Random,
  shape: Shape
): { readonly steps: ReadonlyArray<Step>; readonly tips: ReadonlyArray<number> } => {
  const steps: Array<Step> = []
  const tips: Array<number> = []
  const add = (...parents: ReadonlyArray<number>): number =>
    steps.push({ parents: [...new Set(parents)] }) - 1
  for (let root = 0; root < shape.roots; root += 1) tips.push(add())
  const source = (target: number): number => (chance(0.7) ? oneOf(tips) : between(0, target))
  while (steps.length < shape.steps) {
    const branch = between(0, tips.length - 1)
    const other = between(0, tips.length - 1)
    const dice = next()
    if (dice < shape.crissCross && branch !== other) {
      const [one, two] = [tips[branch]!, tips[other]!]
      tips[branch] = add(one, two)
      tips[other] = add(two, one)
    } else if (dice < shape.crissCross + shape.merge) tips[branch] = add(tips[branch]!, source(tips[branch]!))
    else if (dice < shape.crissCross + shape.merge + shape.fork && tips.length < shape.branches)
      tips.push(add(between(0, steps.length - 1)))
    else tips[branch] = add(tips[branch]!)
  }
  return { steps, tips }
}
