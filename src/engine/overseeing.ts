import type { ContextOptions, FleetContext } from "./oversight/fleet-context.ts"
import type { SystemHealth } from "./oversight/health.ts"
import type { Statistics } from "./oversight/statistics.ts"

export type { HealthCheck } from "./oversight/check.ts"
export type { ContextOptions, FleetContext } from "./oversight/fleet-context.ts"
export type { SystemHealth } from "./oversight/health.ts"
export type { Indicator } from "./oversight/indicator.ts"
export type { Statistics } from "./oversight/statistics.ts"

/** What an engine tells those who look after a fleet. Nothing here waits for read models: what was written just now may be missing. */
export interface Overseeing {
  /**
   * Whether all is well: the server, connections, the end of the log, wake-ups, read models, subscriptions, synchronisations, telemetry and system
   * events, each with what is to be done where it is not. A server that does not answer within 5 000 ms is told like all else: of the server, nothing rejects.
   */
  health(): Promise<SystemHealth>
  /**
   * How much the log and the read models hold, how busy connections and server are, and the indicators of a fleet with their targets. For dashboards: counts
   * take longer the larger a fleet is. `transactionsPerSecond` is since this engine last looked.
   */
  statistics(): Promise<Statistics>
  /**
   * What somebody new to the fleet should know of it now, as data and as a text for a prompt, `maxCharacters` long at most (8 000). What users and agents wrote
   * is in it as they wrote it. Rejects with InvalidArgument.
   */
  context(options?: ContextOptions): Promise<FleetContext>
}
