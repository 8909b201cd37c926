import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import type { ArrayStrategy } from "../../../src/state/merge/rule.ts"
import { unresolved } from "../../../src/state/merge/virtual.ts"
import { clean, kinds, mergeAt } from "./merged.ts"

type List = ReadonlyArray<Json>

const by = (array: ArrayStrategy) => (base: List, ours: List, theirs: List) =>
  mergeAt(base, ours, theirs, { array })

describe("a keyed array", () => {
  const merged = by({ keyed: ["id"] })

  test("is merged element by element", () => {
    expect(
      merged(
        [{ id: 1, a: 1, b: 1 }, { id: 2 }, { id: 3 }],
        [{ id: 1, a: 2, b: 1 }, { id: 2 }],
        [{ id: 1, a: 1, b: 2 }, { id: 3 }]
      )
    ).toEqual(clean([{ id: 1, a: 2, b: 2 }]))
  })

  test("may have keys of several fields, and of any kind", () => {
    const both = by({ keyed: ["kind", "no"] })
    expect(
      both(
        [
          { kind: "a", no: 1, x: 0 },
          { kind: "b", no: { n: 1 }, x: 0 }
        ],
        [
          { kind: "a", no: 1, x: 1 },
          { kind: "b", no: { n: 1 }, x: 0 }
        ],
        [
          { kind: "a", no: 1, x: 0 },
          { kind: "b", no: { n: 1 }, x: 2 }
        ]
      )
    ).toEqual(
      clean([
        { kind: "a", no: 1, x: 1 },
        { kind: "b", no: { n: 1 }, x: 2 }
      ])
    )
  })

  test("conflicts inside an element, which is named by its key", () => {
    const { value, conflicts } = merged(
      [
        { id: "a/b", n: 1 },
        { id: 2, n: 1 }
      ],
      [{ id: 0 }, { id: "a/b", n: 2 }, { id: 2, n: 1 }],
      [
        { id: "a/b", n: 3 },
        { id: 2, n: 4 }
      ]
    )
    expect(value).toEqual([{ id: 0 }, { id: "a/b", n: 2 }, { id: 2, n: 4 }])
    expect(conflicts).toMatchObject([
      { path: '/shared/at/{"id":"a~1b"}/n', kind: "modify_modify", base: 1, ours: 2, theirs: 3 }
    ])
  })

  test("conflicts about a deleted element at that element only", () => {
    const { value, conflicts } = merged(
      [
        { id: 1, n: 1 },
        { id: 2, n: 1 },
        { id: 3, n: 1 }
      ],
      [
        { id: 2, n: 2 },
        { id: 3, n: 1 }
      ],
      [
        { id: 1, n: 2 },
        { id: 3, n: 2 }
      ]
    )
    expect(value).toEqual([
      { id: 2, n: 2 },
      { id: 3, n: 2 }
    ])
    expect(conflicts).toMatchObject([
      {
        path: '/shared/at/{"id":1}',
        kind: "delete_modify",
        theirs: { id: 1, n: 2 },
        gap: { index: 0, rank: 0 },
        changed: ['/shared/at/{"id":1}/n']
      },
      { path: '/shared/at/{"id":2}', kind: "modify_delete", ours: { id: 2, n: 2 } }
    ])
    expect(conflicts[1]).not.toHaveProperty("gap")
  })

  test("merges what both added with one key as what both added", () => {
    const { value, conflicts, notes } = merged([], [{ id: 1, a: 1, b: 1 }], [{ id: 1, a: 2, c: 1 }])
    expect(value).toEqual([{ id: 1, a: 1, b: 1, c: 1 }])
    expect(conflicts).toMatchObject([{ path: '/shared/at/{"id":1}/a', kind: "add_add" }])
    expect(notes).toEqual([{ kind: "auto:add_add_object", path: '/shared/at/{"id":1}' }])
  })

  test("counts in what both added with one key, but not that key", () => {
    const rules = [
      { path: "/shared/at", array: { keyed: ["id"] } },
      { path: "/shared/**", number: "counter" }
    ] as const
    expect(mergeAt([], [{ id: 2, n: 1, ours: 1 }], [{ id: 2, n: 1 }], rules)).toMatchObject({
      value: [{ id: 2, n: 2, ours: 1 }],
      conflicts: []
    })
  })

  test("has rules for what is below its elements", () => {
    const rules = [
      { path: "/shared/at", array: { keyed: ["id"] } },
      { path: "/shared/at/*/tags", array: "set" }
    ] as const
    expect(
      mergeAt([{ id: 1, tags: ["a"] }], [{ id: 1, tags: ["a", "b"] }], [{ id: 1, tags: ["c"] }], rules)
    ).toEqual(clean([{ id: 1, tags: ["b", "c"] }]))
  })

  test.each<[string, List, List, List, string]>([
    ["an element without the key", [{ id: 1 }], [{ id: 1 }, { no: 2 }], [], "in ours element 1 has no id"],
    ["an element that is no object", [{ id: 1 }], [], [{ id: 1 }, 5], "in theirs element 1 has no id"],
    [
      "two elements of one key",
      [{ id: 1 }, { id: 1 }],
      [],
      [{ id: 1 }],
      'in the base two elements have the key {"id":1}'
    ]
  ])("is atomic where it has %s, and says so", (_, base, ours, theirs, reason) => {
    const { value, conflicts, notes } = merged(base, ours, theirs)
    expect(value).toEqual(ours)
    expect(conflicts).toMatchObject([{ path: "/shared/at", kind: "modify_modify", base, ours, theirs }])
    expect(notes).toEqual([{ kind: "fallback", path: "/shared/at", from: "keyed", to: "atomic", reason }])
  })

  test("keeps an element on which the bases disagree apart from the others", () => {
    const base = [unresolved('{"id":1}'), { id: 2, n: 1 }]
    const merge = (ours: List, theirs: List) => mergeAt(base, ours, theirs, { array: { keyed: ["id"] } })
    expect(
      merge(
        [
          { id: 1, n: 1 },
          { id: 2, n: 2 }
        ],
        [
          { id: 1, n: 1 },
          { id: 2, n: 1 }
        ]
      )
    ).toEqual(
      clean([
        { id: 1, n: 1 },
        { id: 2, n: 2 }
      ])
    )
    expect(
      kinds(
        merge(
          [
            { id: 1, n: 1 },
            { id: 2, n: 2 }
          ],
          [
            { id: 1, n: 2 },
            { id: 2, n: 1 }
          ]
        )
      )
    ).toEqual(['modify_modify /shared/at/{"id":1}/n'])
    expect(
      kinds(
        merge(
          [{ id: 2, n: 2 }],
          [
            { id: 1, n: 2 },
            { id: 2, n: 1 }
          ]
        )
      )
    ).toEqual(['delete_modify /shared/at/{"id":1}'])
  })
})

describe("the order of a keyed array", () => {
  const list = (names: string): List => [...names].map((id) => ({ id }))
  const touched = (names: string, on: string): List =>
    [...names].map((id) => (on.includes(id) ? { id, x: 1 } : { id }))

  const order = (base: List, ours: List, theirs: List): string => {
    const { value, conflicts } = mergeAt(base, ours, theirs, { array: { keyed: ["id"] } })
    expect(conflicts).toEqual([])
    return (value as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id).join("")
  }

  test.each<[string, string, string, string, string]>([
    ["that of theirs where ours kept that of the base", "abc", "abcx", "cab", "cxab"],
    ["that of ours where theirs kept that of the base", "abc", "cab", "abcx", "cxab"],
    ["that of ours where neither kept it", "abc", "cab", "bac", "cab"],
    [
      "that of ours where both kept it, with what theirs added behind its nearest common predecessor",
      "ab",
      "axb",
      "ayb",
      "axyb"
    ],
    ["the same at the front", "a", "xa", "ya", "xya"],
    ["the same at the end", "a", "ax", "ay", "axy"],
    ["one in which a run of additions stays together", "ab", "axyb", "apqb", "axypqb"],
    ["one in which a predecessor that was deleted does not count", "abc", "ac", "abxc", "axc"]
  ])("is %s", (_, base, ours, theirs, merged) => {
    expect(order(list(base), list(ours), list(theirs))).toBe(merged)
  })

  test("is no edit: who moves an element does not conflict with who changes or deletes it", () => {
    expect(order(list("abc"), list("cba"), touched("abc", "b"))).toBe("cba")
    expect(order(list("abc"), touched("abc", "b"), list("cba"))).toBe("cba")
    expect(order(list("abc"), list("cba"), list("ac"))).toBe("ca")
  })
})
