import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import { type Resolution, resolve } from "../../../src/state/merge/resolve.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { settle } from "../../../src/state/merge/settle.ts"
import { unresolved } from "../../../src/state/merge/virtual.ts"
import { kinds, mergeAt, mergeStates } from "./merged.ts"

const choices = (all: { readonly [path: string]: Resolution }) => new Map(Object.entries(all))

const torn = () =>
  mergeStates(
    { s: { both: 1, gone: { x: 1 }, kept: { x: 1 }, clean: 1 } },
    { s: { both: 2, kept: { x: 2 }, clean: 2, add: 1 } },
    { s: { both: 3, gone: { x: 2 }, clean: 1, add: 2 } }
  )

describe("a conflict that is resolved", () => {
  test("has ours, theirs or the base in its place, which may be nothing, or another value", () => {
    const merged = torn()
    expect(kinds(merged)).toEqual([
      "add_add /s/add",
      "modify_modify /s/both",
      "delete_modify /s/gone",
      "modify_delete /s/kept"
    ])
    const all = (resolution: Resolution) =>
      resolve(merged, new Map(merged.conflicts.map(({ path }) => [path, resolution] as const)))
    expect(all({ use: "ours" })).toMatchObject({ value: merged.value, conflicts: [] })
    expect(all({ use: "theirs" }).value).toEqual({ s: { both: 3, gone: { x: 2 }, clean: 2, add: 2 } })
    expect(all({ use: "base" }).value).toEqual({ s: { both: 1, gone: { x: 1 }, kept: { x: 1 }, clean: 2 } })
    expect(all({ use: { value: null } }).value).toEqual({
      s: { both: null, gone: null, kept: null, clean: 2, add: null }
    })
  })

  test("is gone, and the others stay open", () => {
    const merged = torn()
    const some = resolve(merged, choices({ "/s/kept": { use: "theirs" }, "/s/gone": { use: { value: 7 } } }))
    expect(some.value).toEqual({ s: { both: 2, gone: 7, clean: 2, add: 1 } })
    expect(some.conflicts).toEqual([merged.conflicts[0], merged.conflicts[1]])
    expect(resolve(some, choices({ "/s/add": { use: "theirs" }, "/s/both": { use: "base" } }))).toMatchObject(
      {
        value: { s: { both: 1, gone: 7, clean: 2, add: 2 } },
        conflicts: []
      }
    )
  })

  test("is none of those that were not in conflict", () => {
    const merged = torn()
    expect(resolve(merged, choices({ "/s/clean": { use: { value: 9 } }, "/s": { use: "theirs" } }))).toEqual(
      merged
    )
  })

  test("may be all there is", () => {
    const merged = mergeAt({ a: 1 }, { a: 2 }, undefined)
    expect(resolve(merged, choices({ "/shared/at": { use: "theirs" } })).value).toBeUndefined()
    expect(resolve(merged, choices({ "/shared/at": { use: "base" } })).value).toEqual({ a: 1 })
  })

  test("stays open where it is to have a base on which the bases disagree", () => {
    const merged = mergeAt(unresolved("at"), 1, 2)
    const base = resolve(merged, choices({ "/shared/at": { use: "base" } }))
    expect(base).toMatchObject({ value: 1, conflicts: merged.conflicts })
    expect(resolve(merged, choices({ "/shared/at": { use: "theirs" } }))).toMatchObject({
      value: 2,
      conflicts: []
    })
  })
})

describe("a conflict inside a keyed array that is resolved", () => {
  const rules = { array: { keyed: ["id"] } } as const
  const list = (ids: string, n = 0): ReadonlyArray<Json> => [...ids].map((id) => ({ id, n }))
  const shown = (value: unknown) =>
    (value as ReadonlyArray<{ id: string; n: number }>).map(({ id, n }) => `${id}${n}`).join(" ")

  test("is found by the key of its element, wherever that is by now", () => {
    const merged = mergeAt(
      list("ab"),
      [
        { id: "a", n: 1 },
        { id: "b", n: 1 }
      ],
      [
        { id: "b", n: 2 },
        { id: "x", n: 2 },
        { id: "a", n: 2 }
      ],
      rules
    )
    expect(shown(merged.value)).toBe("b1 x2 a1")
    const path = '/shared/at/{"id":"a"}/n'
    expect(shown(resolve(merged, choices({ [path]: { use: "theirs" } })).value)).toBe("b1 x2 a2")
  })

  test("puts elements that ours deleted back into their places, all or some of them", () => {
    const merged = mergeAt(list("abcde"), list("ae"), list("abcde", 1), rules)
    expect(shown(merged.value)).toBe("a1 e1")
    const back = (ids: string) =>
      shown(
        resolve(
          merged,
          choices(Object.fromEntries([...ids].map((id) => [`/shared/at/{"id":"${id}"}`, { use: "theirs" }])))
        ).value
      )
    expect(back("bcd")).toBe("a1 b1 c1 d1 e1")
    expect(back("dcb")).toBe("a1 b1 c1 d1 e1")
    expect(back("b")).toBe("a1 b1 e1")
    expect(back("d")).toBe("a1 d1 e1")
    expect(back("db")).toBe("a1 b1 d1 e1")
    expect(back("")).toBe("a1 e1")
  })

  test("takes elements out that theirs deleted", () => {
    const merged = mergeAt(list("abc"), list("abc", 1), list("b"), rules)
    expect(shown(merged.value)).toBe("a1 b1 c1")
    const out = choices({
      '/shared/at/{"id":"a"}': { use: "theirs" },
      '/shared/at/{"id":"c"}': { use: { value: { id: "c", n: 5 } } }
    })
    expect(shown(resolve(merged, out).value)).toBe("b1 c5")
  })
})

describe("a strategy", () => {
  test("acts at conflicts only", () => {
    const merged = torn()
    expect(settle(merged, "merge", [])).toMatchObject({ ...merged, settled: [] })
    expect(settle(merged, "target_wins", [])).toMatchObject({ value: merged.value, conflicts: [] })
    const { value, conflicts, settled } = settle(merged, "source_wins", [])
    expect(value).toEqual({ s: { both: 3, gone: { x: 2 }, clean: 2, add: 2 } })
    expect(conflicts).toEqual([])
    expect(settled.map(({ conflict, by }) => [conflict.path, by])).toEqual([
      ["/s/add", "strategy"],
      ["/s/both", "strategy"],
      ["/s/gone", "strategy"],
      ["/s/kept", "strategy"]
    ])
  })

  test("may be a function, which decides or leaves open", () => {
    const merged = torn()
    const { value, conflicts, settled } = settle(
      merged,
      ({ kind, ours, theirs }) =>
        kind === "modify_modify"
          ? { use: { value: [ours ?? null, theirs ?? null] } }
          : kind === "delete_modify"
            ? { use: "theirs" }
            : undefined,
      []
    )
    expect(value).toEqual({ s: { both: [2, 3], gone: { x: 2 }, kept: { x: 2 }, clean: 2, add: 1 } })
    expect(conflicts.map(({ path }) => path)).toEqual(["/s/add", "/s/kept"])
    expect(settled.map(({ resolution }) => resolution)).toEqual([
      { use: { value: [2, 3] } },
      { use: "theirs" }
    ])
  })

  test("yields to that of the rule of a path", () => {
    const rules: ReadonlyArray<Rule> = [
      { path: "/s/*", strategy: "target_wins" },
      { path: "/s/both", strategy: "source_wins" }
    ]
    const expected = { s: { both: 3, kept: { x: 2 }, clean: 2, add: 1 } }
    expect(settle(torn(), "merge", rules)).toMatchObject({ value: expected, conflicts: [] })
    expect(settle(torn(), "source_wins", rules).value).toEqual(expected)
    expect(settle(torn(), () => ({ use: { value: 0 } }), rules).settled.map(({ by }) => by)).toEqual([
      "rule",
      "rule",
      "rule",
      "rule"
    ])
  })

  test("leaves open what it cannot decide", () => {
    const merged = mergeAt(unresolved("at"), 1, 2)
    expect(settle(merged, () => ({ use: "base" }), [])).toMatchObject({
      value: 1,
      conflicts: merged.conflicts,
      settled: []
    })
  })
})
