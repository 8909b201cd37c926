import type { Event } from "../log/event.ts"
import type { Pages } from "../log/page.ts"
import type { Cursor, Run } from "./cursor.ts"
import type { Delivery } from "./delivery.ts"
import type { Tried } from "./held.ts"
import type { Places } from "./places.ts"

/** How many held events are tried again before something else has its turn. */
const MOST_DUE = 100

/** How many of them are read at a time: as large as an event may be, they make up a page (8 MiB). */
const READ_AT_ONCE = 8

/** For how long a run takes on one after the other, in ms: a handler that hangs has its whole deadline each time. */
const RUN_MS = 1_000

export interface RetriesParts {
  readonly cursor: Cursor
  readonly delivery: Delivery
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
  /** The next run begins behind this position: those in front would have all the runs. */
  private triedAt = 0
  private hasFailed = false

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

  private async tryDue(): Promise<void> {
    const { cursor, places, run } = this.parts
    await cursor.keep()
    const due = await run(places.due(cursor.place, MOST_DUE))
    const first = due.findIndex(({ position }) => position > this.triedAt)
    const inTurn = first === -1 ? due : [...due.slice(first), ...due.slice(0, first)]
    this.endsAt = undefined
    await this.tryAgain(inTurn, (handled) => this.follow(handled))
    // The database's clock says what is due: asked again, it says how long until the next.
    if (due.length < MOST_DUE || cursor.holding.isPart) await cursor.loadHolding()
  }

  /** Goes on with the stream of an event that is handled at last. */
  private async follow({ stream, position }: Tried): Promise<void> {
    const { cursor, places, run } = this.parts
    let after = position
    while (cursor.holding.holds(stream)) {
      const waiting = await run(places.waitingOf(cursor.place, stream, after, MOST_DUE))
      if (waiting.length === 0 || !(await this.tryAgain(waiting))) return
      after = waiting.at(-1)!.position
    }
  }

  /** Whether all of them are handled. With `then`, one that is not does not keep the others. */
  private async tryAgain(
    held: ReadonlyArray<Tried>,
    then?: (handled: Tried) => Promise<void>
  ): Promise<boolean> {
    for (let from = 0; from < held.length; from += READ_AT_ONCE)
      if (!(await this.trySome(held.slice(from, from + READ_AT_ONCE), then))) return false
    return true
  }

  private async trySome(
    held: ReadonlyArray<Tried>,
    then?: (handled: Tried) => Promise<void>
  ): Promise<boolean> {
    const { cursor, delivery, pages, run, ends } = this.parts
    const { events } = await run(pages.at(held.map(({ position }) => position)))
    const found = new Map<number, Event>(events.map((event) => [event.position, event]))
    for (const tried of held) {
      if (ends() || this.isOver()) return false
      if (then !== undefined) this.triedAt = tried.position
      const event = found.get(tried.position)
      // Somebody has dropped it meanwhile, or retention has.
      const isHandled =
        event === undefined || tried.isDropped
          ? await cursor.keep([tried.position]).then(() => true)
          : await delivery.again(tried, event)
      if (isHandled) await then?.(tried)
      else if (then === undefined) return false
    }
    return true
  }

  private isOver(): boolean {
    const now = performance.now()
    this.endsAt ??= now + RUN_MS
    return now >= this.endsAt
  }
}
