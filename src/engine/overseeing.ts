import type { ContextOptions, FleetContext } from "./oversight/fleet-context.ts"
import type { SystemHealth } from "./oversight/health.ts"
import type { SearchOptions } from "./search/options.ts"
import type { Hit } from "./search/search.ts"
import type { Statistics } from "./oversight/statistics.ts"

export type { HealthCheck } from "./oversight/check.ts"
export type { ContextOptions, FleetContext } from "./oversight/fleet-context.ts"
export type { SystemHealth } from "./oversight/health.ts"
export type { Indicator } from "./oversight/indicator.ts"
export type { SearchKind } from "./search/kinds.ts"
export type { SearchOptions } from "./search/options.ts"
export type { Hit } from "./search/search.ts"
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
  /**
   * Looks for words in agents, requests for help, their answers, conversations, system events, shared values, and the tiers `shared` and `persistent` of states: the best hits of all,
   * `limit` at most (20), with snippets. As on the web: all words are wanted, `"a phrase"`, `or`, `-not`. Where nothing has them, agents whose id or name
   * is written much like the query. Rejects with InvalidArgument.
   */
  search(query: string, options?: SearchOptions): Promise<ReadonlyArray<Hit>>
}
