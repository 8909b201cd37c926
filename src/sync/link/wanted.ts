import { Effect } from "effect"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import { InvalidRules, stateError } from "../../state/error.ts"
import { rulesProblem } from "../../state/merge/rule-problem.ts"
import type { Rule } from "../../state/merge/rule.ts"
import type { ByWhom, StateFailure, StateScene } from "../../state/parts.ts"
import type { States } from "../../state/states.ts"
import type { Tier } from "../../state/tier.ts"
import { keysOf, SHARED_TIERS } from "../keys.ts"
import { PRIORITIES, type Priority } from "../queue/work.ts"
import { type Place, sceneAt } from "../sync.ts"
import type { LinkMember } from "./event.ts"
import { type Link, type LinkStrategy, streamOfMember } from "./link.ts"

/** What is shared by a link, and how. */
interface LinkHow extends ByWhom {
  /** Keys of tiers, as RFC 6901 pointers: `/shared/plan`, or all of a tier, `/shared/**`. */
  readonly keys: ReadonlyArray<string>
  /** The tiers whose keys may be named. Default: `shared` and `persistent`. */
  readonly tiers?: ReadonlyArray<Tier>
  /**
   * What becomes of conflicts: the keys are left as they are until somebody decides (`merge`, the default), or one side wins. The source is `from`;
   * in a group it is whoever comes later.
   */
  readonly strategy?: LinkStrategy
  readonly rules?: ReadonlyArray<Rule>
  /** What is brought first, where there is more than can be done at once; others are delayed, and none is dropped. Default: `normal`. */
  readonly priority?: Priority
}

/** Some share what one has, with `both` also the other way; or all of a group share what any of them has. */
export type LinkOptions = LinkHow &
  (
    | {
        readonly from: Place
        readonly to: ReadonlyArray<Place>
        readonly both?: boolean
        readonly group?: undefined
      }
    | {
        readonly group: ReadonlyArray<Place>
        readonly from?: undefined
        readonly to?: undefined
        readonly both?: undefined
      }
  )

type Wanted = Omit<Link, "link" | "hub" | "status">

const STRATEGIES: ReadonlySet<unknown> = new Set(["merge", "source_wins", "target_wins"])

const invalid = (problem: string): LogError => logError(new InvalidArgument({ problem }))

/** The members that were named, each once. */
export const membersAt = Effect.fnUntraced(function* (
  states: States["Service"],
  places: ReadonlyArray<Place>,
  role: Pick<LinkMember, "gives" | "takes" | "leads">
): Effect.fn.Return<ReadonlyArray<LinkMember>, LogError> {
  const scenes: ReadonlyArray<StateScene> = yield* Effect.forEach(places, (place) => sceneAt(states, place))
  return scenes.map(({ name: { agent, branch } }) => ({ agent, name: branch, ...role }))
})

/** Why these cannot be members of one link, or undefined. */
export const membersProblem = (members: ReadonlyArray<LinkMember>): string | undefined => {
  const streams = members.map(streamOfMember)
  const twice = members.find((_, at) => streams.indexOf(streams[at]!) !== at)
  if (twice !== undefined)
    return `${JSON.stringify(twice.agent)} is to be linked with itself: name each branch of a state once`
  if (members.length < 2) return "A link is between two states at least: name more"
  if (members.every(({ gives }) => !gives))
    return "Nobody is left from whom anything would come: end the link"
  return undefined
}

const ALL = { gives: true, takes: true, leads: true }

const memberOptions = Effect.fnUntraced(function* (
  states: States["Service"],
  { from, to, both = false, group }: LinkOptions
): Effect.fn.Return<ReadonlyArray<LinkMember>, LogError> {
  if (group !== undefined) {
    if (from !== undefined || to !== undefined)
      return yield* invalid("A link is of a `group`, or `from` one `to` others: give one of these")
    if (!Array.isArray(group)) return yield* invalid("`group` is no list: name the agents that share")
    return yield* membersAt(states, group as ReadonlyArray<Place>, ALL)
  }
  if (!Array.isArray(to) || to.length === 0)
    return yield* invalid("There is nobody to link with: name agents in `to`, or all of them in `group`")
  const source = yield* membersAt(states, [from!], { gives: true, takes: both, leads: true })
  return [...source, ...(yield* membersAt(states, to, { gives: both, takes: true, leads: false }))]
})

/** What a link is to be; or why there cannot be such. */
export const linkWanted = Effect.fnUntraced(function* (
  states: States["Service"],
  options: LinkOptions
): Effect.fn.Return<Wanted, StateFailure> {
  const { keys, tiers = SHARED_TIERS, strategy = "merge", rules = [], priority = "normal" } = options
  const selection = keysOf(keys, tiers)
  if (selection instanceof InvalidArgument) return yield* logError(selection)
  const problem = rulesProblem(rules)
  if (problem !== undefined) return yield* stateError(new InvalidRules({ problem }))
  if (!STRATEGIES.has(strategy)) {
    const given = typeof strategy === "function" ? "a function" : JSON.stringify(strategy)
    return yield* invalid(
      `A link outlives this process, with one of the strategies merge, source_wins, target_wins: ${given} is none of these`
    )
  }
  if (!PRIORITIES.includes(priority))
    return yield* invalid(`There is no priority ${JSON.stringify(priority)}: give ${PRIORITIES.join(", ")}`)
  const members = yield* memberOptions(states, options)
  const wrong = membersProblem(members)
  if (wrong !== undefined) return yield* invalid(wrong)
  return { members, keys: [...keys], tiers, strategy, rules, priority }
})
