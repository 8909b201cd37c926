import { describe, expect, test } from "vitest"
import { parsePointer } from "../../src/base/pointer.ts"
import { pathChanges } from "../../src/sync/path-changes.ts"

const seen = (patterns: ReadonlyArray<string>, before: object, after: object) =>
  pathChanges(
    patterns.map((pattern) => parsePointer(pattern)!),
    before as never,
    after as never
  )

const state = (shared: object, local: object = {}) => ({ local, shared, session: {}, persistent: {} })

describe("a pattern tells of", () => {
  test.each([
    ["a key that it names, where that changed", "/shared/a", { a: 1 }, { a: 2 }, [["/shared/a", 1, 2]]],
    ["a key that came", "/shared/a", {}, { a: null }, [["/shared/a", undefined, null]]],
    ["a key that went", "/shared/a", { a: 1 }, {}, [["/shared/a", 1, undefined]]],
    ["nothing, where another changed", "/shared/a", { a: 1, b: 1 }, { a: 1, b: 2 }, []],
    [
      "what it names, where something below changed",
      "/shared/a",
      { a: { b: { c: 1 }, d: 1 } },
      { a: { b: { c: 2 }, d: 1 } },
      [["/shared/a", { b: { c: 1 }, d: 1 }, { b: { c: 2 }, d: 1 }]]
    ],
    [
      "what it names below what was put in the place of something",
      "/shared/a/b",
      { a: { b: 1 } },
      { a: "x" },
      [["/shared/a/b", 1, undefined]]
    ],
    ["an element of an array", "/shared/a/1", { a: [1, 2] }, { a: [1, 3] }, [["/shared/a/1", 2, 3]]],
    ["no element that stayed", "/shared/a/0", { a: [1, 2] }, { a: [1, 3] }, []],
    [
      "each nearest key that * stands for",
      "/shared/*",
      { a: { x: 1 }, b: 1, c: 1 },
      { a: { x: 2 }, b: 2, c: 1 },
      [
        ["/shared/a", { x: 1 }, { x: 2 }],
        ["/shared/b", 1, 2]
      ]
    ],
    [
      "the very places that changed, with **",
      "/shared/**",
      { a: { x: 1, y: 1 }, b: [1] },
      { a: { x: 2, y: 1 }, b: [1, 2] },
      [
        ["/shared/a/x", 1, 2],
        ["/shared/b", [1], [1, 2]]
      ]
    ],
    [
      "what lies at any depth",
      "/**/title",
      { a: { b: { title: 1 } }, title: 1 },
      { a: { b: { title: 2 } }, title: 3 },
      [
        ["/shared/a/b/title", 1, 2],
        ["/shared/title", 1, 3]
      ]
    ],
    [
      "a whole tier",
      "/shared",
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      [["/shared", { a: 1, b: 1 }, { a: 2, b: 1 }]]
    ],
    [
      "keys with characters of their own",
      "/shared/a~1b",
      { "a/b": 1 },
      { "a/b": 2 },
      [["/shared/a~1b", 1, 2]]
    ],
    [
      "a key that objects inherit",
      "/shared/constructor",
      {},
      { constructor: 1 },
      [["/shared/constructor", undefined, 1]]
    ]
  ])("%s", (_, pattern, before, after, changes) => {
    expect(seen([pattern], state(before), state(after))).toEqual(
      changes.map(([path, one, other]) => ({ path, before: one, after: other }))
    )
  })

  test("nothing where both are the same", () => {
    expect(seen(["/**", "", "/shared"], state({ a: [1, { b: 2 }] }), state({ a: [1, { b: 2 }] }))).toEqual([])
  })

  test("its own, beside others, and once where they agree", () => {
    const changes = seen(
      ["/shared/a", "/shared/**", "/shared/*"],
      state({ a: { x: 1 } }),
      state({ a: { x: 2 } })
    )
    expect(changes.map(({ path }) => path)).toEqual(["/shared/a", "/shared/a/x"])
  })
})
