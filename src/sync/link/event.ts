import { Schema } from "effect"
import { type EventType, eventType } from "../../log/event-type.ts"
import { TIERS } from "../../state/tier.ts"
import { PRIORITIES } from "../queue/work.ts"

/** The category of the streams of links. */
export const LINK = "statelink"

export const linkStream = (link: string): string => `${LINK}-${link}`

const text = Schema.String

/** A branch of an agent's state that shares keys with others. */
export const LinkMember = Schema.Struct({
  agent: text,
  name: text,
  /** What it changes goes to the others … */
  gives: Schema.Boolean,
  /** … and what they change comes to it. */
  takes: Schema.Boolean,
  /** It is the source that a strategy speaks of. */
  leads: Schema.Boolean
})
export type LinkMember = typeof LinkMember.Type

const members = Schema.Array(LinkMember)

/** Some branches share keys from now on, by way of the state of an agent that is made for it. */
export const StateLinked = eventType(
  "StateLinked",
  Schema.Struct({
    hub: text,
    members,
    keys: Schema.Array(text),
    tiers: Schema.Array(Schema.Literals(TIERS)),
    strategy: Schema.Literals(["merge", "source_wins", "target_wins"]),
    rules: Schema.Array(Schema.Record(text, Schema.Json)),
    priority: Schema.Literals(PRIORITIES)
  })
)

/** Others share them from now on. */
export const StateLinkChanged = eventType("StateLinkChanged", Schema.Struct({ members }))

export const StateLinkPaused = eventType("StateLinkPaused", Schema.Struct({}))

/** It goes on, with all that was changed meanwhile. */
export const StateLinkResumed = eventType("StateLinkResumed", Schema.Struct({}))

export const StateUnlinked = eventType("StateUnlinked", Schema.Struct({}))

/** All types of event that links are made of. */
export const LINK_EVENTS: ReadonlyArray<EventType> = [
  StateLinked,
  StateLinkChanged,
  StateLinkPaused,
  StateLinkResumed,
  StateUnlinked
] as ReadonlyArray<EventType>
