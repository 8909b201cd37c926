import { describe, expect, test } from "vitest"
import {
  askBasePlan,
  type BasePlan,
  basePlan,
  MAX_DEPTH,
  MAX_PLANS,
  nodesOf
} from "../../../src/state/merge/base-plan.ts"
import { type Node, vectorOf } from "../../../src/state/merge/history.ts"
import { mergeBases } from "../../../src/state/merge/merge-base.ts"
import { random, seedFor } from "../../support/random.ts"
import { graph, type Graph } from "./graph.ts"

const bases = (made: Graph, one: string, other: string) =>
  mergeBases(made.nodeOf(one), made.nodeOf(other), made).map((node) => made.nameOf(node))

describe("the version vector of a node", () => {
  const made = graph(`
    m1
    m2 m1
    a1 m1
    a2 a1
    m3 m2 a2
    a3 a2
    m4 m3
  `)

  test("names per branch the latest ancestor", () => {
    const vector = (name: string) => {
      const node = made.nodeOf(name)
      return [...vectorOf(node, made.knownAt(node))].map(([branch, version]) =>
        made.nameOf({ branch, version })
      )
    }
    expect(vector("m2")).toEqual(["m2"])
    expect(vector("a1").toSorted()).toEqual(["a1", "m1"])
    expect(vector("a3").toSorted()).toEqual(["a3", "m1"])
    expect(vector("m3").toSorted()).toEqual(["a2", "m3"])
    expect(vector("m4").toSorted()).toEqual(["a2", "m4"])
  })
})

describe("the merge bases", () => {
  test.each<[string, string, [string, string], ReadonlyArray<string>]>([
    ["of two forks are where they forked", "0\n1 0\n2 0\n3 1\n4 2", ["3", "4"], ["0"]],
    ["of two on one line are the older one", "0\n1 0\n2 1", ["2", "1"], ["1"]],
    ["of a node and itself are itself", "0\n1 0", ["1", "1"], ["1"]],
    ["of histories that never met are none", "0\n1 0\na\nb a", ["1", "b"], []],
    [
      "of what was merged already are what was merged",
      "0\ns1 0\nt1 0 s1\nt2 t1\ns2 s1",
      ["t2", "s2"],
      ["s1"]
    ],
    [
      "of a criss-cross are both",
      "0\na1 0\nb1 0\na2 a1 b1\nb2 b1 a1\na3 a2\nb3 b2",
      ["a3", "b3"],
      ["a1", "b1"]
    ],
    [
      "of a criss-cross of three are all three",
      "0\na1 0\nb1 0\nc1 0\na2 a1 b1\na3 a2 c1\nb2 b1 a1\nb3 b2 c1",
      ["a3", "b3"],
      ["a1", "b1", "c1"]
    ],
    [
      "of two criss-crosses in a row are those of the latter",
      "0\na1 0\nb1 0\na2 a1 b1\nb2 b1 a1\na3 a2 b2\nb3 b2 a2",
      ["a3", "b3"],
      ["a2", "b2"]
    ],
    [
      "are the nearer one where an older one was merged in once more",
      "1\n2 1\n3 2\n4 3\nx 4 1\ny 2",
      ["x", "y"],
      ["2"]
    ],
    [
      "are found through merges in history (git t6010)",
      "e\nd e\nf e\nc d\nb c\na b\ng b e\nh a f",
      ["g", "h"],
      ["b"]
    ],
    [
      "are found below merges of one side",
      "root\na root\nb root\nc a b\nd b\nl c d\nr root",
      ["l", "r"],
      ["root"]
    ],
    [
      "are found where both sides merged the same merge",
      "root\na root\nb root\nab a b\nl0 root ab\nr0 root ab\nl1 ab l0\nr1 ab r0\nl2 l0 l1\nr2 r0 r1",
      ["l2", "r2"],
      ["ab"]
    ],
    [
      "are not thought to be where a fork of a fork began",
      "0\n1 0\na 0\na2 a\nb a\nb2 b",
      ["1", "b2"],
      ["0"]
    ],
    [
      "of a branch and one that it merged and that went on are what was merged",
      "0\n1 0\na 0\n2 1 a\na2 a\na3 a2",
      ["2", "a3"],
      ["a"]
    ]
  ])("%s", (_, lines, [one, other], expected) => {
    const made = graph(lines)
    expect(bases(made, one, other)).toEqual(expected)
    expect(bases(made, other, one)).toEqual(expected)
  })

  test("of places in a grid are where the lesser row and the lesser column meet (git t6600)", () => {
    const size = 10
    const cells = Array.from(
      { length: size * size },
      (_, cell) => [Math.floor(cell / size), cell % size] as const
    )
    const made = graph(
      cells
        .map(([row, column]) =>
          [
            `${row}-${column}`,
            ...(row > 0 ? [`${row - 1}-${column}`] : []),
            ...(column > 0 ? [`${row}-${column - 1}`] : [])
          ].join(" ")
        )
        .join("\n")
    )
    for (const [row, column] of cells) {
      for (const [other, over] of cells) {
        expect(bases(made, `${row}-${column}`, `${other}-${over}`)).toEqual([
          `${Math.min(row, other)}-${Math.min(column, over)}`
        ])
      }
    }
  })

  test("are found with few look-ups, however long and wide the history", () => {
    const members = 200
    const rounds = 5
    const lines = ["hub"]
    let hub = "hub"
    const member = Array.from({ length: members }, () => "hub")
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, before] of member.entries()) {
        const name = `m${index}.${round}`
        lines.push(
          `${name} ${before}`,
          `h${index}.${round} ${hub} ${name}`,
          `n${index}.${round} ${name} h${index}.${round}`
        )
        hub = `h${index}.${round}`
        member[index] = `n${index}.${round}`
      }
    }
    const made = graph(lines.join("\n"))
    made.asked = 0
    expect(bases(made, member[3]!, hub)).toEqual([`h3.${rounds - 1}`])
    expect(bases(made, member[3]!, member[150]!)).toEqual([`h3.${rounds - 1}`])
    expect(made.asked).toBeLessThanOrEqual(2 * (2 + 8))
  })
})

describe("the plan of a base", () => {
  const planned = (made: Graph, one: string, other: string) =>
    basePlan(made.nodeOf(one), made.nodeOf(other), made)
  const named = (made: Graph, nodes: ReadonlyArray<Node>) => nodes.map((node) => made.nameOf(node))

  test("is one node where there is one, and empty where there is none", () => {
    const made = graph("0\n1 0\n2 0\nother")
    expect(planned(made, "1", "2")).toEqual({ nodes: [made.nodeOf("0")], bases: [] })
    expect(planned(made, "1", "other")).toEqual({ nodes: [], bases: [] })
  })

  test("of a criss-cross says what its merge bases came from", () => {
    const made = graph("0\na1 0\nb1 0\na2 a1 b1\nb2 b1 a1")
    const plan = planned(made, "a2", "b2")
    expect(named(made, plan.nodes)).toEqual(["a1", "b1"])
    expect(plan.bases).toEqual([{ nodes: [made.nodeOf("0")], bases: [] }])
    expect(named(made, nodesOf(plan)).toSorted()).toEqual(["0", "a1", "b1"])
  })

  test("of three takes the first two as one when the third is merged into them", () => {
    const made = graph("0\na1 0\nb1 0\nc0 b1\nc1 c0\nb2 b1\na2 a1 b2\na3 a2 c1\nd1 b2 a1\nd2 d1 c1")
    const plan = planned(made, "a3", "d2")
    expect(named(made, plan.nodes)).toEqual(["a1", "c1", "b2"])
    expect(plan.bases.map((base) => named(made, base!.nodes))).toEqual([["0"], ["b1"]])
  })

  test("goes no deeper than MAX_DEPTH virtual bases upon each other", () => {
    const rows = 30
    const lines = ["0", "a0 0", "b0 0"]
    for (let row = 0; row < rows; row += 1)
      lines.push(`a${row + 1} a${row} b${row}`, `b${row + 1} b${row} a${row}`)
    const made = graph(lines.join("\n"))
    let plan = planned(made, `a${rows}`, `b${rows}`)
    expect(nodesOf(plan)).toHaveLength(2 * (MAX_DEPTH + 1))
    for (let depth = 0; depth < MAX_DEPTH; depth += 1) plan = plan.bases[0]!
    expect(plan.bases).toEqual([undefined])
  })

  test("holds no more than MAX_PLANS plans, however wildly branches merged each other", () => {
    const { between } = random(seedFor("wild merges"))
    const branches = 12
    const tips = Array.from({ length: branches }, (_, branch) => `b${branch}`)
    const made = graph(["0", ...tips.map((tip) => `${tip} 0`)].join("\n"))
    for (let merge = 0; merge < 400; merge += 1) {
      const [one, other] = [between(0, branches - 1), between(0, branches - 2)]
      const another = other + Number(other >= one)
      const [mine, theirs] = [tips[one]!, tips[another]!]
      made.add(`x${merge}`, [mine, theirs])
      made.add(`y${merge}`, [theirs, mine])
      tips[one] = `x${merge}`
      tips[another] = `y${merge}`
    }
    const count = (plan: BasePlan): number =>
      plan.bases.reduce((sum, base) => sum + (base ? count(base) : 0), 1)
    const counts = tips.slice(1).map((tip) => count(planned(made, tips[0]!, tip)))
    expect(Math.max(...counts)).toBeLessThanOrEqual(MAX_PLANS)
    expect(Math.max(...counts)).toBeGreaterThan(MAX_DEPTH)
  })

  test("asks about all that it can name at once", () => {
    const made = graph("0\na1 0\nb1 0\na2 a1 b1\nb2 b1 a1")
    const asking = askBasePlan(made.nodeOf("a2"), made.nodeOf("b2"))
    const questions: Array<ReadonlyArray<string>> = []
    for (let step = asking.next(); step.done !== true;) {
      questions.push(named(made, step.value))
      step = asking.next(step.value.map(made.knownAt))
    }
    // The only one is not asked about.
    expect(questions).toEqual([
      ["a2", "b2"],
      ["a1", "b1"]
    ])
  })
})
