import type { Engine, EngineStatus } from "../../index.ts"
import { counted } from "../terminal/quantity.ts"

/** A projection, as the status tells. */
export interface ProjectionFacts {
  readonly name: string
  readonly position: number
  /** How far it is behind. */
  readonly lag: number
  /** Whether that is a number of events; else it is one of positions, and the events are at most as many. */
  readonly isCount: boolean
  /** It does not go on before somebody mends it. */
  readonly isStopped: boolean
  /** Another process of the same log fills it. */
  readonly follows: boolean
  /** Why it stopped, or what it tries again after. */
  readonly error: string | undefined
}

/** How the log stood when it was last asked. */
export interface Facts {
  readonly settled: number
  readonly projections: ReadonlyArray<ProjectionFacts>
  /** Since when an append under way keeps the log from settling, in ms; 0 where none does. */
  readonly heldForMs: number
  readonly isPolling: boolean
  /** Why it could not be asked, if it could not: then the rest is old. */
  readonly trouble: string | undefined
}

export const NO_FACTS: Facts = {
  settled: 0,
  projections: [],
  heldForMs: 0,
  isPolling: false,
  trouble: undefined
}

/** How far a projection is behind, with its unit: `3 events`, or `≤ 40 positions` where these are not known to be events. */
export const behind = ({ lag, isCount }: Pick<ProjectionFacts, "lag" | "isCount">): string =>
  isCount ? counted(lag, "event") : `≤ ${counted(lag, "position")}`

/** What the status says about projections. */
export const projectionsOf = ({ projections }: EngineStatus): ReadonlyArray<ProjectionFacts> =>
  projections.map(({ name, state, position, lag, follows, error }) => ({
    name,
    position,
    lag: lag.atMost,
    isCount: lag.isCount,
    isStopped: state === "stopped",
    follows,
    error: error?.message
  }))

/** Asks the log how it stands. Never rejects: an unreachable log is a fact, too. */
export const factsOf = async (engine: Engine, before: Facts): Promise<Facts> => {
  try {
    const status = await engine.status()
    return {
      settled: status.settled,
      projections: projectionsOf(status),
      heldForMs: status.feed.heldForMs,
      isPolling: status.wake.mode === "polling",
      trouble: undefined
    }
  } catch (error) {
    return { ...before, trouble: error instanceof Error ? error.message : String(error) }
  }
}
