import type { Event } from "../log/event.ts"
import type { Pages } from "../log/page.ts"
import { PageSize } from "../log/page-size.ts"
import { Agenda, type Due } from "./agenda.ts"
import type { Cursor, Run } from "./cursor.ts"
import type { Retrial } from "./delivery.ts"
import type { Tried } from "./held.ts"
import type { Places } from "./places.ts"

/** How many held events whose time has come are taken on in one run, and of what waits behind them. */
const MOST_DUE = 100
const MOST_BEHIND = 900

/** For how long a run takes on one after the other, in ms: a handler that hangs has its whole deadline each time. */
const RUN_MS = 1_000

export interface RetriesParts {
  readonly cursor: Cursor
  readonly retrial: Retrial
  readonly places: Places
  readonly pages: Pages
  readonly run: Run
  /** Nothing more is to be handed over now. */
  readonly ends: () => boolean
  /** There are new events to hand over, or may be. */
  readonly hasNew: () => boolean
}

/**
 * Tries the held events of a partition again whose time has come, and what waits behind them. New events, where there are any, have
 * as much of the time: one that hangs to its deadline would be due again at once, and have all its attempts in a row.
 */
export class Retries {
  private readonly parts: RetriesParts
  /** New events come first until then, by performance.now(), and until the cursor has moved from there. */
  private newFirst: { readonly until: number; readonly from: number } | undefined
  /** When the run under way ends, by performance.now(); it tries one at least. */
  private endsAt: number | undefined
  private hasFailed = false
  private readonly pageSize = new PageSize()

  constructor(parts: RetriesParts) {
    this.parts = parts
  }

  /** Whether it is time for a run. */
  get isDue(): boolean {
    const { cursor, hasNew } = this.parts
    const now = performance.now()
    if (cursor.holding.nextAt > now) return false
    const { newFirst } = this
    const isTurnOfNew = newFirst !== undefined && (now < newFirst.until || cursor.handled === newFirst.from)
    return !isTurnOfNew || !hasNew()
  }

  async run(): Promise<void> {
    const { cursor } = this.parts
    const began = performance.now()
    this.hasFailed = true
    try {
      await this.tryDue()
      this.hasFailed = false
    } finally {
      const now = performance.now()
      this.newFirst = { until: now + (now - began), from: cursor.handled }
    }
  }

  /** Something failed that is no handler's fault: what was not at it goes first. */
  trouble(): void {
    if (!this.hasFailed) this.newFirst = undefined
    this.hasFailed = false
  }

  /** Those that have waited longest are first; what fails again is due later than what had no turn. */
  private async tryDue(): Promise<void> {
    const { cursor, places, retrial, run, ends } = this.parts
    const { holding } = cursor
    await cursor.keep()
    // The database's clock says what is due; and of what others have had tried again not all is known here.
    const isUnknown = holding.isPart || holding.isReminded
    const tried = await run(places.due(cursor.place, MOST_DUE, MOST_BEHIND))
    this.endsAt = undefined
    const agenda = new Agenda()
    for (let from = 0; from < tried.length && agenda.isOver;) {
      if (ends() || this.isOver()) break
      const due = await this.read(tried.slice(from))
      from += due.length
      agenda.add(due)
      await retrial.again(agenda, () => this.isOver())
    }
    if (isUnknown || tried.length === 0) await cursor.loadHolding()
  }

  /** The first of them, with their events: as many as make up a page. */
  private async read(tried: ReadonlyArray<Tried>): Promise<ReadonlyArray<Due>> {
    const { pages, run } = this.parts
    let asked: ReadonlyArray<Tried> = []
    const portion = this.pageSize.read((limit) => {
      asked = tried.slice(0, limit)
      return pages.at(asked.map(({ position }) => position))
    })
    for (;;) {
      const { events, count, last, isFull } = await run(portion)
      const found = new Map<number, Event>(events.map((event) => [event.position, event]))
      // A page is cut in order of position, which is not the order of the agenda.
      const isCut = isFull && count < asked.length
      const unread = isCut ? asked.findIndex(({ position }) => position > last) : -1
      const read = unread === -1 ? asked : asked.slice(0, unread)
      if (read.length > 0)
        return read.map((one) => ({
          tried: one,
          event: one.isDropped ? undefined : found.get(one.position)
        }))
    }
  }

  private isOver(): boolean {
    const now = performance.now()
    this.endsAt ??= now + RUN_MS
    return now >= this.endsAt
  }
}
