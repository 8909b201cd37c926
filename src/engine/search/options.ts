import { Effect } from "effect"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import { KINDS, type SearchKind } from "./kinds.ts"

export interface SearchOptions {
  /** What to look through; all kinds by default. */
  readonly kinds?: ReadonlyArray<SearchKind>
  /** Only what is of this agent. Requests for help and shared values are of none. */
  readonly agent?: string
  /** Only what was made since then; of agents, shared values and states, what changed since. An ISO time or a Date. */
  readonly since?: string | Date
  /** How many hits at most, from 1 to 100; 20 by default. */
  readonly limit?: number
  /** What stands before and after a word that was found, in snippets; `**` on both sides by default. 20 characters each at most. */
  readonly marks?: readonly [before: string, after: string]
}

/** What is asked, checked. */
export interface SearchRequest {
  readonly text: string
  readonly kinds: ReadonlyArray<SearchKind>
  readonly agent: string | null
  readonly since: Date | null
  readonly limit: number
  readonly marks: readonly [before: string, after: string]
}

const MAX_QUERY = 1_000
const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100
const MAX_MARK = 20
const DEFAULT_MARKS = ["**", "**"] as const

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.isWellFormed() && !value.includes("\0")

/** No time of PostgreSQL's is earlier. */
const FIRST_YEAR = -4_712

const timeOf = (since: unknown): Date | null | undefined => {
  if (since === undefined) return null
  if (typeof since !== "string" && !(since instanceof Date)) return undefined
  const time = new Date(since)
  return time.getUTCFullYear() > FIRST_YEAR ? time : undefined
}

const isMark = (mark: unknown): boolean => isText(mark) && mark.length <= MAX_MARK

/** What is wrong with a search, or undefined. */
const problemOf = (query: unknown, options: SearchOptions): string | undefined => {
  const { kinds, agent, since, limit = DEFAULT_LIMIT, marks = DEFAULT_MARKS } = options
  if (!isText(query) || query.trim() === "") return "A search has no words: give a text to look for"
  if (query.length > MAX_QUERY)
    return `The query is ${query.length} characters long: give ${MAX_QUERY} at most`
  if (kinds !== undefined && !Array.isArray(kinds))
    return "kinds is no list: give some of those that there are"
  if (kinds?.length === 0) return `kinds has none: give some of ${KINDS.join(", ")}`
  const unknown = kinds?.findIndex((kind) => !KINDS.includes(kind)) ?? -1
  if (unknown >= 0) return `kinds has "${String(kinds![unknown])}": give some of ${KINDS.join(", ")}`
  if (agent !== undefined && (!isText(agent) || agent === "")) return "agent is no id of an agent: give one"
  if (timeOf(since) === undefined) return `since is ${String(since)}: give a Date, or a time as in ISO 8601`
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    return `limit is ${limit}: give a whole number from 1 to ${MAX_LIMIT}`
  if (!Array.isArray(marks) || marks.length !== 2 || !marks.every(isMark))
    return `marks are ${JSON.stringify(marks)}: give two texts of ${MAX_MARK} characters at most`
  return undefined
}

/** A search as it is asked, with what is not said put in. Fails with InvalidArgument. */
export const requestOf = (text: string, options: SearchOptions): Effect.Effect<SearchRequest, LogError> => {
  const problem = problemOf(text, options)
  if (problem !== undefined) return Effect.fail(logError(new InvalidArgument({ problem })))
  const { kinds = KINDS, agent = null, since, limit = DEFAULT_LIMIT, marks = DEFAULT_MARKS } = options
  return Effect.succeed({ text, kinds, agent, since: timeOf(since) ?? null, limit, marks })
}
