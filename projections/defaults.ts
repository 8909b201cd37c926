import { Context } from "effect"

/** What commands put in where their caller does not say, as an engine is configured. It goes into events, so that folds need not know of it. */
export interface FleetDefaults {
  /** How long a session lasts after its last sign of life, in ms; a day where it is not said. */
  readonly sessionTtlMs?: number
  /** How often an agent promises to beat when it is registered, in ms; it promises nothing where it is not said. */
  readonly heartbeatIntervalMs?: number
}

export const FleetDefaults = Context.Reference<FleetDefaults>("tidemark/projections/FleetDefaults", {
  defaultValue: () => ({})
})
