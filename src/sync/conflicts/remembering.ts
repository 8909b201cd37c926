import { Effect } from "effect"
import { parsePointer } from "../../base/pointer.ts"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { Part } from "../../log/event.ts"
import { ALL } from "../../state/definition/scope.ts"
import { matches, parseGlob } from "../../state/merge/glob.ts"
import type { Resolution } from "../../state/merge/resolve.ts"
import type { Rule } from "../../state/merge/rule.ts"
import type { StateFailure, StateParts } from "../../state/parts.ts"
import type { InboxConflict } from "../../state/store.ts"

/** Of what a resolution is to be the rule. */
export interface Remember {
  /** The target alone (the default), all agents of its type, or all there are. */
  readonly for?: "agent" | "type" | "all"
  /** The paths, as rules have them: a pointer in which `*` is any one part, and `**` any number of them. Default: that of the conflict. */
  readonly path?: string
}

const STRATEGIES: Readonly<Record<string, "source_wins" | "target_wins">> = {
  theirs: "source_wins",
  ours: "target_wins"
}

const invalid = (problem: string) => logError(new InvalidArgument({ problem }))

/** The rule that a resolution becomes, and for whom; or why it cannot be one. */
export const ruleOf = (
  { path: found, target }: InboxConflict,
  { use }: Resolution,
  remember: true | Remember,
  agentType: string | undefined
): { readonly scope: string; readonly rule: Rule } | string => {
  const strategy = typeof use === "string" ? STRATEGIES[use] : undefined
  if (strategy === undefined)
    return "Only ours or theirs can be remembered as a rule, since a value or a base is of this conflict alone: leave out `remember`, or decide by a side"
  if (remember !== true && (typeof remember !== "object" || remember === null))
    return `remember is ${JSON.stringify(remember)}: give true, or { for, path }`
  const { for: whom = "agent", path = found } = remember === true ? {} : remember
  const glob = typeof path === "string" ? parseGlob(path) : undefined
  if (glob === undefined || !matches(glob, parsePointer(found)!))
    return `The path ${JSON.stringify(path)} of the rule does not match ${found}: give a pattern that does, as "/shared/**"`
  const scopes: Readonly<Record<string, string | undefined>> = {
    agent: `agent:${target}`,
    type: agentType === undefined ? undefined : `type:${agentType}`,
    all: ALL
  }
  if (!Object.hasOwn(scopes, whom))
    return `A rule cannot be remembered for ${JSON.stringify(whom)}: give "agent", "type" or "all"`
  const scope = scopes[whom]
  if (scope === undefined)
    return `${JSON.stringify(target)} has no type that a rule could be of: remember it for "agent" or "all"`
  return { scope, rule: { path, strategy } }
}

/** What is appended so that a resolution is a rule from then on; nothing where none is to be remembered. */
export const remembering = Effect.fnUntraced(function* (
  { definitions, branches, named }: StateParts,
  entry: InboxConflict,
  resolution: Resolution,
  remember: boolean | Remember | undefined
): Effect.fn.Return<ReadonlyArray<Part>, StateFailure> {
  if (remember === undefined || remember === false) return []
  const name = named(entry.target, entry.targetBranch)
  const { agentType } = yield* branches.read(branches.of(name), { tiers: [], keys: [] }, true)
  const made = ruleOf(entry, resolution, remember, agentType)
  if (typeof made === "string") return yield* invalid(made)
  return yield* definitions.remembering(made.scope, made.rule)
})
