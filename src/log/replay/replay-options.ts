import { Result } from "effect"
import { encodeJson } from "../../base/json.ts"
import { InvalidArgument, type InvalidName } from "../error.ts"
import { type Filter, filterProblem } from "../filter.ts"
import type { Criteria } from "./criteria.ts"
import { instantOf } from "./instant.ts"

/** Which events are replayed: those that match every field given. */
export interface ReplayOptions extends Filter {
  /** What lies after it: `start`, a position, or a token. Default: `start`. */
  readonly from?: "start" | number | string
  /** What lies up to and with it: a position, or a token. Default: how far the log is settled when the replay begins. */
  readonly to?: number | string
  /**
   * Recorded then or later, as a Date or ISO text (`2026-03-01`, which begins at 00:00 UTC, or `2026-03-01T09:30Z`). By the database's
   * clock at the insert (`recordedAt`), to the ms, which is not in the order of positions: every event in between is looked at.
   */
  readonly since?: Date | string
  /** Recorded before then; as `since`. */
  readonly until?: Date | string
  /** Of this piece of work: events whose `meta.correlationId` it is, and the event whose id it is. */
  readonly correlation?: string
}

const FIELDS: ReadonlySet<string> = new Set<keyof ReplayOptions>([
  "from",
  "to",
  "since",
  "until",
  "streams",
  "categories",
  "types",
  "labels",
  "agent",
  "correlation"
])

/** What the options ask for of each event, or what is wrong with them. */
export const criteriaOf = (
  options: ReplayOptions
): Result.Result<Criteria, InvalidArgument | InvalidName> => {
  const wrong = shapeProblem(options)
  if (wrong !== undefined) return Result.fail(wrong)
  const { from: _from, to: _to, since, until, correlation, ...filter } = options
  const nameless = filterProblem(filter) ?? textProblem("correlation", correlation)
  if (nameless !== undefined) return Result.fail(nameless)
  return Result.map(timesOf(since, until), (times) => ({
    ...filter,
    ...times,
    ...(correlation === undefined ? {} : { correlation })
  }))
}

const invalid = (problem: string): InvalidArgument => new InvalidArgument({ problem })

/** What is misspelt would let everything through. */
const shapeProblem = (options: ReplayOptions): InvalidArgument | undefined => {
  if (typeof options !== "object" || options === null)
    return invalid(`A replay takes an object of options: give some of ${[...FIELDS].join(", ")}`)
  const unknown = Object.keys(options).find((name) => !FIELDS.has(name))
  if (unknown !== undefined)
    return invalid(
      `A replay has no option ${JSON.stringify(unknown)}: give some of ${[...FIELDS].join(", ")}`
    )
  const { from = "start", to = 0 } = options
  if (!isPoint(from) || from === "now")
    return invalid(`A replay cannot begin from ${shown(from)}: give "start", a position or a token`)
  if (!isPoint(to) || to === "now" || to === "start")
    return invalid(
      `A replay cannot end at ${shown(to)}: give a position or a token, or leave it out for all that is settled`
    )
  return undefined
}

const isPoint = (value: unknown): boolean => typeof value === "string" || typeof value === "number"

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** Why a text is nothing that the log could hold as an id of any kind. */
export const textProblem = (what: string, text: string | undefined): InvalidArgument | undefined =>
  text === undefined || (typeof text === "string" && text !== "" && "text" in encodeJson(text))
    ? undefined
    : invalid(`The ${what} ${shown(text)} is none: give the text that events carry`)

const timesOf = (
  since: Date | string | undefined,
  until: Date | string | undefined
): Result.Result<Pick<Criteria, "sinceMs" | "untilMs">, InvalidArgument> => {
  const times: { sinceMs?: number; untilMs?: number } = {}
  for (const [name, given] of [["since", since] as const, ["until", until] as const]) {
    if (given === undefined) continue
    const ms = instantOf(given)
    if (ms === undefined) return Result.fail(invalid(timeProblem(name, given)))
    times[`${name}Ms`] = ms
  }
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = times
  return sinceMs < untilMs
    ? Result.succeed(times)
    : Result.fail(invalid("since is not before until, so that nothing lies in between: give an earlier one"))
}

const timeProblem = (name: string, given: unknown): string => {
  const text = given instanceof Date ? "a Date that holds no time" : shown(given)
  return `${name} is ${text}: give ISO text with its zone, such as 2026-03-01 or 2026-03-01T09:30:00Z, or a Date`
}
