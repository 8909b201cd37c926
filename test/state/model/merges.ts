import type { Conflict } from "../../../src/state/merge/conflict.ts"
import { resolve, type Resolution } from "../../../src/state/merge/resolve.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { type Answer, DONE, isSameConflict, refused, type SettledKeys, settledKeys } from "./answer.ts"
import { isAncestor, mergeBases, mergedKeys, rebasedKeys } from "./dag.ts"
import { changedBetween, withKeys } from "./document.ts"
import type { ModelAgent } from "./model.ts"
import { lineOf, type ModelBranch, type Version } from "./version.ts"

export type ModelStrategy = "merge" | "source_wins" | "target_wins"

export interface MergeAsked {
  readonly mode: "recursive" | "fast_forward" | "manual"
  readonly strategy: ModelStrategy
  readonly rules: ReadonlyArray<Rule>
}

/** A merge that somebody has to decide about. */
export interface ModelMerge {
  readonly agent: ModelAgent
  readonly source: Version
  readonly target: string
  /** What had that name then. */
  readonly branch: ModelBranch
  readonly strategy: ModelStrategy
  readonly rules: ReadonlyArray<Rule>
  readonly decided: Map<string, { readonly conflict: Conflict; readonly resolution: Resolution }>
  conflicts: ReadonlyArray<Conflict>
  status: "pending" | "merged" | "aborted"
}

const merged = (agent: ModelAgent, name: string, source: Version, values: SettledKeys["values"]): Answer => {
  const more = { parents: [agent.live(name)!.head, source], source }
  return agent.write(name, (head) => ({
    doc: withKeys(head, values),
    type: "StateMerged",
    always: true,
    more
  }))
}

export const mergeInto = (
  agent: ModelAgent,
  target: string,
  from: string,
  { mode, strategy, rules: own }: MergeAsked
): { readonly answer: Answer; readonly pending?: ModelMerge } => {
  const [head, source] = [agent.live(target)?.head, agent.live(from)?.head]
  if (source === undefined || head === undefined) return { answer: refused("UnknownBranch") }
  const bases = mergeBases([head], [source])
  const told = (status: string, version: number, conflicts: ReadonlyArray<Conflict> = []): Answer => ({
    tag: "merge",
    status,
    version,
    conflicts
  })
  const isAsItBegan = ({ doc }: Version) =>
    bases.length === 1 && changedBetween(bases[0]!.doc, doc).length === 0
  if (bases.includes(source) || isAsItBegan(source)) return { answer: told("up_to_date", head.version) }
  const isFastForward = bases.includes(head) || isAsItBegan(head)
  if (mode === "fast_forward" && !isFastForward) return { answer: refused("NotFastForward") }
  const rules = [...agent.rules, ...own]
  const { values, conflicts } = settledKeys(mergedKeys(head, source, rules), strategy, rules)
  if (conflicts.length > 0 || mode === "manual") {
    const asked = { agent, source, target, branch: agent.live(target)!, strategy, rules, conflicts }
    const pending: ModelMerge = { ...asked, decided: new Map(), status: "pending" }
    return { answer: told("pending", head.version, conflicts), pending }
  }
  merged(agent, target, source, values)
  return { answer: told(isFastForward ? "fast_forward" : "merged", head.version + 1) }
}

export const resolveMerge = (merge: ModelMerge, path: string, resolution: Resolution): Answer => {
  if (merge.status !== "pending") return refused("MergeEnded")
  const conflict = merge.conflicts.find((one) => one.path === path)
  if (conflict === undefined) return refused("InvalidArgument")
  merge.decided.set(path, { conflict, resolution })
  return DONE
}

/** Worked out anew, on what the target is by now; what was decided counts where the conflict is the one that it was. */
export const finishMerge = (merge: ModelMerge): Answer => {
  const { agent, source, target, strategy, rules, decided } = merge
  if (merge.status !== "pending") return refused("MergeEnded")
  const branch = agent.live(target)
  if (branch === undefined) return refused("UnknownBranch")
  if (branch !== merge.branch) return refused("MergeEnded")
  const { head } = branch
  const isDecided = (conflict: Conflict): boolean => {
    const known = decided.get(conflict.path)
    return known !== undefined && isSameConflict(known.conflict, conflict)
  }
  const keys = isAncestor(source, head) ? [] : mergedKeys(head, source, rules)
  const resolved = keys.map(([key, one]) => {
    const paths = one.conflicts.filter(isDecided).map(({ path }) => path)
    return [key, resolve(one, new Map(paths.map((path) => [path, decided.get(path)!.resolution])))] as const
  })
  const { values, conflicts } = settledKeys(resolved, strategy, rules)
  if (conflicts.length > 0) {
    const isKnown = (one: Conflict) => merge.conflicts.some((known) => isSameConflict(known, one))
    if (!conflicts.every(isKnown)) merge.conflicts = conflicts
    return refused("MergeUnresolved", conflicts)
  }
  merge.status = "merged"
  return merged(agent, target, source, values)
}

export const abortMerge = (merge: ModelMerge): Answer => {
  if (merge.status !== "pending") return refused("MergeEnded")
  merge.status = "aborted"
  return DONE
}

/** Undoes a version, or all since the commit before a commit. */
export const revertTo = (agent: ModelAgent, name: string, of: Version, strategy: ModelStrategy): Answer => {
  const [, ...past] = lineOf(of)
  const before =
    of.type === "StateCommitted"
      ? (past.find(({ type }) => type === "StateCommitted") ?? past.at(-1))
      : past[0]
  if (before === undefined) return refused("UnknownRef")
  return agent.write(name, (head) => {
    const keys = rebasedKeys(of.doc, before.doc, head, agent.rules)
    const { values, conflicts } = settledKeys(keys, strategy, agent.rules)
    if (conflicts.length > 0) return refused("StateConflict", conflicts)
    return { doc: withKeys(head, values), type: "StateReverted" }
  })
}
