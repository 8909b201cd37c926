import { InvalidArgument } from "../error.ts"
import type { Event } from "../event.ts"
import { idIn } from "../replay/criteria.ts"
import { textProblem } from "../replay/replay-options.ts"

/** What an audit is of: an event by its id, a piece of work by its correlation id, a stream, which any entity has, or an agent. A text alone may be any of them. */
export type AuditSubject =
  | string
  | { readonly event: string }
  | { readonly correlation: string }
  | { readonly stream: string }
  | { readonly agent: string }

export interface AuditOptions {
  /**
   * How many events at most, from 1 to 20 000; 500 by default. Of an event and of a piece of work they are the first ones, of a
   * stream and of an agent those of the newest trees.
   */
  readonly limit?: number
}

/** An event in its tree. */
export interface AuditEntry {
  readonly event: Event
  /** How many causes lie above it here; 0 for the root of a tree. */
  readonly depth: number
  /**
   * `none`: no event is said to have led to it. `shown`: the one that did is the nearest entry above it with a depth that is less
   * by one. `absent`: it is not in this log, or was left out by `limit`. `circular`: its causes lead back to itself.
   */
  readonly cause: "none" | "shown" | "absent" | "circular"
  /** It is the event, of the piece of work, in the stream, or concerns the agent; otherwise it only led to such a one, or came of it. */
  readonly isSubject: boolean
}

/** What led to what. */
export interface Audit {
  /** What the subject was taken for. */
  readonly kind: "event" | "correlation" | "stream" | "agent"
  readonly id: string
  /** Tree after tree by the positions of their roots; in a tree, each event before what it led to, and that by position. */
  readonly entries: ReadonlyArray<AuditEntry>
  /** Nothing was left out. */
  readonly isComplete: boolean
}

export const DEFAULT_AUDIT_EVENTS = 500
export const MAX_AUDIT_EVENTS = 20_000

/** One thing that a subject may be. */
export type Reading = { readonly kind: Audit["kind"]; readonly id: string }

const KINDS = ["event", "correlation", "stream", "agent"] as const

/** What a subject may be, the likeliest first, or what is wrong with it. */
export const readingsOf = (subject: AuditSubject): ReadonlyArray<Reading> | InvalidArgument => {
  if (typeof subject === "string") {
    const wrong = textProblem("subject", subject)
    if (wrong !== undefined) return wrong
    const id = idIn(subject)
    const asEvent: ReadonlyArray<Reading> = id === null ? [] : [{ kind: "event", id }]
    return [
      ...asEvent,
      { kind: "correlation", id: subject },
      { kind: "stream", id: subject },
      { kind: "agent", id: subject }
    ]
  }
  const given: Readonly<Record<string, unknown>> = subject ?? {}
  const kinds = KINDS.filter((kind) => given[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1)
    return new InvalidArgument({
      problem:
        "An audit is of one subject: give a text, { event: id }, { correlation: id }, { stream: name } or { agent: id }"
    })
  const text = given[kind] as string
  const wrong = textProblem(kind, text)
  if (wrong !== undefined) return wrong
  if (kind !== "event") return [{ kind, id: text }]
  const id = idIn(text)
  return id === null
    ? new InvalidArgument({
        problem: `The event ${JSON.stringify(text)} is no id of an event: give its UUID`
      })
    : [{ kind, id }]
}

/** How many events may be shown, or what is wrong with the options. */
export const limitOf = ({ limit = DEFAULT_AUDIT_EVENTS }: AuditOptions): number | InvalidArgument =>
  Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_AUDIT_EVENTS
    ? limit
    : new InvalidArgument({ problem: `limit is ${limit}: give a whole number from 1 to ${MAX_AUDIT_EVENTS}` })
