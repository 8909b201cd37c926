import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import type { ArrayStrategy } from "../../../src/state/merge/rule.ts"
import { settle } from "../../../src/state/merge/settle.ts"
import { mergeAt } from "./merged.ts"

// Nothing grows with the square of the size. Time is that of the processor, so that a busy machine does not count.

const SIZE = 10_000
/** In ms; each takes a fraction of it. */
const SOON = 3_000
const MICROSECONDS_PER_MS = 1_000

const soon = <A>(work: () => A): A => {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / MICROSECONDS_PER_MS).toBeLessThan(SOON)
  return result
}

const many = <A>(of: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: SIZE }, (_, index) => of(index))

const object = (of: (index: number) => Json): Json =>
  Object.fromEntries(many((index) => [`key ${index}`, of(index)]))

describe("ten thousand", () => {
  test("keys, all of which conflict, are merged and settled soon", () => {
    const merged = soon(() =>
      mergeAt(
        object((n) => n),
        object((n) => n + 1),
        object((n) => n + 2)
      )
    )
    expect(merged.conflicts).toHaveLength(SIZE)
    expect(
      soon(() => settle(merged, "source_wins", [{ path: "/**/x", strategy: "target_wins" }])).value
    ).toEqual(object((n) => n + 2))
  })

  test("subtrees that were moved and changed are followed soon", () => {
    const task = (n: number, text: string) => ({ n, text: `${text} of ${n}` })
    const base = { at: object((n) => task(n, "old")), to: {} }
    const ours = { at: {}, to: object((n) => task(n, "old")) }
    const theirs = { at: object((n) => task(n, "new")), to: {} }
    const merged = soon(() => mergeAt(base, ours, theirs, [{ path: "/shared/**", moves: "follow" }]))
    expect(merged.conflicts).toEqual([])
    expect(merged.value).toEqual({ at: {}, to: object((n) => task(n, "new")) })
  })

  test("equal subtrees that were deleted and added are not looked at in pairs", () => {
    const same = { text: "the same" }
    const merged = soon(() =>
      mergeAt({ at: object(() => same) }, { to: object(() => same) }, { at: object((n) => [n]) })
    )
    expect(merged.conflicts).toHaveLength(1)
  })

  const item = (id: number, x = 0) => ({ id, x })

  test.each<[string, ArrayStrategy, (n: number) => Json, ReadonlyArray<Json>, ReadonlyArray<Json>]>([
    ["a set", "set", (n) => n, many((n) => -n), many((n) => 2 * n)],
    [
      "a keyed array",
      { keyed: ["id"] },
      (n) => item(n),
      many((n) => item(SIZE - 1 - n)),
      many((n) => item(n * 2, 1))
    ],
    [
      "an appended array",
      "append",
      (n) => item(n),
      [...many((n) => item(n)), ...many((n) => item(SIZE + n))],
      [...many((n) => item(n)), ...many((n) => item(SIZE + 2 * n))]
    ],
    ["a sequence that turned around", "sequence", (n) => n, many((n) => SIZE - n), many((n) => n * 2)],
    [
      "a sequence of two elements",
      "sequence",
      (n) => n % 2,
      many((n) => Math.floor(n / 3) % 2),
      many((n) => Math.floor(n / 7) % 2)
    ],
    [
      "a sequence of many that repeat",
      "sequence",
      (n) => (n * 7) % 100,
      many((n) => (n * n) % 101),
      many((n) => (n * n * n) % 103)
    ]
  ])("elements of %s are merged soon", (_, array, base, ours, theirs) => {
    const { value } = soon(() => mergeAt(many(base), ours, theirs, { array }))
    expect(value).toBeDefined()
  })

  test("lines of a text are merged soon", () => {
    const text = (of: (n: number) => unknown) => many((n) => `${of(n)}\n`).join("")
    const base = text((n) => n)
    const { conflicts } = soon(() =>
      mergeAt(
        base,
        text((n) => (n % 100 === 0 ? "ours" : n)),
        text((n) => (n % 100 === 50 ? "theirs" : n)),
        { text: true }
      )
    )
    expect(conflicts).toEqual([])
  })
})
