import type { SqlSource } from "../../projection/sql-source.ts"

/** What a search looks through, and by which query of whose read model. */
export const SOURCES = {
  agent: "#projections/agents/search.sql",
  help: "#projections/help/search-requests.sql",
  answer: "#projections/help/search-responses.sql",
  conversation: "#projections/conversations/search.sql",
  system_event: "#projections/system-events/search.sql",
  system_state: "#projections/system-state/search.sql",
  state: "#projections/states/search.sql"
} as const satisfies Readonly<Record<string, SqlSource>>

export type SearchKind = keyof typeof SOURCES

export const KINDS = Object.keys(SOURCES) as ReadonlyArray<SearchKind>
