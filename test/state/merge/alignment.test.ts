import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Hunk, hunksOf, MAX_EDITS, type Numbered } from "../../../src/state/merge/alignment.ts"

/** The side, made of the base and the hunks. */
const rebuilt = (base: Numbered, side: Numbered, hunks: ReadonlyArray<Hunk>): Numbered => {
  const out: Array<number> = []
  let at = 0
  for (const { baseFrom, baseTo, sideFrom, sideTo } of hunks) {
    out.push(...base.slice(at, baseFrom), ...side.slice(sideFrom, sideTo))
    at = baseTo
  }
  return [...out, ...base.slice(at)]
}

const edits = (hunks: ReadonlyArray<Hunk>): number =>
  hunks.reduce(
    (sum, { baseFrom, baseTo, sideFrom, sideTo }) => sum + baseTo - baseFrom + sideTo - sideFrom,
    0
  )

/** The fewest insertions and deletions, by dynamic programming. */
const fewest = (base: Numbered, side: Numbered): number => {
  let common = Array.from({ length: side.length + 1 }, () => 0)
  for (const element of base) {
    const row = [0]
    for (const [index, other] of side.entries()) {
      row.push(element === other ? common[index]! + 1 : Math.max(common[index + 1]!, row[index]!))
    }
    common = row
  }
  return base.length + side.length - 2 * common.at(-1)!
}

const isWellFormed = (hunks: ReadonlyArray<Hunk>): boolean =>
  hunks.every(({ baseFrom, baseTo, sideFrom, sideTo }, index) => {
    const before = hunks[index - 1]
    const apart = before === undefined || (before.baseTo < baseFrom && before.sideTo < sideFrom)
    return apart && baseFrom <= baseTo && sideFrom <= sideTo && (baseFrom < baseTo || sideFrom < sideTo)
  })

describe("the hunks between two lists", () => {
  const lists = (elements: number) => fc.array(fc.nat(elements - 1), { maxLength: 30 })

  test.each([2, 3, 10, 100])("of %d elements make one from the other, and lie apart", (elements) => {
    fc.assert(
      fc.property(lists(elements), lists(elements), (base, side) => {
        const hunks = hunksOf(base, side)
        expect(rebuilt(base, side, hunks)).toEqual(side)
        expect(isWellFormed(hunks)).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })

  test("are as few edits as can be where nothing is there only once to hold on to", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1), { maxLength: 20 }),
        fc.array(fc.nat(1), { maxLength: 20 }),
        (once, twice) => {
          const [base, side] = [
            [...once, 0, 0, 1, 1],
            [...twice, 0, 1, 0, 1]
          ]
          expect(edits(hunksOf(base, side))).toBe(fewest(base, side))
        }
      ),
      { numRuns: 1_000 }
    )
  })

  test("hold on to what is there only once, and not to what repeats, however much of it there is", () => {
    expect(hunksOf([9, 0, 0, 0], [0, 0, 0, 9])).toEqual([
      { baseFrom: 0, baseTo: 0, sideFrom: 0, sideTo: 3 },
      { baseFrom: 1, baseTo: 4, sideFrom: 4, sideTo: 4 }
    ])
  })

  test("are all found where what stayed is there only once, also more than MAX_EDITS", () => {
    const base = Array.from({ length: MAX_EDITS * 4 }, (_, index) => index)
    const side = base.map((element) => (element % 2 === 0 ? -1 : element))
    expect(hunksOf(base, side)).toHaveLength(MAX_EDITS * 2)
  })

  test("are one where more edits than MAX_EDITS would have to be looked for", () => {
    const some = (count: number, pattern: ReadonlyArray<number>) =>
      Array.from({ length: count }, (_, index) => pattern[index % pattern.length]!)
    const base = [9, ...some(MAX_EDITS, [1, 1, 2]), 9]
    const side = [9, ...some(MAX_EDITS * 3, [2, 1, 3, 3]), 9]
    const hunks = hunksOf(base, side)
    expect(hunks).toEqual([{ baseFrom: 1, baseTo: MAX_EDITS + 1, sideFrom: 1, sideTo: MAX_EDITS * 3 + 1 }])
  })
})
