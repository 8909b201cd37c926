import type { Engine, EngineStatus } from "../../index.ts"

/** A projection, as the status tells. */
export interface ProjectionFacts {
  readonly name: string
  readonly position: number
  /** How many events it is behind, at most. */
  readonly lag: number
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

/** What the status says about projections. */
export const projectionsOf = ({ projections }: EngineStatus): ReadonlyArray<ProjectionFacts> =>
  projections.map(({ name, state, position, lag, follows, error }) => ({
    name,
    position,
    lag: lag.atMost,
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
