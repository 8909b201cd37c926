import type { Event } from "../../log/event.ts"
import { idOf } from "../../log/name.ts"
import type { Rule } from "../../state/merge/rule.ts"
import { branchStream, MAIN } from "../../state/name.ts"
import type { Tier } from "../../state/tier.ts"
import type { Priority } from "../queue/work.ts"
import {
  type LinkMember,
  StateLinkChanged,
  StateLinked,
  StateLinkPaused,
  StateLinkResumed,
  StateUnlinked
} from "./event.ts"

export type LinkStrategy = "merge" | "source_wins" | "target_wins"

export type LinkStatus = "active" | "paused" | "ended"

/** Branches that share keys. Each merges with the hub, and with no other: so what goes round comes once. */
export interface Link {
  readonly link: string
  /** The agent whose state, on main, has what is shared. */
  readonly hub: string
  readonly members: ReadonlyArray<LinkMember>
  readonly keys: ReadonlyArray<string>
  readonly tiers: ReadonlyArray<Tier>
  readonly strategy: LinkStrategy
  readonly rules: ReadonlyArray<Rule>
  readonly priority: Priority
  readonly status: LinkStatus
}

/** The agent whose state is the hub of a link. */
export const hubOf = (link: string): string => `link:${link}`

export const streamOfMember = ({ agent, name }: Pick<LinkMember, "agent" | "name">): string =>
  branchStream(agent, name)

export const hubStream = ({ hub }: Pick<Link, "hub">): string => branchStream(hub, MAIN)

/** Brings what a member has into the hub. */
type Way = readonly [source: string, target: string]

export const wayIn = (link: Link, member: LinkMember): Way => [streamOfMember(member), hubStream(link)]

export const wayOut = (link: Link, member: LinkMember): Way => [hubStream(link), streamOfMember(member)]

/** All that a link may have to bring: what members have first. */
export const waysOf = (link: Link): ReadonlyArray<Way> => [
  ...link.members.filter(({ gives }) => gives).map((member) => wayIn(link, member)),
  ...link.members.filter(({ takes }) => takes).map((member) => wayOut(link, member))
]

/** A link after an event of its stream; undefined where that is of no link. */
export const linkAfter = (link: Link | undefined, event: Event): Link | undefined => {
  if (StateLinked.is(event)) {
    const { rules, ...said } = event.data
    return {
      ...said,
      link: idOf(event.stream),
      rules: rules as unknown as ReadonlyArray<Rule>,
      status: "active"
    }
  }
  if (link === undefined || link.status === "ended") return link
  if (StateLinkChanged.is(event)) return { ...link, members: event.data.members }
  if (StateLinkPaused.is(event)) return { ...link, status: "paused" }
  if (StateLinkResumed.is(event)) return { ...link, status: "active" }
  return StateUnlinked.is(event) ? { ...link, status: "ended" } : link
}
