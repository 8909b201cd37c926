import { isUuid } from "../../base/uuid.ts"
import type { Filter } from "../filter.ts"

/** A filter, and what a replay may ask beyond it. */
export interface Criteria extends Filter {
  /** Recorded then or later, in ms since the epoch. */
  readonly sinceMs?: number
  /** Recorded before then, in ms since the epoch. */
  readonly untilMs?: number
  /** Of this piece of work: what carries it as its correlation id, and the event of that id. */
  readonly correlation?: string
}

/** Whether a filter alone does not say it. */
export const isBeyondFilter = ({ sinceMs, untilMs, correlation }: Criteria): boolean =>
  sinceMs !== undefined || untilMs !== undefined || correlation !== undefined

/** What the query takes beyond the filter, null where not given. */
export const criteriaColumns = (
  criteria: Criteria
): [since: number | null, until: number | null, correlation: string | null, id: string | null] => [
  criteria.sinceMs ?? null,
  criteria.untilMs ?? null,
  criteria.correlation ?? null,
  idIn(criteria.correlation)
]

/** The id of an event, where a text is one in any of its forms. */
export const idIn = (text: string | undefined): string | null => {
  const id = text?.toLowerCase()
  return id !== undefined && isUuid(id) ? id : null
}
