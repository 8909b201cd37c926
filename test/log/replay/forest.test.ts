import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { forest, type Link, type Placing } from "../../../src/log/audit/forest.ts"
import { effectsOf } from "../../../src/log/audit/links.ts"
import { upTo } from "../test-log.ts"

/** `1<2` is: 1, which 2 led to. */
const links = (text: string): ReadonlyArray<Link> =>
  text.split(" ").map((word) => {
    const [id, cause] = word.split("<")
    return { position: Number.parseInt(id!, 10), id: id!, cause }
  })

const drawn = (placings: ReadonlyArray<Placing>): ReadonlyArray<string> =>
  placings.map(({ link, depth, cause }) => {
    const note = cause === "none" || cause === "shown" ? "" : ` ${cause}`
    return "-".repeat(depth) + link.id + note
  })

describe("causes and effects", () => {
  test.each<readonly [string, string, ReadonlyArray<string>]>([
    ["that are none are roots, by position", "2 1 3", ["1", "2", "3"]],
    [
      "come as trees, each event before what it led to",
      "1 2 3<1 4<2 5<1 6<3",
      ["1", "-3", "--6", "-5", "2", "-4"]
    ],
    ["may lie before their causes", "1<3 2 3", ["2", "3", "-1"]],
    ["may be absent", "5<x 6<5", ["5 absent", "-6"]],
    ["may be an event itself", "1<1 2<1", ["1 circular", "-2"]],
    [
      "may be a circle, which begins with its first event",
      "3<5 4<3 5<4 1 6<5",
      ["1", "3 circular", "-4", "--5", "---6"]
    ],
    ["may hang on a circle that lies behind them", "1<4 2<1 3<4 4<3", ["3 circular", "-4", "--1", "---2"]],
    ["may be two circles", "1<2 2<1 3<4 4<3", ["1 circular", "-2", "3 circular", "-4"]]
  ])("%s", (_, text, expected) => {
    expect(drawn(forest(links(text)))).toEqual(expected)
  })

  const anyLinks: fc.Arbitrary<ReadonlyArray<Link>> = fc
    .array(fc.option(fc.nat({ max: 24 }), { nil: undefined }), { maxLength: 20 })
    .map((causes) =>
      causes.map((cause, at) => ({
        position: at,
        id: `${at}`,
        cause: cause === undefined ? undefined : `${cause}`
      }))
    )

  test("however they are tied, every event comes once, right below its cause where that is shown", () => {
    fc.assert(
      fc.property(anyLinks, (given) => {
        const placings = forest(given)
        expect(placings.map(({ link }) => link.position).toSorted((a, b) => a - b)).toEqual(
          given.map(({ position }) => position)
        )
        const path: Array<Link> = []
        for (const { link, depth, cause } of placings) {
          path.length = depth
          if (cause === "shown") expect(path.at(-1)!.id).toBe(link.cause)
          else expect(depth).toBe(0)
          if (cause === "none") expect(link.cause).toBeUndefined()
          if (cause === "absent") expect(given.some(({ id }) => id === link.cause)).toBe(false)
          if (cause === "circular") expect(given.some(({ id }) => id === link.cause)).toBe(true)
          path.push(link)
        }
        const roots = placings.filter(({ depth }) => depth === 0).map(({ link }) => link.position)
        expect(roots).toEqual(roots.toSorted((a, b) => a - b))
      })
    )
  })

  test("may be a chain of a hundred thousand, or so many of one", () => {
    const count = 100_000
    const chain = upTo(count).map((n): Link => ({
      position: n,
      id: `${n}`,
      cause: n === 1 ? undefined : `${n - 1}`
    }))
    expect(forest(chain).at(-1)).toMatchObject({ depth: count - 1 })
    const star = upTo(count).map((n): Link => ({ position: n, id: `${n}`, cause: n === 1 ? undefined : "1" }))
    expect(forest(star).at(-1)).toMatchObject({ depth: 1, link: { position: count } })
  })
})

describe("the effects of known events in a stretch", () => {
  test.each<readonly [string, string, ReadonlyArray<string>]>([
    ["are those that they led to, and what these led to", "2<1 3<2 4<x 5<3 6<5", ["2", "3", "5", "6"]],
    ["are found where they lie before their causes", "2<3 3<4 4<1 5<9", ["2", "3", "4"]],
    ["are none of those that are known", "1<1 2<1", ["2"]],
    ["may be none", "2<3 3<2 4<5", []]
  ])("%s", (_, text, expected) => {
    expect(effectsOf(new Set(["1"]), links(text)).map(({ id }) => id)).toEqual(expected)
  })
})
