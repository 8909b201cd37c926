import { describe, expect, test } from "vitest"
import { mergeBases } from "../../../src/state/merge/merge-base.ts"
import { random, seedFor } from "../../support/random.ts"
import { type Commit, gitAnswers, GitRepository, PATIENCE_MS } from "./git.ts"
import { Graph } from "./graph.ts"
import { randomHistory } from "./random-history.ts"

// Our merge bases are those of `git merge-base --all`, in random histories. All of them lie in one repository.

const HISTORIES = 2_000
const PAIRS = 2
/** So many are asked about by `git merge-base --all` itself too, one by one. */
const ONE_BY_ONE = 20

interface Asked {
  readonly history: number
  readonly pair: readonly [one: number, other: number]
  readonly ours: ReadonlyArray<number>
}

const histories = (
  seed: number
): { readonly commits: ReadonlyArray<Commit>; readonly asked: ReadonlyArray<Asked> } => {
  const { between, chance, oneOf } = random(seed)
  const commits: Array<Commit> = []
  const asked: Array<Asked> = []
  for (let history = 0; history < HISTORIES; history += 1) {
    const { steps, tips } = randomHistory(random(seed + history + 1), {
      roots: chance(0.2) ? 2 : 1,
      steps: between(4, 26),
      branches: between(2, 6),
      crissCross: chance(0.5) ? 0.2 : 0,
      merge: oneOf([0.1, 0.3, 0.5]),
      fork: 0.2
    })
    const first = commits.length
    const graph = new Graph()
    for (const [index, { parents }] of steps.entries()) {
      graph.add(String(index), parents.map(String))
      commits.push({ parents: parents.map((parent) => parent + first) })
    }
    const any = () => (chance(0.8) ? oneOf(tips) : between(0, steps.length - 1))
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const [one, other] = [any(), any()]
      const bases = mergeBases(graph.nodeOf(String(one)), graph.nodeOf(String(other)), graph)
      asked.push({
        history,
        pair: [one + first, other + first],
        ours: bases.map((node) => Number(graph.nameOf(node)) + first)
      })
    }
  }
  return { commits, asked }
}

describe.skipIf(!gitAnswers())("in random histories", () => {
  test("the merge bases are those of git, the oldest first", { timeout: PATIENCE_MS }, () => {
    const seed = seedFor("merge bases as git has them")
    const { commits, asked } = histories(seed)
    using repository = new GitRepository(commits)
    const git = repository.allMergeBases(asked.map(({ pair }) => pair))
    const wrong = asked.flatMap((question, index) =>
      String(question.ours) === String(git[index]) ? [] : [{ seed, ...question, git: git[index] }]
    )
    expect(wrong).toEqual([])
    const several = asked.filter(({ ours }) => ours.length > 1)
    for (const { pair, ours } of [...several.slice(0, ONE_BY_ONE), ...asked.slice(0, ONE_BY_ONE)]) {
      expect(repository.mergeBases(...pair)).toEqual(ours)
    }
    console.info(
      `${asked.length} pairs of ${commits.length} commits compared, ${several.length} with several bases`
    )
    expect(asked.length).toBeGreaterThanOrEqual(2_000)
    expect(several.length).toBeGreaterThan(100)
    expect(asked.filter(({ ours }) => ours.length === 0).length).toBeGreaterThan(10)
  })
})
