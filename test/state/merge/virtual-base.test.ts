import { describe, expect, test } from "vitest"
import type { Json, MaybeJson } from "../../../src/base/json-value.ts"
import { basePlan, MAX_DEPTH, nodesOf } from "../../../src/state/merge/base-plan.ts"
import type { Merged } from "../../../src/state/merge/conflict.ts"
import { merge3 } from "../../../src/state/merge/merge.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { settle } from "../../../src/state/merge/settle.ts"
import { isUnresolved } from "../../../src/state/merge/virtual.ts"
import { valueOfPlan } from "../../../src/state/merge/virtual-base.ts"
import { Graph } from "./graph.ts"
import { clean, kinds } from "./merged.ts"

/** Commits with values. */
class World {
  readonly graph = new Graph()
  private readonly values = new Map<string, MaybeJson>()
  private readonly rules: ReadonlyArray<Rule>

  constructor(rules: ReadonlyArray<Rule> = []) {
    this.rules = rules
  }

  add(name: string, parents: string, value: MaybeJson): void {
    this.graph.add(name, parents.split(" ").filter(Boolean))
    this.values.set(name, value)
  }

  plan(one: string, other: string) {
    return basePlan(this.graph.nodeOf(one), this.graph.nodeOf(other), this.graph)
  }

  base(one: string, other: string) {
    return valueOfPlan(this.plan(one, other), (node) => this.values.get(this.graph.nameOf(node)), this.rules)
  }

  merge(one: string, other: string): Merged {
    const [ours, theirs] = [this.values.get(one), this.values.get(other)]
    return merge3({ base: this.base(one, other), ours, theirs, path: [], rules: this.rules })
  }
}

/** Two sides that merged each other: `a2` and `b2`, of `a1` and `b1`, of `0`. */
const crissCross = (
  { root, a1, b1, a2, b2 }: { root: MaybeJson; a1: MaybeJson; b1: MaybeJson; a2: MaybeJson; b2: MaybeJson },
  rules: ReadonlyArray<Rule> = []
): World => {
  const world = new World(rules)
  world.add("0", "", root)
  world.add("a1", "0", a1)
  world.add("b1", "0", b1)
  world.add("a2", "a1 b1", a2)
  world.add("b2", "b1 a1", b2)
  return world
}

const k = (value: Json) => ({ k: value })

describe("the base of a criss-cross", () => {
  const torn = crissCross({ root: k(1), a1: k(2), b1: k(3), a2: k(2), b2: k(3) })

  test("has, where its merge bases disagree, no value: who decided differently conflicts, as in git", () => {
    expect(kinds(torn.merge("a2", "b2"))).toEqual(["modify_modify /k"])
    expect(torn.merge("a2", "b2").conflicts).toMatchObject([
      { base: undefined, baseUnknown: true, ours: 2, theirs: 3 }
    ])
  })

  test("taken to be but one of its merge bases would destroy one decision or the other in silence", () => {
    const since = (base: Json) => merge3({ base, ours: k(2), theirs: k(3), path: [], rules: [] })
    expect(since(k(2))).toEqual(clean(k(3)))
    expect(since(k(3))).toEqual(clean(k(2)))
  })

  test("leaves alone where both sides decided alike", () => {
    expect(crissCross({ root: k(1), a1: k(2), b1: k(3), a2: k(4), b2: k(4) }).merge("a2", "b2")).toEqual(
      clean(k(4))
    )
    expect(crissCross({ root: k(1), a1: k(2), b1: k(3), a2: {}, b2: {} }).merge("a2", "b2")).toEqual(
      clean({})
    )
  })

  test("has what its merge bases have merged cleanly", () => {
    const state = (x: number, y: number, z: number) => ({ x, y, z })
    const world = crissCross({
      root: state(0, 0, 0),
      a1: state(1, 0, 0),
      b1: state(0, 2, 0),
      a2: state(1, 2, 3),
      b2: state(5, 2, 0)
    })
    expect(world.base("a2", "b2")).toEqual(state(1, 2, 0))
    expect(world.merge("a2", "b2")).toEqual(clean(state(5, 2, 3)))
  })

  test("counts each difference of a counter once", () => {
    const rules = [{ path: "/k", number: "counter" }] as const
    const world = crissCross({ root: k(0), a1: k(1), b1: k(2), a2: k(13), b2: k(103) }, rules)
    expect(world.base("a2", "b2")).toEqual(k(3))
    expect(world.merge("a2", "b2")).toEqual(clean(k(113)))
  })

  test("disagrees on a deletion as on anything else, at the highest path deleted", () => {
    const tree = { t: { x: 1, y: 1 } }
    const world = crissCross({
      root: tree,
      a1: {},
      b1: { t: { x: 2, y: 1 } },
      a2: {},
      b2: { t: { x: 2, y: 1 } }
    })
    expect(isUnresolved((world.base("a2", "b2") as { t: symbol }).t)).toBe(true)
    expect(kinds(world.merge("a2", "b2"))).toEqual(["delete_modify /t"])
  })

  test("disagrees on one element of a keyed array apart from the others, even on whether it is there", () => {
    const rules = [{ path: "/k", array: { keyed: ["id"] } }] as const
    const list = (...elements: ReadonlyArray<[number, number]>) => k(elements.map(([id, n]) => ({ id, n })))
    const world = crissCross(
      {
        root: list([1, 0], [2, 0], [3, 0]),
        a1: list([1, 1], [3, 0]),
        b1: list([1, 2], [2, 2], [3, 0]),
        a2: list([1, 1], [3, 5], [4, 0]),
        b2: list([1, 2], [2, 2], [3, 0])
      },
      rules
    )
    const merged = world.merge("a2", "b2")
    expect(merged.value).toEqual(list([1, 1], [3, 5], [4, 0]))
    expect(kinds(merged)).toEqual(['modify_modify /k/{"id":1}/n', 'delete_modify /k/{"id":2}'])
    expect(settle(merged, "source_wins", rules).value).toEqual(list([1, 2], [2, 2], [3, 5], [4, 0]))
  })

  test("whose own base is that of a criss-cross is made of that, however often", () => {
    const world = crissCross({ root: k(1), a1: k(2), b1: k(3), a2: k(2), b2: k(3) })
    world.add("a3", "a2 b2", k(4))
    world.add("b3", "b2 a2", k(5))
    expect(kinds(world.merge("a3", "b3"))).toEqual(["modify_modify /k"])
    const agreed = crissCross({ root: k(1), a1: k(2), b1: k(3), a2: k(4), b2: k(4) })
    agreed.add("a3", "a2 b2", k(4))
    agreed.add("b3", "b2 a2", k(5))
    expect(agreed.merge("a3", "b3")).toEqual(clean(k(5)))
  })

  test("too deep to look at is unresolved in whatever differs", () => {
    const world = new World()
    world.add("a0", "", { same: 1, k: 0 })
    world.add("b0", "a0", { same: 1, k: 0 })
    world.add("a", "a0", { same: 1, k: "a", a: 1 })
    world.add("b", "b0", { same: 1, k: "b", b: 1 })
    const plan = world.plan("a", "b")
    const deep = { nodes: [world.graph.nodeOf("a"), world.graph.nodeOf("b")], bases: [undefined] }
    const value = valueOfPlan(
      deep,
      (node) => (world.graph.nameOf(node) === "a" ? { same: 1, k: "a", a: 1 } : { same: 1, k: "b", b: 1 }),
      []
    )
    expect(plan.nodes).toHaveLength(1)
    expect(value).toMatchObject({ same: 1 })
    for (const key of ["k", "a", "b"]) expect(isUnresolved((value as Record<string, symbol>)[key])).toBe(true)
  })

  test("of merges for ever to and fro says what agrees to the depth at which it stops, and conflicts below", () => {
    const rows = MAX_DEPTH + 5
    const world = crissCross({ root: k(1), a1: k(1), b1: k(1), a2: k(1), b2: k(1) })
    for (let row = 3; row < rows; row += 1) {
      world.add(`a${row}`, `a${row - 1} b${row - 1}`, k(1))
      world.add(`b${row}`, `b${row - 1} a${row - 1}`, k(1))
    }
    world.add("a", `a${rows - 1}`, k(2))
    world.add("b", `b${rows - 1}`, k(1))
    expect(world.merge("a", "b")).toEqual(clean(k(2)))
  })

  test("is absent where the histories never met", () => {
    const world = new World()
    world.add("a", "", k(1))
    world.add("b", "", k(2))
    expect(world.base("a", "b")).toBeUndefined()
    expect(kinds(world.merge("a", "b"))).toEqual(["add_add /k"])
  })

  test("has what was merged and then reverted, which therefore does not come back, as in git", () => {
    const world = new World()
    world.add("0", "", {})
    world.add("a1", "0", k(1))
    world.add("b1", "0 a1", k(1))
    world.add("b2", "b1", {})
    world.add("a2", "a1", { ...k(1), more: 1 })
    expect(world.merge("b2", "a1")).toEqual(clean({}))
    expect(world.merge("b2", "a2")).toEqual(clean({ more: 1 }))
  })

  test("is merged of the same rules as the sides are", () => {
    const rules = [{ path: "/k", array: "set" }] as const
    const world = crissCross({ root: k([]), a1: k([1]), b1: k([2]), a2: k([1, 2, 3]), b2: k([2]) }, rules)
    expect(world.base("a2", "b2")).toEqual(k([1, 2]))
    expect(world.merge("a2", "b2")).toEqual(clean(k([2, 3])))
  })

  test("of one key of the state needs the values of that key alone", () => {
    const world = crissCross({ root: 1, a1: 2, b1: 3, a2: 2, b2: 3 })
    const plan = world.plan("a2", "b2")
    const read = new Map(
      nodesOf(plan).map((node) => [
        world.graph.nameOf(node),
        { 0: 1, a1: 2, b1: 3 }[world.graph.nameOf(node)]
      ])
    )
    const base = valueOfPlan(
      plan,
      (node) => read.get(world.graph.nameOf(node)),
      [{ path: "/shared/n", number: "max" }],
      ["shared", "n"]
    )
    expect(base).toBe(3)
  })
})
