import { describe, expect, test } from "vitest"
import {
  isSameJson,
  type Json,
  type JsonObject,
  type MaybeJson,
  valueAt
} from "../../../src/base/json-value.ts"
import { formatPointer, parsePointer, type Path } from "../../../src/base/pointer.ts"
import { basePlan } from "../../../src/state/merge/base-plan.ts"
import type { Merged } from "../../../src/state/merge/conflict.ts"
import { merge3 } from "../../../src/state/merge/merge.ts"
import { type Resolution, resolve } from "../../../src/state/merge/resolve.ts"
import {
  entryOf,
  holdsUnresolved,
  isObject,
  isUnresolved,
  type MaybeVirtual
} from "../../../src/state/merge/virtual.ts"
import { valueOfPlan } from "../../../src/state/merge/virtual-base.ts"
import { type Random, random, seedFor } from "../../support/random.ts"
import {
  blobId,
  type Commit,
  type Files,
  gitAnswers,
  type GitMerge,
  GitRepository,
  PATIENCE_MS
} from "./git.ts"
import { Graph } from "./graph.ts"
import { randomHistory } from "./random-history.ts"

// Where every leaf is atomic a state is a tree of files to git, each named by its pointer: our conflicts and results are those
// of `git merge-tree`. The objects that hold leaves are always there, as a folder is wherever a file is, so that nothing is
// deleted but leaves, and no leaf takes the place of an object.

const HISTORIES = 560

const HOLDERS: ReadonlyArray<Path> = [
  ["local"],
  ["shared", "plan"],
  ["shared", ""],
  ["session", "constructor"]
]
const KEYS = ["k", "", "~/"]
const LEAVES: ReadonlyArray<Path> = HOLDERS.flatMap((holder) => KEYS.map((key) => [...holder, key]))
const VALUES: ReadonlyArray<Json> = [null, 0, 1, 2, "a", "ä\n", true, [], [1], [1, { x: [] }]]

type Leaves = ReadonlyMap<string, Json>

const leavesOf = (state: MaybeVirtual): ReadonlyMap<string, MaybeVirtual> =>
  new Map(
    LEAVES.map((path) => [
      formatPointer(path),
      path.reduce<MaybeVirtual>((at, key) => (isObject(at) ? entryOf(at, key) : undefined), state)
    ])
  )

const stateOf = (leaves: Leaves): Json => {
  const put = (state: JsonObject, [first, ...rest]: Path, value: MaybeJson): JsonObject => {
    const inside = valueAt(state, first!)
    if (rest.length > 0) return { ...state, [first!]: put((inside ?? {}) as JsonObject, rest, value) }
    return value === undefined ? state : { ...state, [first!]: value }
  }
  const holders = HOLDERS.reduce((state, holder) => put(state, holder, {}), {})
  return [...leaves].reduce((state, [pointer, value]) => put(state, parsePointer(pointer)!, value), holders)
}

const fileOf = (pointer: string): string => encodeURIComponent(pointer)

/**
 * One line, so that changes of a leaf never lie apart, and with the pointer in it: git before 2.50 looks for renames whatever
 * `merge.renames` says, and takes files of the same text for moved ones.
 */
const filesOf = (state: Json): Files =>
  new Map(
    [...leavesOf(state)]
      .filter(([, value]) => value !== undefined)
      .map(([pointer, value]) => [fileOf(pointer), `${pointer} ${JSON.stringify(value)}`])
  )

/** Some leaves set to something, some deleted. */
const edited = ({ between, oneOf, chance }: Random, state: Json): Json => {
  const leaves = new Map(
    [...leavesOf(state)].filter(([, value]) => value !== undefined) as Array<[string, Json]>
  )
  for (let edit = between(0, 4); edit > 0; edit -= 1) {
    const pointer = formatPointer(oneOf(LEAVES))
    if (chance(0.3)) leaves.delete(pointer)
    else leaves.set(pointer, oneOf(VALUES))
  }
  return stateOf(leaves)
}

/** A history in which every commit has a state, a merge what came of merging its parents. */
class Story {
  readonly graph = new Graph()
  readonly states: Array<Json> = []
  readonly commits: Array<Commit> = []
  readonly tips: ReadonlyArray<number>
  private readonly random: Random

  constructor(random: Random, first: number) {
    this.random = random
    const { steps, tips } = randomHistory(random, {
      roots: 1,
      steps: random.between(6, 18),
      branches: 4,
      crissCross: 0.2,
      merge: 0.2,
      fork: 0.3
    })
    this.tips = tips
    for (const [index, { parents }] of steps.entries()) {
      this.graph.add(String(index), parents.map(String))
      const state = this.stateFor(parents)
      this.states.push(state)
      this.commits.push({ parents: parents.map((parent) => parent + first), files: filesOf(state) })
    }
  }

  merged(ours: number, theirs: number): Merged & { readonly base: MaybeVirtual; readonly bases: number } {
    const plan = basePlan(this.graph.nodeOf(String(ours)), this.graph.nodeOf(String(theirs)), this.graph)
    const base = valueOfPlan(plan, (node) => this.states[Number(this.graph.nameOf(node))], [])
    const merged = merge3({
      base,
      ours: this.states[ours]!,
      theirs: this.states[theirs]!,
      path: [],
      rules: []
    })
    return { ...merged, base, bases: plan.nodes.length }
  }

  private stateFor([first, second]: ReadonlyArray<number>): Json {
    const { oneOf, chance } = this.random
    if (first === undefined) return edited(this.random, edited(this.random, stateOf(new Map())))
    if (second === undefined) return edited(this.random, this.states[first]!)
    const merged = this.merged(first, second)
    const choices = merged.conflicts.map(({ path }): [string, Resolution] => [
      path,
      oneOf<Resolution>([
        { use: "ours" },
        { use: "theirs" },
        { use: "ours" },
        { use: "theirs" },
        { use: { value: oneOf(VALUES) } }
      ])
    ])
    const state = resolve(merged, new Map(choices)).value!
    return chance(0.2) ? edited(this.random, state) : state
  }
}

/** Whether a leaf conflicts, by the table. */
const isTorn = (base: MaybeVirtual, ours: MaybeJson, theirs: MaybeJson): boolean =>
  !isSameJson(ours, theirs) &&
  (isUnresolved(base) || !(isSameJson(base as MaybeJson, ours) || isSameJson(base as MaybeJson, theirs)))

const byTable = (base: MaybeVirtual, ours: Json, theirs: Json): ReadonlyArray<string> => {
  const [before, mine, other] = [leavesOf(base), leavesOf(ours), leavesOf(theirs)]
  return [...before]
    .filter(([pointer, value]) =>
      isTorn(value, mine.get(pointer) as MaybeJson, other.get(pointer) as MaybeJson)
    )
    .map(([pointer]) => pointer)
}

/** What of a merge is no conflict, by file. */
const cleanFiles = (files: ReadonlyMap<string, string>, conflicts: ReadonlyArray<string>) =>
  Object.fromEntries([...files].filter(([name]) => !conflicts.includes(name)).toSorted())

const asGit = ({ value, conflicts }: Merged): GitMerge => ({
  clean: conflicts.length === 0,
  conflicts: conflicts.map(({ path }) => fileOf(path)),
  files: new Map([...filesOf(value!)].map(([name, text]) => [name, blobId(text)]))
})

const compared = ({ clean, conflicts, files }: GitMerge) => ({
  clean,
  conflicts: conflicts.toSorted(),
  files: cleanFiles(files, conflicts)
})

describe.skipIf(!gitAnswers())("where every leaf is atomic", () => {
  test(
    "states of random histories merge as git merges files, also where they merged each other before",
    { timeout: PATIENCE_MS },
    () => {
      const seed = seedFor("merges as git makes them")
      const commits: Array<Commit> = []
      const merges: Array<{
        readonly pair: readonly [number, number]
        readonly ours: Merged
        readonly bases: number
      }> = []
      let torn = 0
      for (let history = 0; history < HISTORIES; history += 1) {
        const first = commits.length
        const story = new Story(random(seed + history), first)
        commits.push(...story.commits)
        for (const [index, one] of story.tips.entries()) {
          for (const other of story.tips.slice(index + 1)) {
            const { base, bases, ...ours } = story.merged(one, other)
            const wanted = byTable(base, story.states[one]!, story.states[other]!)
            expect({ seed, history, one, other, conflicts: ours.conflicts.map(({ path }) => path) }).toEqual({
              seed,
              history,
              one,
              other,
              conflicts: wanted.toSorted()
            })
            // In git such a base holds a file with conflict markers, or one of the two versions where the other one is a deletion.
            if (holdsUnresolved(base)) torn += 1
            else merges.push({ pair: [one + first, other + first], ours, bases })
          }
        }
      }
      using repository = new GitRepository(commits)
      for (const [index, git] of repository.merges(merges.map(({ pair }) => pair)).entries()) {
        const { pair, ours } = merges[index]!
        expect({ seed, pair, ...compared(asGit(ours)) }).toEqual({ seed, pair, ...compared(git) })
      }
      const several = merges.filter(({ bases }) => bases > 1).length
      const conflicting = merges.filter(({ ours }) => ours.conflicts.length > 0).length
      console.info(
        `${merges.length} merges compared, ${several} of them with several bases, ${conflicting} with conflicts; ${torn} more whose bases disagree`
      )
      expect(merges.length).toBeGreaterThanOrEqual(2_000)
      expect(several).toBeGreaterThan(100)
      expect(conflicting).toBeGreaterThan(500)
      expect(torn).toBeGreaterThan(20)
    }
  )

  test("the criss-cross that one merge base would get wrong conflicts, as in git", () => {
    const graph = new Graph()
    const values = [1, 2, 3, 2, 3]
    const parents = [[], [0], [0], [1, 2], [2, 1]]
    for (const [index, of] of parents.entries()) graph.add(String(index), of.map(String))
    const states = values.map((k) => stateOf(new Map([["/local/k", k]])))
    using repository = new GitRepository(
      parents.map((of, index) => ({ parents: of, files: filesOf(states[index]!) }))
    )
    const plan = basePlan(graph.nodeOf("3"), graph.nodeOf("4"), graph)
    const base = valueOfPlan(plan, (node) => states[Number(graph.nameOf(node))], [])
    const ours = merge3({ base, ours: states[3], theirs: states[4], path: [], rules: [] })
    expect(repository.mergeBases(3, 4)).toEqual([1, 2])
    expect(plan.nodes.map((node) => graph.nameOf(node))).toEqual(["1", "2"])
    const [git] = repository.merges([[3, 4]])
    expect(git!.conflicts).toEqual([fileOf("/local/k")])
    expect(compared(asGit(ours))).toEqual(compared(git!))
  })
})
