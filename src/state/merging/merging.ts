import { Effect } from "effect"
import { uuid } from "../../base/uuid.ts"
import { logError } from "../../log/error.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { tokenAfter } from "../change/changing.ts"
import { blamed, type Combined, combine, type Outcome, settled } from "./combining.ts"
import { constraints } from "../definition/constraining.ts"
import { type Conflicting, InvalidRules, NotFastForward, stateError } from "../error.ts"
import { StateMerged } from "../event.ts"
import { nodeOf, ready } from "../past/history.ts"
import type { Note } from "../merge/conflict.ts"
import type { Rule } from "../merge/rule.ts"
import { rulesProblem } from "../merge/rule-problem.ts"
import type { Strategy } from "../merge/settle.ts"
import { refProblem } from "../name.ts"
import type { ByWhom, StateFailure, StateScene } from "../parts.ts"
import { type Merging, nameOfStrategy, openMerge } from "./pending-merge.ts"
import { type Prepared, whileStill } from "../branch/prepared.ts"
import { headOf } from "../past/reading.ts"
import { NOTHING } from "../store.ts"
import { planOfEvent } from "../change/writing.ts"

export interface MergeOptions extends ByWhom {
  /** The branch that it is merged into; this one by default. */
  readonly into?: string
  /**
   * `recursive` by default: what only one side changed is taken, what both changed is merged. `fast_forward`: only where the target has
   * nothing of its own since. `manual`: nothing is done before somebody has looked at it.
   */
  readonly mode?: "recursive" | "fast_forward" | "manual"
  /** What becomes of conflicts: they are left open (`merge`, the default), one side wins, or a function decides. */
  readonly strategy?: Strategy
  /** For this merge, before those that are declared. */
  readonly rules?: ReadonlyArray<Rule>
  /** Who is named as the author; the actor by default. */
  readonly author?: string
}

/** What a merge has come to. */
export interface Merge {
  readonly merge: string
  /** `pending`: both branches are as they were, until the conflicts are resolved and the merge is finished. */
  readonly status: "merged" | "fast_forward" | "up_to_date" | "pending"
  /** Of the target. */
  readonly version: number
  readonly token: string
  /** Those that are open. */
  readonly conflicts: ReadonlyArray<Conflicting>
  /** What was decided without anybody being asked, and may be worth knowing. */
  readonly notes: ReadonlyArray<Note>
}

/** Merges another branch into this one. */
export const mergeState = Effect.fnUntraced(function* (
  scene: StateScene,
  from: string,
  options: MergeOptions
): Effect.fn.Return<Merge, StateFailure> {
  const { into, mode = "recursive", strategy = "merge", rules = [], author = options.actor, ...by } = options
  const { parts, name } = scene
  const problem = rulesProblem(rules)
  if (problem !== undefined) return yield* stateError(new InvalidRules({ problem }))
  const wrong = refProblem("branch", from) ?? (into === undefined ? undefined : refProblem("branch", into))
  if (wrong !== undefined) return yield* logError(wrong)
  const target = into === undefined ? scene : { ...scene, name: parts.named(name.agent, into) }
  const source = yield* headOf({ ...scene, name: parts.named(name.agent, from) })
  const merging: Merging = { merge: uuid(), mode, strategy, ownRules: rules, author, source }
  return yield* whileStill(target, by, (head) => prepareMerge(target, head, merging, by))
})

const prepareMerge = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  merging: Merging,
  by: ByWhom
): Effect.fn.Return<Prepared<Merge>, StateFailure> {
  const { parts, name } = scene
  const { merge, mode, strategy, ownRules, source } = merging
  yield* ready(scene, head, source)
  const rules = [...(yield* parts.definitions.rules(name.agent, head.agentType)), ...ownRules]
  const combined = yield* combine(scene, nodeOf(source), nodeOf(head), rules)
  const { isUpToDate, isFastForward } = combined
  if (mode === "fast_forward" && !isFastForward && !isUpToDate)
    return yield* stateError(
      new NotFastForward({ agent: name.agent, source: source.name.branch, target: name.branch })
    )
  const outcome = settled(combined.merged, strategy, rules)
  const wrong = yield* constraints(scene, head, outcome.values)
  const conflicts = [...outcome.conflicts, ...wrong]
  if (!isUpToDate && (conflicts.length > 0 || mode === "manual")) {
    const told = yield* blamed(scene, conflicts, nodeOf(head), nodeOf(source))
    const token = tokenAt(scene, head)
    const pending = {
      merge,
      status: "pending" as const,
      version: head.version,
      token,
      conflicts: told,
      notes: outcome.notes
    }
    yield* openMerge(scene, head, merging, { ...outcome, conflicts: told }, by)
    return nothing(pending)
  }
  if (isUpToDate)
    return nothing({
      merge,
      status: "up_to_date",
      version: head.version,
      token: tokenAt(scene, head),
      conflicts: [],
      notes: []
    })
  return planned(scene, combined, outcome, merging)
})

const tokenAt = (scene: StateScene, head: BranchState): string =>
  tokenAfter(scene, { state: head })(undefined, head.id, head.version)

/** Nothing is done to the branch. */
const nothing = <A>(outcome: A): Prepared<A> => ({
  selection: NOTHING,
  plan: () => Effect.succeed({ events: [], told: () => outcome })
})

/** The merge as an event of the target. */
const planned = (
  scene: StateScene,
  { bases, isFastForward }: Combined,
  { values, notes }: Outcome,
  { merge, mode, strategy, author, source }: Merging
): Prepared<Merge> => ({
  selection: { tiers: [], keys: [...values.keys()] },
  plan: (draft) =>
    Effect.sync(() => {
      const made = isFastForward && mode !== "manual" ? "fast_forward" : mode
      const from = { branch: source.id, name: source.name.branch, version: source.version }
      const { events, told } = planOfEvent(
        draft,
        [],
        values,
        (fields) =>
          StateMerged.make({
            ...fields,
            merge,
            source: from,
            bases,
            mode: made,
            strategy: nameOfStrategy(strategy),
            ...(author === undefined ? {} : { author })
          }),
        tokenAfter(scene, draft)
      )
      return {
        events,
        told: (placed, branch) => {
          const { version, token } = told(placed, branch)
          const status = made === "fast_forward" ? "fast_forward" : "merged"
          return { merge, status, version, token, conflicts: [], notes }
        }
      }
    })
})
