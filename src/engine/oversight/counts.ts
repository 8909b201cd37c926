import { Effect } from "effect"
import { SEVERITIES, type Severity } from "../../../projections/system-events/events.ts"
import { HelpStatus } from "../../../projections/help/life-cycle.ts"
import { HealthState } from "../../../projections/vitals/interval.ts"
import { asIs } from "../asking.ts"

/** What the read models hold. */
export interface Counts {
  /** How many agents there are in each state; only states that some are in. */
  readonly agents: Readonly<Record<string, number>>
  /** How many of the agents that are watched are in each state of health. */
  readonly health: Readonly<Record<HealthState, number>>
  /** Heartbeats of the last five minutes … */
  readonly heartbeats: number
  /** … and measurements of the same. */
  readonly metrics: number
  /** System events of the last 24 hours. */
  readonly systemEvents: Readonly<Record<Severity, number>>
  /** All requests for help, by status. */
  readonly help: Readonly<Record<HelpStatus, number>>
  /** Sessions that are alive. */
  readonly sessions: number
  /** Messages to one agent each that it has not acknowledged. */
  readonly unacknowledged: number
  /** Exchanges with language models today, in UTC; `cost` is a decimal as text. */
  readonly conversations: { readonly exchanges: number; readonly tokens: number; readonly cost: string }
}

interface CountsRow extends Omit<Counts, "health" | "systemEvents" | "help" | "conversations"> {
  readonly health: Partial<Counts["health"]>
  readonly systemEvents: Partial<Counts["systemEvents"]>
  readonly help: Partial<Counts["help"]>
  readonly conversations: Counts["conversations"] | null
}

/** How far back heartbeats and measurements are counted, in minutes … */
export const COUNTED_MINUTES = 5

/** … and system events, in hours. */
export const COUNTED_HOURS = 24

/** All of these names, with 0 where nothing is said of one. */
const complete = <Name extends string>(
  names: ReadonlyArray<Name>,
  known: Partial<Record<Name, number>>
): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, known[name] ?? 0])) as Record<Name, number>

/** As far as the read models are: what was written just now may be missing. */
export const countsNow = Effect.gen(function* () {
  const [row] = yield* asIs<CountsRow>("#projections/counts.sql", [COUNTED_MINUTES, COUNTED_HOURS])
  const counts: Counts = {
    ...row!,
    health: complete(HealthState.literals, row!.health),
    systemEvents: complete(SEVERITIES, row!.systemEvents),
    help: complete(HelpStatus.literals, row!.help),
    conversations: row!.conversations ?? { exchanges: 0, tokens: 0, cost: "0" }
  }
  return counts
})
