import { describe, expect, test } from "vitest"
import { parsePointer } from "../../../src/base/pointer.ts"
import { type Rule, ruleFor } from "../../../src/state/merge/rule.ts"
import { rulesProblem } from "../../../src/state/merge/rule-problem.ts"

const at = (rules: ReadonlyArray<Rule>, pointer: string) => ruleFor(rules, parsePointer(pointer)!)

const matched = (path: string, pointer: string): boolean => at([{ path, text: true }], pointer).text === true

describe("a glob", () => {
  test.each<[string, ReadonlyArray<string>, ReadonlyArray<string>]>([
    ["", [""], ["/", "/a"]],
    ["/a", ["/a"], ["", "/aa", "/a/b", "/"]],
    ["/", ["/"], ["", "/a"]],
    ["/*", ["/a", "/", "/*"], ["", "/a/b"]],
    ["/a/*/c", ["/a/b/c", "/a//c"], ["/a/c", "/a/b/b/c", "/a/b/c/d"]],
    ["/**", ["", "/a", "/a/b"], []],
    ["/a/**", ["/a", "/a/b", "/a/b/c"], ["", "/b", "/aa/b"]],
    ["/**/z", ["/z", "/a/z", "/a/b/z", "/z/z"], ["", "/z/a"]],
    ["/a/**/b/**/c", ["/a/b/c", "/a/x/b/y/z/c", "/a/b/c/b/c"], ["/a/c", "/a/b", "/b/c"]],
    ["/**/a/*/b", ["/a/x/b", "/a/a/a/b", "/q/a/x/b"], ["/a/b", "/a/x/y/b"]],
    ["/a~1b/m~0n", ["/a~1b/m~0n"], ["/a/b/m~0n"]],
    ["/a*/b**", ["/a*/b**"], ["/ab/b"]],
    ["/tasks/*/title", ['/tasks/{"id":7}/title'], []]
  ])("%j", (path, yes, no) => {
    expect(yes.filter((pointer) => !matched(path, pointer))).toEqual([])
    expect(no.filter((pointer) => matched(path, pointer))).toEqual([])
  })

  test("of many `**` takes no long time where it does not match", () => {
    const path = "/**/a".repeat(200)
    const began = performance.now()
    expect(matched(path, `${"/a".repeat(400)}/b`)).toBe(false)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})

describe("rules", () => {
  test("say nothing where none matches", () => {
    expect(at([{ path: "/a", array: "set" }], "/b")).toEqual({})
  })

  test("are taken from the most specific glob: more literal parts first, then more parts, then the later one", () => {
    const rules: ReadonlyArray<Rule> = [
      { path: "/shared/x/y", array: "append" },
      { path: "/shared/*/*", array: "set" },
      { path: "/shared/**", array: "sequence" },
      { path: "/**", array: "atomic" },
      { path: "/shared/*/*", number: "max" },
      { path: "/shared/*/*", number: "min" }
    ]
    expect(at(rules, "/shared/x/y")).toEqual({ array: "append", number: "min" })
    expect(at(rules, "/shared/x/z")).toEqual({ array: "set", number: "min" })
    expect(at(rules, "/shared/x/y/z")).toEqual({ array: "sequence" })
    expect(at(rules, "/local")).toEqual({ array: "atomic" })
    expect(at(rules.toReversed(), "/shared/x/z")).toEqual({ array: "set", number: "max" })
  })

  test("are taken field by field", () => {
    const rules: ReadonlyArray<Rule> = [
      { path: "/shared/**", array: "set", strategy: "source_wins", bothAdded: "conflict" },
      { path: "/shared/a", array: { keyed: ["id"] }, moves: "follow" }
    ]
    expect(at(rules, "/shared/a")).toEqual({
      array: { keyed: ["id"] },
      strategy: "source_wins",
      bothAdded: "conflict",
      moves: "follow"
    })
  })

  test("are refused where a path is no pointer", () => {
    expect(() => at([{ path: "a" }], "/a")).toThrow('The path "a" of a rule is no pointer')
  })
})

describe("the problem of rules", () => {
  test("is none where all is well", () => {
    expect(
      rulesProblem([
        { path: "" },
        { path: "/shared/**", array: "atomic", number: "counter", text: true, bothAdded: "merge" },
        { path: "/a~0/*", array: { keyed: ["id", "kind"] }, moves: "follow", strategy: "target_wins" }
      ])
    ).toBeUndefined()
    expect(rulesProblem([])).toBeUndefined()
  })

  test.each<[unknown, string]>([
    [{}, "The rules are no list"],
    [undefined, "The rules are no list"],
    [[{ path: "/a" }, null], "Rule 2 is no object"],
    [["/a"], "Rule 1 is no object"],
    [[{ array: "set" }], "Rule 1 has no path"],
    [
      [{ path: "a/b" }],
      'Rule 1 has the path "a/b", which is no pointer: each part begins with "/", and "~" is written "~0"'
    ],
    [
      [{ path: "/a~b" }],
      'Rule 1 has the path "/a~b", which is no pointer: each part begins with "/", and "~" is written "~0"'
    ],
    [[{ path: "/a", arrray: "set" }], 'Rule 1 has a field "arrray", which no rule has'],
    [[{ path: "/a", constructor: 1 }], 'Rule 1 has a field "constructor", which no rule has'],
    [
      [{ path: "/a", array: "list" }],
      'Rule 1 has array "list" and not "atomic" or "set" or "append" or "sequence" or { keyed } with the names of one or more fields, each once'
    ],
    [[{ path: "/a", array: { keyed: [] } }], /^Rule 1 has array \{"keyed":\[\]\} and not/],
    [[{ path: "/a", array: { keyed: ["id", "id"] } }], /^Rule 1 has array/],
    [[{ path: "/a", array: { keyed: ["id", 1] } }], /^Rule 1 has array/],
    [[{ path: "/a", array: { keyed: ["id"], by: 1 } }], /^Rule 1 has array/],
    [[{ path: "/a", array: { keyed: "id" } }], /^Rule 1 has array/],
    [[{ path: "/a", number: "sum" }], 'Rule 1 has number "sum" and not "counter" or "max" or "min"'],
    [[{ path: "/a", text: false }], "Rule 1 has text false and not true"],
    [[{ path: "/a", bothAdded: 1 }], 'Rule 1 has bothAdded 1 and not "merge" or "conflict"'],
    [[{ path: "/a", moves: true }], 'Rule 1 has moves true and not "follow"'],
    [
      [{ path: "/a", strategy: "merge" }],
      'Rule 1 has strategy "merge" and not "source_wins" or "target_wins"'
    ],
    [
      [{ path: "/a", strategy: undefined }],
      'Rule 1 has strategy undefined and not "source_wins" or "target_wins"'
    ]
  ] as ReadonlyArray<[unknown, string]>)("of %j is told", (rules, problem) => {
    expect(rulesProblem(rules)).toMatch(problem)
  })
})
