import { type Hunk, hunksOf, type Numbered } from "./alignment.ts"

/** A stretch of the base and which hunks of the two sides touch it. */
interface Region {
  readonly from: number
  readonly to: number
  readonly ours: ReadonlyArray<Hunk>
  readonly theirs: ReadonlyArray<Hunk>
}

/** Hunks of both sides that touch, be it only end to end, belong together: which came first would be a guess. */
const regionsOf = (ours: ReadonlyArray<Hunk>, theirs: ReadonlyArray<Hunk>): ReadonlyArray<Region> => {
  const hunks = [
    ...ours.map((hunk) => ({ hunk, isOurs: true })),
    ...theirs.map((hunk) => ({ hunk, isOurs: false }))
  ].toSorted((one, other) => one.hunk.baseFrom - other.hunk.baseFrom)
  const regions: Array<{ from: number; to: number; ours: Array<Hunk>; theirs: Array<Hunk> }> = []
  for (const { hunk, isOurs } of hunks) {
    let region = regions.at(-1)
    if (region === undefined || hunk.baseFrom > region.to) {
      region = { from: hunk.baseFrom, to: hunk.baseTo, ours: [], theirs: [] }
      regions.push(region)
    }
    region.to = Math.max(region.to, hunk.baseTo)
    const side = isOurs ? region.ours : region.theirs
    side.push(hunk)
  }
  return regions
}

/** What a side has in place of a region's stretch of the base, given the hunks with which it touches that. */
const stretchOf = ({ from, to }: Region, hunks: ReadonlyArray<Hunk>): readonly [from: number, to: number] => {
  const first = hunks[0]!
  const last = hunks.at(-1)!
  return [first.sideFrom - (first.baseFrom - from), last.sideTo + (to - last.baseTo)]
}

const numbered = <A>(
  lists: ReadonlyArray<ReadonlyArray<A>>,
  identity: (element: A) => string | symbol
): ReadonlyArray<Numbered> => {
  const numbers = new Map<string | symbol, number>()
  const numberOf = (element: A): number => {
    const key = identity(element)
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    return number
  }
  return lists.map((list) => list.map(numberOf))
}

const isSameList = (one: Numbered, other: Numbered): boolean =>
  one.length === other.length && one.every((number, index) => number === other[index])

/**
 * Merges lists by hunks, as diff3 does: what one side changed is taken, what both changed alike is taken once, and where
 * changes of both touch and differ there is no merge, and undefined comes back. Repeated elements may be aligned in several
 * ways: which way is taken depends on the base and the side alone, so that it is the same whichever side is ours.
 *
 * Sanjeev Khanna, Keshav Kunal, Benjamin Pierce: A Formal Investigation of Diff3 (2007).
 */
export const diff3 = <A>(
  base: ReadonlyArray<A>,
  ours: ReadonlyArray<A>,
  theirs: ReadonlyArray<A>,
  identity: (element: A) => string | symbol
): ReadonlyArray<A> | undefined => {
  const [inBase, inOurs, inTheirs] = numbered([base, ours, theirs], identity) as [
    Numbered,
    Numbered,
    Numbered
  ]
  const merged: Array<A> = []
  const take = (list: ReadonlyArray<A>, from: number, to: number): void => {
    for (let index = from; index < to; index += 1) merged.push(list[index]!)
  }
  let at = 0
  for (const region of regionsOf(hunksOf(inBase, inOurs), hunksOf(inBase, inTheirs))) {
    take(base, at, region.from)
    at = region.to
    if (region.theirs.length === 0) take(ours, ...stretchOf(region, region.ours))
    else if (region.ours.length === 0) take(theirs, ...stretchOf(region, region.theirs))
    else {
      const stretch = stretchOf(region, region.ours)
      if (!isSameList(inOurs.slice(...stretch), inTheirs.slice(...stretchOf(region, region.theirs)))) {
        return undefined
      }
      take(ours, ...stretch)
    }
  }
  take(base, at, base.length)
  return merged
}
