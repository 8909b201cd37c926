import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Event } from "./event.ts"
import type { Filter } from "./filter.ts"
import { PAGE_EVENTS, type Pages } from "./page.ts"

/** How many positions the first page of a filter looks over. */
const FIRST_POSITIONS = 2 * PAGE_EVENTS

export interface Page {
  readonly events: ReadonlyArray<Event>
  /** Everything of the filter up to here is in it, or in those before. */
  readonly last: number
}

/**
 * Reads the events of a filter page by page, in a stretch that is settled.
 *
 * A page ends when it is full or when its stretch ends. Where a filter matches little, a stretch without an end would have every
 * page search the whole log, and one of fixed length would take many pages, so it follows how dense the wanted events lie.
 */
export class Pager {
  private readonly pages: Pages
  private readonly filter: Filter
  private positions: number

  constructor(pages: Pages, filter: Filter) {
    this.pages = pages
    this.filter = filter
    const isFilter = Object.values(filter).some((field) => field !== undefined)
    this.positions = isFilter ? FIRST_POSITIONS : Number.MAX_SAFE_INTEGER
  }

  /** The next page after a position, up to another at most. */
  next(after: number, upTo: number): Effect.Effect<Page, PostgresError> {
    const end = Math.min(upTo, after + this.positions)
    return Effect.map(this.pages.between(after, end, PAGE_EVENTS, this.filter), (events) => {
      const last = events.length < PAGE_EVENTS ? end : events.at(-1)!.position
      this.learn(events.length, last - after)
      return { events, last }
    })
  }

  private learn(events: number, covered: number): void {
    if (this.positions === Number.MAX_SAFE_INTEGER) return
    if (events === PAGE_EVENTS) this.positions = Math.max(FIRST_POSITIONS, 2 * covered)
    else if (events < PAGE_EVENTS / 2)
      this.positions = Math.min(Number.MAX_SAFE_INTEGER - 1, 2 * this.positions)
  }
}
