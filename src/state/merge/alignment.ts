/** A stretch of the base that a side replaced by a stretch of its own; either may be empty, never both. */
export interface Hunk {
  readonly baseFrom: number
  readonly baseTo: number
  readonly sideFrom: number
  readonly sideTo: number
}

/** Elements by number: equal ones have the same. */
export type Numbered = ReadonlyArray<number>

/** Insertions and deletions in one stretch beyond which it is taken as replaced as a whole: time and memory stay bounded. */
export const MAX_EDITS = 1_000

type Pair = readonly [base: number, side: number]

/** In each list an element that is there once: where. */
const onceIn = (list: Numbered, from: number, to: number): Map<number, number> => {
  const places = new Map<number, number>()
  for (let index = from; index < to; index += 1) {
    places.set(list[index]!, places.has(list[index]!) ? -1 : index)
  }
  return places
}

/** The longest run of pairs that rises on both sides, by patience sorting; they rise on the first side as given. */
const rising = (pairs: ReadonlyArray<Pair>): ReadonlyArray<Pair> => {
  const tops: Array<number> = []
  const before: Array<number | undefined> = []
  for (const [index, [, side]] of pairs.entries()) {
    let low = 0
    let high = tops.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pairs[tops[middle]!]![1] < side) low = middle + 1
      else high = middle
    }
    before.push(low === 0 ? undefined : tops[low - 1])
    tops[low] = index
  }
  const run: Array<Pair> = []
  for (let at = tops.at(-1); at !== undefined; at = before[at]) run.push(pairs[at]!)
  return run.toReversed()
}

/** Aligns a side with the base. */
class Alignment {
  readonly pairs: Array<Pair> = []
  private readonly base: Numbered
  private readonly side: Numbered

  constructor(base: Numbered, side: Numbered) {
    this.base = base
    this.side = side
  }

  /** Pairs what is the same in a stretch: its ends, then what is there only once, then the rest by fewest edits. */
  match({ baseFrom, baseTo, sideFrom, sideTo }: Hunk, anchored = false): void {
    while (baseFrom < baseTo && sideFrom < sideTo && this.base[baseFrom] === this.side[sideFrom]) {
      this.pairs.push([baseFrom, sideFrom])
      baseFrom += 1
      sideFrom += 1
    }
    let tail = 0
    while (
      baseFrom < baseTo - tail &&
      sideFrom < sideTo - tail &&
      this.base[baseTo - tail - 1] === this.side[sideTo - tail - 1]
    ) {
      tail += 1
    }
    const rest = { baseFrom, baseTo: baseTo - tail, sideFrom, sideTo: sideTo - tail }
    if (rest.baseFrom < rest.baseTo && rest.sideFrom < rest.sideTo) {
      const anchors = anchored ? [] : this.anchors(rest)
      if (anchors.length === 0) this.matchByEdits(rest)
      else this.matchBetween(rest, anchors)
    }
    for (; tail > 0; tail -= 1) this.pairs.push([baseTo - tail, sideTo - tail])
  }

  private matchBetween(stretch: Hunk, anchors: ReadonlyArray<Pair>): void {
    let { baseFrom, sideFrom } = stretch
    for (const [base, side] of anchors) {
      this.match({ baseFrom, baseTo: base, sideFrom, sideTo: side }, true)
      this.pairs.push([base, side])
      baseFrom = base + 1
      sideFrom = side + 1
    }
    this.match({ ...stretch, baseFrom, sideFrom }, true)
  }

  /** What is there exactly once on either side holds the rest in place (Bram Cohen's patience diff). */
  private anchors({ baseFrom, baseTo, sideFrom, sideTo }: Hunk): ReadonlyArray<Pair> {
    const inSide = onceIn(this.side, sideFrom, sideTo)
    const pairs: Array<Pair> = []
    for (const [element, base] of onceIn(this.base, baseFrom, baseTo)) {
      const side = inSide.get(element) ?? -1
      if (base !== -1 && side !== -1) pairs.push([base, side])
    }
    return rising(pairs.toSorted(([one], [other]) => one - other))
  }

  /** Myers, An O(ND) Difference Algorithm (1986), the greedy form, given up after MAX_EDITS. */
  private matchByEdits({ baseFrom, baseTo, sideFrom, sideTo }: Hunk): void {
    const width = baseTo - baseFrom
    const height = sideTo - sideFrom
    const limit = Math.min(width + height, MAX_EDITS)
    const middle = limit + 1
    const reached = new Int32Array(2 * limit + 3)
    const rounds: Array<Int32Array> = []
    for (let edits = 0; edits <= limit; edits += 1) {
      rounds.push(reached.slice(middle - edits - 1, middle + edits + 2))
      for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
        const left = reached[middle + diagonal - 1]!
        const above = reached[middle + diagonal + 1]!
        let x = diagonal === -edits || (diagonal !== edits && left < above) ? above : left + 1
        while (
          x < width &&
          x - diagonal < height &&
          this.base[baseFrom + x] === this.side[sideFrom + x - diagonal]
        ) {
          x += 1
        }
        reached[middle + diagonal] = x
        if (diagonal === width - height && x >= width) {
          for (const pair of pathBack(rounds, width, height, baseFrom, sideFrom)) this.pairs.push(pair)
          return
        }
      }
    }
  }
}

/** The pairs on the way that the rounds of `matchByEdits` found, in order. */
const pathBack = (
  rounds: ReadonlyArray<Int32Array>,
  width: number,
  height: number,
  baseFrom: number,
  sideFrom: number
): ReadonlyArray<Pair> => {
  const pairs: Array<Pair> = []
  let x = width
  let y = height
  for (let edits = rounds.length - 1; edits >= 0; edits -= 1) {
    const reached = rounds[edits]!
    const diagonal = x - y
    const left = reached[edits + diagonal]!
    const above = reached[edits + diagonal + 2]!
    const down = diagonal === -edits || (diagonal !== edits && left < above)
    const [fromX, fromY] =
      edits === 0 ? [0, 0] : down ? [above, above - diagonal - 1] : [left, left - diagonal + 1]
    while (x > fromX && y > fromY) {
      x -= 1
      y -= 1
      pairs.push([baseFrom + x, sideFrom + y])
    }
    x = fromX
    y = fromY
  }
  return pairs.toReversed()
}

/** What a side changed, in order; at least one element that both have lies between two hunks. */
export const hunksOf = (base: Numbered, side: Numbered): ReadonlyArray<Hunk> => {
  const alignment = new Alignment(base, side)
  alignment.match({ baseFrom: 0, baseTo: base.length, sideFrom: 0, sideTo: side.length })
  const hunks: Array<Hunk> = []
  let baseFrom = 0
  let sideFrom = 0
  for (const [baseTo, sideTo] of [...alignment.pairs, [base.length, side.length] as const]) {
    if (baseFrom < baseTo || sideFrom < sideTo) hunks.push({ baseFrom, baseTo, sideFrom, sideTo })
    baseFrom = baseTo + 1
    sideFrom = sideTo + 1
  }
  return hunks
}
