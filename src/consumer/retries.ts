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

export interface RetriesParts {
  readonly cursor: Cursor
  readonly delivery: Delivery
  readonly places: Places
  readonly pages: Pages
  readonly run: Run
  /** Nothing more is to be handed over now. */
  readonly ends: () => boolean
}

/** Tries the held events of a partition again whose time has come, and what waits behind them. */
export class Retries {
  private readonly parts: RetriesParts

  constructor(parts: RetriesParts) {
    this.parts = parts
  }

  async run(): Promise<void> {
    const { cursor, places, run } = this.parts
    await cursor.keep()
    const due = await run(places.due(cursor.place, MOST_DUE))
    await this.tryAgain(due, (handled) => this.follow(handled))
    // The database's clock says what is due: asked again, it says how long until the next.
    if (due.length < MOST_DUE) await cursor.loadHolding()
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
      if (ends()) return false
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
}
