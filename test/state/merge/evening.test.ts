import { describe, expect, test } from "vitest"
import type { Json } from "../../../src/base/json-value.ts"
import { evenedOut } from "../../../src/state/merge/evening.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"

const rules: ReadonlyArray<Rule> = [
  { path: "/shared/list", array: "append" },
  { path: "/shared/set", array: "set" },
  { path: "/shared/at/*/list", array: "set" },
  { path: "/shared/tasks", array: { keyed: ["id"] } },
  { path: "/shared/text", array: "sequence" }
]

const even = (key: string, one: Json, other: Json) => [
  evenedOut(one, other, rules, ["shared", key]),
  evenedOut(other, one, rules, ["shared", key])
]

describe("two orders of the same elements", () => {
  test.each<[string, Json, Json, Json]>([
    ["list", [2, 1], [1, 2], [1, 2]],
    ["list", [1, 2, 1], [2, 1, 1], [1, 2, 1]],
    ["set", ["b", "a"], ["a", "b"], ["a", "b"]],
    [
      "at",
      { x: { list: [{ id: 2 }, { id: 1 }], n: 1 } },
      { x: { list: [{ id: 1 }, { id: 2 }], n: 1 } },
      { x: { list: [{ id: 1 }, { id: 2 }], n: 1 } }
    ]
  ])("of %s come to one, whoever asks: %j and %j", (key, one, other, wanted) => {
    expect(even(key, one, other)).toEqual([wanted, wanted])
  })

  test.each<[string, Json, Json]>([
    ["text", [2, 1], [1, 2]],
    ["tasks", [{ id: 2 }, { id: 1 }], [{ id: 1 }, { id: 2 }]],
    ["atomic", [2, 1], [1, 2]],
    ["list", [2, 1], [1, 2, 3]],
    ["list", [2, 1, 1], [1, 2, 2]],
    ["list", 2, [1, 2]],
    ["at", { x: { list: [2, 1] } }, { y: { list: [1, 2] } }]
  ])("of %s stay where they are not such, or the order counts: %j and %j", (key, one, other) => {
    expect(even(key, one, other)).toEqual([one, other])
  })
})
