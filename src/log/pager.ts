import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Event } from "./event.ts"
import { isFilter } from "./filter.ts"
import type { Pages } from "./page.ts"
import { isAnswerLost, PAGE_EVENTS, PageSize } from "./page-size.ts"
import type { Criteria } from "./replay/criteria.ts"
import type { Share } from "./share.ts"

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
  private readonly filter: Criteria
  private readonly size: PageSize
  private readonly share: Share | undefined
  private positions: number

  /** Readers of one and the same stretch may share what they know of the size of its events. */
  constructor(pages: Pages, filter: Criteria, size: PageSize = new PageSize(), share?: Share) {
    this.pages = pages
    this.filter = filter
    this.size = size
    this.share = share?.of === 1 ? undefined : share
    this.positions = isFilter(filter) || this.share !== undefined ? FIRST_POSITIONS : Number.MAX_SAFE_INTEGER
  }

  /** The next page after a position, up to another at most. */
  next(after: number, upTo: number): Effect.Effect<Page, PostgresError> {
    const end = Math.min(upTo, after + this.positions)
    const portion = this.size.read((limit) => this.pages.between(after, end, limit, this.filter, this.share))
    return portion.pipe(
      Effect.map((read): Page => {
        const last = read.isFull ? read.last : end
        this.learn(read.count, read.isFull, last - after)
        return {
          get events() {
            return read.events
          },
          last
        }
      }),
      Effect.tapError((error) => Effect.sync(() => this.shorten(end - after, error)))
    )
  }

  /** Where few events match, it is the way to the next that takes too long, and not the events. */
  private shorten(reach: number, error: PostgresError): void {
    if (this.positions === Number.MAX_SAFE_INTEGER || !isAnswerLost(error)) return
    this.positions = Math.max(FIRST_POSITIONS, Math.floor(reach / 2))
  }

  private learn(events: number, isFull: boolean, covered: number): void {
    if (this.positions === Number.MAX_SAFE_INTEGER) return
    if (isFull) this.positions = Math.max(FIRST_POSITIONS, 2 * covered)
    else if (events < PAGE_EVENTS / 2)
      this.positions = Math.min(Number.MAX_SAFE_INTEGER - 1, 2 * this.positions)
  }
}
