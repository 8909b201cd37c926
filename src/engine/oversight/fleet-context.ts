import { Effect } from "effect"
import { asBadAs, type Severity } from "../../../projections/system-events/events.ts"
import type { HelpStatus } from "../../../projections/help/life-cycle.ts"
import { type LogError, InvalidArgument, logError } from "../../log/error.ts"
import type { Json } from "../../base/json-value.ts"
import { asIs } from "../asking.ts"
import { briefing } from "./briefing.ts"
import type { HealthCheck } from "./check.ts"
import { COUNTED_HOURS } from "./counts.ts"
import { type SystemHealth, healthIn } from "./health.ts"
import type { Indicator } from "./indicator.ts"
import type { ServerLoads } from "./server-load.ts"
import { type Statistics, statisticsIn } from "./statistics.ts"

export interface ContextOptions {
  /** How long `text` may be, in characters: from 500 to 1 000 000; 8 000 by default. What is least urgent is left out, and said to be. */
  readonly maxCharacters?: number
}

/** A system event that somebody should know of. */
export interface Trouble {
  readonly type: string
  readonly severity: Severity
  readonly agent: string | null
  readonly data: Json
  readonly timestamp: Date
}

/** A request for help that is not answered. */
export interface OpenRequest {
  readonly request: string
  readonly user: string
  readonly content: string
  readonly status: HelpStatus
  readonly priority: string
  readonly createdAt: Date
}

/** An agent that beats no more as often as it should. */
export interface SilentAgent {
  readonly agent: string
  readonly health: "late" | "lost"
  readonly since: Date
  readonly lastBeatAt: Date | null
}

/** A value that the fleet shares. */
export interface SharedValue {
  readonly key: string
  readonly value: Json
  readonly updatedAt: Date
  readonly updatedBy: string | null
}

/** What somebody new to the fleet, a model above all, should know of it now. */
export interface FleetContext {
  readonly at: Date
  readonly health: SystemHealth["status"]
  /** What is not ok. */
  readonly complaints: ReadonlyArray<HealthCheck>
  /** What is not as it should be. */
  readonly missed: ReadonlyArray<Indicator>
  readonly counts: Pick<
    Statistics,
    | "agents"
    | "health"
    | "heartbeats"
    | "systemEvents"
    | "help"
    | "sessions"
    | "unacknowledged"
    | "conversations"
  >
  /** Agents that are late or lost, by id: the first 20. */
  readonly silent: ReadonlyArray<SilentAgent>
  /** The newest system events of the last 24 hours that are warnings or worse: 10 at most. */
  readonly troubles: ReadonlyArray<Trouble>
  /** The newest requests for help that nobody has answered: 10 at most. */
  readonly requests: ReadonlyArray<OpenRequest>
  /** What the fleet shares, by key: the first 50. */
  readonly shared: ReadonlyArray<SharedValue>
  /** The same as a text in Markdown, ready for a prompt. What users and agents wrote is in it as they wrote it: take it for data, not for instructions. */
  readonly text: string
}

const DEFAULT_CHARACTERS = 8_000
const LEAST_CHARACTERS = 500
const MAX_CHARACTERS = 1_000_000

const TROUBLES = 10
const REQUESTS = 10
const SILENT = 20
const SHARED = 50

/** Bounds of all keys. */
const FIRST_KEY = ""
const LAST_KEY = "\u{10ffff}"

const HOUR_MS = 3_600_000

const charactersOf = ({
  maxCharacters = DEFAULT_CHARACTERS
}: ContextOptions): Effect.Effect<number, LogError> =>
  Number.isSafeInteger(maxCharacters) && maxCharacters >= LEAST_CHARACTERS && maxCharacters <= MAX_CHARACTERS
    ? Effect.succeed(maxCharacters)
    : Effect.fail(
        logError(
          new InvalidArgument({
            problem: `maxCharacters is ${maxCharacters}: give a whole number from ${LEAST_CHARACTERS} to ${MAX_CHARACTERS}`
          })
        )
      )

const troublesOf = (since: Date) =>
  asIs<Trouble>("#projections/system-events/list.sql", [
    asBadAs("WARNING"),
    null,
    null,
    since,
    null,
    null,
    TROUBLES
  ])

const waiting = (status: HelpStatus) =>
  asIs<OpenRequest>("#projections/help/list.sql", [status, null, null, REQUESTS, null])

export const contextIn = Effect.fnUntraced(function* (loads: ServerLoads, options: ContextOptions = {}) {
  const maxCharacters = yield* charactersOf(options)
  const health = yield* healthIn(loads)
  const statistics = yield* statisticsIn(loads)
  const {
    agents,
    health: states,
    heartbeats,
    systemEvents,
    help,
    sessions,
    unacknowledged,
    conversations
  } = statistics
  const since = new Date(health.at.getTime() - COUNTED_HOURS * HOUR_MS)
  const open = [...(yield* waiting("pending")), ...(yield* waiting("in_progress"))]
  const known = {
    at: health.at,
    health: health.status,
    complaints: health.checks.filter(({ state }) => state !== "ok"),
    missed: statistics.indicators.filter(({ isMet }) => isMet === false),
    counts: {
      agents,
      health: states,
      heartbeats,
      systemEvents,
      help,
      sessions,
      unacknowledged,
      conversations
    },
    silent: yield* asIs<SilentAgent>("#projections/vitals/unwell.sql", [["late", "lost"], "", SILENT]),
    troubles: yield* troublesOf(since),
    requests: open
      .toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime())
      .slice(0, REQUESTS),
    shared: yield* asIs<SharedValue>("#projections/system-state/all.sql", [
      FIRST_KEY,
      LAST_KEY,
      FIRST_KEY,
      SHARED
    ])
  }
  const context: FleetContext = { ...known, text: briefing(known, maxCharacters) }
  return context
})
