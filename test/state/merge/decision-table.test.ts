import { describe, expect, test } from "vitest"
import type { MaybeJson } from "../../../src/base/json-value.ts"
import { unresolved } from "../../../src/state/merge/virtual.ts"
import { ABSENT, clean, kinds, mergeAt, mergeStates } from "./merged.ts"

// The table of the merge, row by row: ours is the target, theirs the source.

describe("a value merges", () => {
  test.each<[string, MaybeJson, MaybeJson, MaybeJson, MaybeJson]>([
    ["1: what both changed alike", 1, 2, 2, 2],
    ["1: what both added alike", ABSENT, { a: [1] }, { a: [1] }, { a: [1] }],
    ["1: what both deleted", { a: 1 }, ABSENT, ABSENT, ABSENT],
    ["1: what both set to null", 1, null, null, null],
    ["2: what only theirs changed", 1, 1, 2, 2],
    ["2: what only theirs added", ABSENT, ABSENT, 2, 2],
    ["2: what only theirs deleted", 1, 1, ABSENT, ABSENT],
    ["2: what only theirs made another kind of thing", { a: 1 }, { a: 1 }, [1], [1]],
    ["3: what only ours changed", 1, 2, 1, 2],
    ["3: what only ours added", ABSENT, 2, ABSENT, 2],
    ["3: what only ours deleted", 1, ABSENT, 1, ABSENT],
    ["3: what only ours made null", 1, null, 1, null],
    ["4: objects key by key", { a: 1, b: 1, c: 1 }, { a: 2, b: 1, d: 3 }, { a: 1, c: 1 }, { a: 2, d: 3 }],
    ["4: to nothing where each took away the rest", { a: 1, b: 1 }, { a: 1 }, { b: 1 }, {}],
    [
      "4: nested objects",
      { o: { p: { x: 1, y: 1 } } },
      { o: { p: { x: 2, y: 1 } } },
      { o: { p: { x: 1, y: 2 } } },
      { o: { p: { x: 2, y: 2 } } }
    ]
  ])("%s", (_, base, ours, theirs, value) => {
    expect(mergeAt(base, ours, theirs)).toEqual(clean(value))
    expect(mergeAt(base, ours, theirs).value).toEqual(value)
  })

  test("4: and is ours itself where nothing of it changes", () => {
    const ours = { a: { x: 2 }, b: 1 }
    expect(mergeAt({ a: { x: 1 }, b: 1 }, ours, { b: 1, a: { x: 1 } }).value).toBe(ours)
    expect(mergeAt({ a: { x: 1 }, b: 1 }, ours, { b: 2, a: { x: 1 } }).value).toEqual({ a: { x: 2 }, b: 2 })
  })

  test("whatever the order of keys, and by the value of numbers", () => {
    expect(mergeAt({ a: 1, b: 2 }, { b: 2, a: 1 }, 5)).toEqual(clean(5))
    expect(mergeAt([0], [-0], [5])).toEqual(clean([5]))
    expect(mergeAt(1, JSON.parse("1.0") as number, 5)).toEqual(clean(5))
    expect(mergeAt(2 ** 53, JSON.parse("9007199254740993") as number, 5)).toEqual(clean(5))
  })
})

describe("5: objects that both added", () => {
  const merged = mergeAt(ABSENT, { a: 1, in: { x: 1 } }, { b: 2, in: { y: 1 } })

  test("merge key by key, and are told of, once", () => {
    expect(merged.value).toEqual({ a: 1, b: 2, in: { x: 1, y: 1 } })
    expect(merged.conflicts).toEqual([])
    expect(merged.notes).toEqual([{ kind: "auto:add_add_object", path: "/shared/at" }])
  })

  test("conflict where a key of both differs", () => {
    const { value, conflicts } = mergeAt(ABSENT, { a: 1, b: 1 }, { a: 2, c: 1 })
    expect(value).toEqual({ a: 1, b: 1, c: 1 })
    expect(conflicts).toEqual([{ path: "/shared/at/a", kind: "add_add", base: ABSENT, ours: 1, theirs: 2 }])
  })

  test("are told of in each place where that happened", () => {
    const { notes } = mergeAt(
      { p: {}, q: {} },
      { p: { n: { a: 1 } }, q: { n: { a: 1 } } },
      { p: { n: { b: 1 } }, q: { n: { b: 1 } } }
    )
    expect(notes.map(({ path }) => path)).toEqual(["/shared/at/p/n", "/shared/at/q/n"])
  })

  test("conflict as a whole where the rule says so, be it further down", () => {
    expect(kinds(mergeAt(ABSENT, { a: 1 }, { b: 2 }, { bothAdded: "conflict" }))).toEqual([
      "add_add /shared/at"
    ])
    expect(mergeAt(ABSENT, { a: 1 }, { a: 1 }, { bothAdded: "conflict" }).conflicts).toEqual([])
    const below = [{ path: "/shared/at/in", bothAdded: "conflict" }] as const
    expect(kinds(mergeAt(ABSENT, { a: 1, in: { x: 1 } }, { in: { y: 1 } }, below))).toEqual([
      "add_add /shared/at/in"
    ])
  })
})

describe("6: other things that both added", () => {
  test.each<[string, MaybeJson, MaybeJson]>([
    ["scalars", 1, 2],
    ["null and something", null, 1],
    ["null and false", null, false],
    ["arrays", [1], [2]],
    ["an object and an array", {}, []],
    ["texts", "a", "b"]
  ])("conflict: %s", (_, ours, theirs) => {
    expect(mergeAt(ABSENT, ours, theirs, { text: true })).toMatchObject({
      value: ours,
      conflicts: [{ path: "/shared/at", kind: "add_add", base: ABSENT, ours, theirs }]
    })
  })

  test("merge where they are arrays of a kind that begins empty", () => {
    expect(mergeAt(ABSENT, [1, 2], [2, 3], { array: "set" })).toEqual(clean([1, 2, 3]))
    expect(mergeAt(ABSENT, [1], [2], { array: "append" })).toEqual(clean([1, 2]))
    expect(mergeAt(ABSENT, [{ id: 1 }], [{ id: 2 }], { array: { keyed: ["id"] } })).toEqual(
      clean([{ id: 1 }, { id: 2 }])
    )
    expect(kinds(mergeAt(ABSENT, [1], [2], { array: "sequence" }))).toEqual(["add_add /shared/at"])
  })

  test("merge where they are counted from 0, or the greater or lesser one is wanted", () => {
    expect(mergeAt(ABSENT, 2, 3, { number: "counter" })).toEqual(clean(5))
    expect(mergeAt(ABSENT, 2, 3, { number: "max" })).toEqual(clean(3))
    expect(mergeAt(ABSENT, -2, -3, { number: "max" })).toEqual(clean(-2))
    expect(mergeAt(ABSENT, 2, 3, { number: "min" })).toEqual(clean(2))
  })

  test("conflict where the rule says so, whatever they are", () => {
    expect(kinds(mergeAt(ABSENT, [1], [2], { array: "set", bothAdded: "conflict" }))).toEqual([
      "add_add /shared/at"
    ])
    expect(kinds(mergeAt(ABSENT, 1, 2, { number: "counter", bothAdded: "conflict" }))).toEqual([
      "add_add /shared/at"
    ])
  })
})

describe("7: what ours deleted and theirs changed", () => {
  test("conflicts, and stays deleted until that is resolved", () => {
    expect(mergeAt(1, ABSENT, 2)).toEqual({
      path: ["shared", "at"],
      value: ABSENT,
      conflicts: [
        {
          path: "/shared/at",
          kind: "delete_modify",
          base: 1,
          ours: ABSENT,
          theirs: 2,
          changed: ["/shared/at"]
        }
      ],
      notes: []
    })
  })

  test("conflicts at the highest path deleted, with what changed below it", () => {
    const base = { a: { x: { y: 1, z: 1 }, gone: 1, same: 1 }, b: 1 }
    const { value, conflicts } = mergeAt(base, { b: 1 }, { a: { x: { y: 2, z: 1 }, new: 1, same: 1 }, b: 2 })
    expect(value).toEqual({ b: 2 })
    expect(conflicts).toMatchObject([
      {
        path: "/shared/at/a",
        kind: "delete_modify",
        ours: ABSENT,
        changed: ["/shared/at/a/gone", "/shared/at/a/new", "/shared/at/a/x/y"]
      }
    ])
  })

  test("conflicts where it was changed to null, which is not absent", () => {
    expect(kinds(mergeAt(1, ABSENT, null))).toEqual(["delete_modify /shared/at"])
  })
})

describe("8: what theirs deleted and ours changed", () => {
  test("conflicts, and stays changed until that is resolved", () => {
    expect(mergeAt({ a: 1 }, { a: 2 }, ABSENT)).toEqual({
      path: ["shared", "at"],
      value: { a: 2 },
      conflicts: [
        {
          path: "/shared/at",
          kind: "modify_delete",
          base: { a: 1 },
          ours: { a: 2 },
          theirs: ABSENT,
          changed: ["/shared/at/a"]
        }
      ],
      notes: []
    })
  })

  test("is told from a key whose name begins alike (a false conflict that Dolt had: $.a and $.aa)", () => {
    const base = { a: { x: 1 }, aa: { x: 1 } }
    expect(mergeAt(base, { aa: { x: 2 } }, { a: { x: 1 }, aa: { x: 1 } })).toEqual(clean({ aa: { x: 2 } }))
    expect(mergeAt(base, { aa: { x: 1 } }, { a: { x: 1 }, aa: { x: 2 } })).toEqual(clean({ aa: { x: 2 } }))
    expect(mergeAt(base, { a: { x: 2 }, aa: { x: 1 } }, { a: { x: 1 } })).toEqual(clean({ a: { x: 2 } }))
  })
})

describe("9, 10, 11: what both changed and its path has a rule for", () => {
  test("merges by the rule", () => {
    expect(mergeAt([1], [1, 2], [1, 3], { array: "set" })).toEqual(clean([1, 2, 3]))
    expect(mergeAt("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", { text: true })).toEqual(clean("A\nb\nC\n"))
    expect(mergeAt(10, 12, 9, { number: "counter" })).toEqual(clean(11))
  })

  test("conflicts without one", () => {
    expect(kinds(mergeAt([1], [1, 2], [1, 3]))).toEqual(["modify_modify /shared/at"])
    expect(kinds(mergeAt("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"))).toEqual(["modify_modify /shared/at"])
    expect(kinds(mergeAt(10, 12, 9))).toEqual(["modify_modify /shared/at"])
  })

  test("conflicts where the rule is one for another kind of thing", () => {
    expect(kinds(mergeAt("a", "b", "c", { array: "set", number: "max" }))).toEqual([
      "modify_modify /shared/at"
    ])
    expect(kinds(mergeAt([1], [2], 3, { array: "set", number: "max" }))).toEqual(["type_change /shared/at"])
    expect(kinds(mergeAt(null, [2], [3], { array: "set" }))).toEqual(["modify_modify /shared/at"])
    expect(kinds(mergeAt(null, 2, 3, { number: "counter" }))).toEqual(["modify_modify /shared/at"])
  })
})

describe("12: what both changed in different ways", () => {
  test.each<[string, MaybeJson, MaybeJson, MaybeJson, string]>([
    ["to other values of one kind", 1, 2, 3, "modify_modify"],
    ["to other values of one kind that the base was not of", null, "a", "b", "modify_modify"],
    ["to objects where there was none", 1, { a: 1 }, { b: 1 }, "modify_modify"],
    ["to arrays where there was none", 1, [1], [2], "modify_modify"],
    ["to other kinds", 1, "a", true, "type_change"],
    ["one to another kind", { a: 1 }, { a: 2 }, 3, "type_change"],
    ["to null and false", 0, null, false, "type_change"],
    ["to an object and an array", 0, {}, [], "type_change"]
  ])("conflicts: %s", (_, base, ours, theirs, kind) => {
    expect(mergeAt(base, ours, theirs)).toMatchObject({
      value: ours,
      conflicts: [{ path: "/shared/at", kind, base, ours, theirs }]
    })
  })
})

describe("where the bases disagree,", () => {
  test("equal sides converge, and different ones conflict, also where one is absent", () => {
    expect(mergeAt(unresolved("at"), 1, 1)).toEqual(clean(1))
    expect(mergeAt(unresolved("at"), ABSENT, ABSENT)).toEqual(clean(ABSENT))
    expect(mergeAt(unresolved("at"), 1, 2).conflicts).toEqual([
      { path: "/shared/at", kind: "modify_modify", base: ABSENT, baseUnknown: true, ours: 1, theirs: 2 }
    ])
    expect(kinds(mergeAt(unresolved("at"), 1, "a"))).toEqual(["type_change /shared/at"])
    expect(kinds(mergeAt(unresolved("at"), ABSENT, 1))).toEqual(["delete_modify /shared/at"])
    expect(kinds(mergeAt(unresolved("at"), 1, ABSENT))).toEqual(["modify_delete /shared/at"])
  })

  test("no rule says who changed what", () => {
    expect(kinds(mergeAt(unresolved("at"), 1, 2, { number: "max" }))).toEqual(["modify_modify /shared/at"])
    expect(kinds(mergeAt(unresolved("at"), [1], [2], { array: "set" }))).toEqual(["modify_modify /shared/at"])
  })

  test("what lies beside merges as ever", () => {
    const base = { torn: unresolved("torn"), a: 1, b: 1 }
    expect(mergeAt(base, { torn: 1, a: 2, b: 1 }, { torn: 1, a: 1, b: 2 })).toEqual(
      clean({ torn: 1, a: 2, b: 2 })
    )
    const merged = mergeAt(base, { torn: 1, a: 2, b: 1 }, { torn: 2, a: 1, b: 2 })
    expect(merged.value).toEqual({ torn: 1, a: 2, b: 2 })
    expect(kinds(merged)).toEqual(["modify_modify /shared/at/torn"])
  })

  test("only that of two objects conflicts in which they differ", () => {
    const merged = mergeAt(unresolved("at"), { same: 1, x: 1, mine: 1 }, { same: 1, x: 2 })
    expect(merged.value).toEqual({ same: 1, x: 1, mine: 1 })
    expect(kinds(merged)).toEqual(["modify_delete /shared/at/mine", "modify_modify /shared/at/x"])
  })

  test("a value that holds such a place is like no other", () => {
    const torn = { a: 1, torn: unresolved("torn") }
    expect(mergeAt([torn], [{ a: 1 }], [{ a: 2 }]).conflicts).toMatchObject([
      { base: ABSENT, baseUnknown: true }
    ])
    expect(mergeAt({ in: torn }, {}, { in: { a: 1, torn: 1 } }).conflicts).toMatchObject([
      {
        path: "/shared/at/in",
        kind: "delete_modify",
        base: ABSENT,
        baseUnknown: true,
        changed: ["/shared/at/in/torn"]
      }
    ])
  })
})

describe("conflicts", () => {
  test("come in the order of their paths, whatever that of the keys", () => {
    const merged = mergeStates({}, { local: { b: 1, a: 1 }, "": 1 }, { local: { a: 2, b: 2 }, "": 2 })
    expect(merged.conflicts.map(({ path }) => path)).toEqual(["/", "/local/a", "/local/b"])
  })

  test("name odd keys by RFC 6901", () => {
    const keys = ["", "~", "/", "~1", "constructor", "hasOwnProperty", "ü", "*", "0"]
    const all = (value: number) => Object.fromEntries(keys.map((key) => [key, value]))
    const { value, conflicts } = mergeStates(all(0), all(1), all(2))
    expect(value).toEqual(all(1))
    expect(conflicts.map(({ path }) => path).toSorted()).toEqual(
      ["/", "/~0", "/~1", "/~01", "/constructor", "/hasOwnProperty", "/ü", "/*", "/0"].toSorted()
    )
  })

  test("are none where only one side has a key that every object inherits", () => {
    expect(mergeStates({}, { constructor: 1 }, { toString: 2 })).toEqual(
      clean({ constructor: 1, toString: 2 })
    )
    expect(mergeStates({ valueOf: 1 }, {}, { valueOf: 1 })).toEqual(clean({}))
    expect(kinds(mergeStates({ constructor: 1 }, {}, { constructor: 2 }))).toEqual([
      "delete_modify /constructor"
    ])
  })
})
