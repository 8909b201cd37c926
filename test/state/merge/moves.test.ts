import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import { kinds, mergeStates } from "./merged.ts"

const plan = { title: "ship", steps: [1, 2] }
const edited = { title: "ship it", steps: [1, 2] }
const from = "/shared/plan"
const follow = [{ path: "/shared/**", moves: "follow" }] as const

const state = (shared: { readonly [key: string]: Json }) => ({ shared })

const base = state({ plan, other: 1 })
const moved = state({ other: 1, archive: { y2026: { plan } } })
const changed = state({ plan: edited, other: 1 })

describe("what one side moved and the other changed", () => {
  test.each([
    ["delete_modify", moved, changed],
    ["modify_delete", changed, moved]
  ])("is a %s conflict with a hint where it may be now", (kind, ours, theirs) => {
    const { conflicts, value } = mergeStates(base, ours, theirs)
    expect(conflicts).toMatchObject([
      { path: from, kind, hint: { kind: "possible_move", from, to: "/shared/archive/y2026/plan" } }
    ])
    expect(value).toEqual(
      state({ ...(kind === "modify_delete" && { plan: edited }), other: 1, archive: { y2026: { plan } } })
    )
  })

  test.each([
    ["ours", moved, changed],
    ["theirs", changed, moved]
  ])("carries the changes where the rule says so, and %s moved it", (_, ours, theirs) => {
    const { conflicts, value, notes } = mergeStates(base, ours, theirs, follow)
    expect(conflicts).toEqual([])
    expect(value).toEqual(state({ other: 1, archive: { y2026: { plan: edited } } }))
    expect(notes).toEqual([{ kind: "auto:move_followed", path: from, to: "/shared/archive/y2026/plan" }])
  })

  test.each([
    ["ours", moved, state({ plan: null, other: 1 })],
    ["theirs", state({ plan: null, other: 1 }), moved]
  ])("is null where it was made null, and %s moved it", (_, ours, theirs) => {
    const { conflicts, value } = mergeStates(base, ours, theirs, follow)
    expect(conflicts).toEqual([])
    expect(value).toEqual(state({ other: 1, archive: { y2026: { plan: null } } }))
  })

  test.each<[string, Json, Json]>([
    ["it was added twice", state({ other: 1, p: plan, q: plan }), changed],
    ["two such were deleted", state({ other: 1, p: plan }), state({ plan: edited, other: 1, twin: plan })],
    ["it was changed on the way", state({ other: 1, p: { ...plan, more: 1 } }), changed],
    ["it was put where there was something else", state({ other: plan }), changed]
  ])("is no move where %s", (_, ours, theirs) => {
    const before = JSON.stringify(theirs).includes("twin") ? state({ plan, other: 1, twin: plan }) : base
    const { conflicts } = mergeStates(before, ours, theirs, follow)
    expect(conflicts.map(({ path, hint }) => [path, hint])).toEqual([[from, undefined]])
  })

  test.each<[string, Json, Json]>([
    ["null", null, 5],
    ["a truth", true, false],
    ["a number", 1, 2],
    ["an empty text", "", "x"],
    ["an empty object", {}, { a: 1 }],
    ["an empty array", [], [1]]
  ])("is no move where it is as common as %s", (_, value, other) => {
    const { conflicts } = mergeStates(
      state({ plan: value }),
      state({ p: value }),
      state({ plan: other }),
      follow
    )
    expect(conflicts.map(({ path, hint }) => [path, hint])).toEqual([[from, undefined]])
  })

  test("is found by its text too", () => {
    const { conflicts } = mergeStates(
      state({ a: "long text" }),
      state({ b: "long text" }),
      state({ a: "longer text" })
    )
    expect(conflicts).toMatchObject([{ hint: { from: "/shared/a", to: "/shared/b" } }])
  })

  test("stays a conflict where the other side put something there as well", () => {
    const theirs = state({ plan: edited, other: 1, archive: { y2026: { plan: { mine: 1 } } } })
    const { conflicts, value } = mergeStates(base, moved, theirs, follow)
    expect(conflicts).toMatchObject([{ path: from, hint: { to: "/shared/archive/y2026/plan" } }])
    expect(value).toEqual(state({ other: 1, archive: { y2026: { plan: { ...plan, mine: 1 } } } }))
    expect(kinds(mergeStates(base, moved, state({ plan: edited, other: 1, archive: 1 }), follow))).toEqual([
      "add_add /shared/archive",
      `delete_modify ${from}`
    ])
  })

  test("may be an element of one keyed array that went to another", () => {
    const rules = [{ path: "/shared/*", array: { keyed: ["id"] } }, ...follow] as const
    const task = { id: 1, text: "write" }
    const { value, conflicts, notes } = mergeStates(
      state({ todo: [task, { id: 2 }], done: [] }),
      state({ todo: [{ id: 2 }], done: [task] }),
      state({ todo: [{ id: 1, text: "write it" }, { id: 2 }], done: [{ id: 3 }] }),
      rules
    )
    expect(conflicts).toEqual([])
    expect(value).toEqual(state({ todo: [{ id: 2 }], done: [{ id: 1, text: "write it" }, { id: 3 }] }))
    expect(notes).toEqual([
      { kind: "auto:move_followed", path: '/shared/todo/{"id":1}', to: '/shared/done/{"id":1}' }
    ])
  })
})
