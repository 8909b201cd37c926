import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { Barrier } from "./barrier.ts"
import type { Event } from "./event.ts"
import { NO_FILTER } from "./filter.ts"
import { EXTENT_EVENTS, type Holder, type Pages } from "./page.ts"
import { PageSize } from "./page-size.ts"
import { Pager } from "./pager.ts"

/** A gap that has just appeared is usually an append that commits in this moment: how long to wait before asking who holds, in ms. */
const GAP_GRACE_MS = 2

/** How often at most the holders are looked up while a barrier stands, in ms: each look-up takes every lock partition. */
const FIRST_LOOK_MS = 2
const LONGEST_LOOK_MS = 50

/** How long to wait for the appends under way when the end of the log is looked for, in ms. */
const HEAD_PATIENCE_MS = 1_000

/** How many events follow `after` without a gap. */
const withoutGap = (events: ReadonlyArray<Event>, after: number): number => {
  let count = 0
  while (count < events.length && events[count]!.position === after + count + 1) count += 1
  return count
}

/** What one look at the tail brought. */
export interface Stretch {
  /** In order; every one settled. */
  readonly events: ReadonlyArray<Event>
  /** When it is worth looking again without being woken: now, after some ms, or not at all. */
  readonly again: "now" | "never" | number
}

export interface Holdup {
  /** Since when the tail stands, in ms since the epoch. */
  readonly since: number
  readonly holders: ReadonlyArray<Holder>
}

/**
 * The settled tail of the log: hands out every event once, in order of position, and never one that an earlier position
 * could still come before. It costs the reader nothing unless it sees a gap, and then it waits for the appends under way at
 * that moment and for nothing else.
 */
export class Tail {
  /** Everything up to here was handed out. */
  cursor: number
  private types: ReadonlyArray<string> | undefined
  private pager: Pager
  private readonly pages: Pages
  private readonly size: PageSize
  private settledUpTo: number
  private barrier: Barrier | undefined
  private gapSeenAt: number | undefined
  private lookMs = FIRST_LOOK_MS
  private heldSince: number | undefined
  private lastHolders: ReadonlyArray<Holder> = []
  readonly standby: boolean

  /** Starts behind `cursor`, which must be settled. On a standby, only what was written down counts as settled. */
  constructor(pages: Pages, cursor: number, standby = false, size: PageSize = new PageSize()) {
    this.pages = pages
    this.size = size
    this.cursor = cursor
    this.settledUpTo = cursor
    this.standby = standby
    this.pager = new Pager(pages, NO_FILTER, size)
  }

  /** Reads only these types from now on, the others are passed over in the database; undefined: all. */
  narrow(types: ReadonlyArray<string> | undefined): void {
    if (JSON.stringify(types) === JSON.stringify(this.types)) return
    this.types = types
    this.pager = new Pager(this.pages, types === undefined ? NO_FILTER : { types }, this.size)
  }

  /** Who keeps the tail where it is, if anybody. */
  get holdup(): Holdup | undefined {
    return this.heldSince === undefined ? undefined : { since: this.heldSince, holders: this.lastHolders }
  }

  /** After a connection was lost, what it had seen is no longer known to be of the same server. */
  forgetBarrier(): void {
    this.barrier = undefined
    this.gapSeenAt = undefined
    this.heldSince = undefined
  }

  /** The next stretch of the log. */
  readonly next: Effect.Effect<Stretch, PostgresError> = Effect.suspend(() => {
    if (this.cursor < this.settledUpTo) return this.settledStretch
    if (this.standby) return this.followRecorded
    if (this.barrier !== undefined) return this.waitForBarrier(this.barrier)
    return this.types === undefined ? this.freshStretch : this.freshExtent(this.types)
  })

  private readonly settledStretch: Effect.Effect<Stretch, PostgresError> = Effect.suspend(() =>
    Effect.map(this.pager.next(this.cursor, this.settledUpTo), ({ events, last }): Stretch => {
      this.cursor = last
      return { events, again: "now" }
    })
  )

  /** The primary's locks cannot be seen from a standby. */
  private readonly followRecorded: Effect.Effect<Stretch, PostgresError> = Effect.suspend(() =>
    Effect.map(this.pages.settledPosition(), (recorded): Stretch => {
      this.settledUpTo = Math.max(this.cursor, recorded)
      return { events: [], again: recorded > this.cursor ? "now" : "never" }
    })
  )

  private readonly freshStretch: Effect.Effect<Stretch, PostgresError> = Effect.suspend(() =>
    Effect.flatMap(
      this.size.read((limit) => this.pages.above(this.cursor, limit)),
      ({ events, isFull }) => {
        const settled = withoutGap(events, this.cursor)
        if (settled > 0) {
          this.cursor = events[settled - 1]!.position
          this.gapSeenAt = undefined
        }
        if (settled === events.length) {
          return Effect.succeed<Stretch>({ events, again: isFull ? "now" : "never" })
        }
        return this.atGap(events.at(-1)!.position, isFull, events.slice(0, settled))
      }
    )
  )

  /** As a fresh stretch, but only how far it goes: what is wanted of it, if anything, is then read as of any settled stretch. */
  private freshExtent(types: ReadonlyArray<string>): Effect.Effect<Stretch, PostgresError> {
    return Effect.flatMap(this.pages.extent(this.cursor, types), (extent) => {
      const { contiguous, highest, seen } = extent
      if (seen === 0) return Effect.succeed<Stretch>({ events: [], again: "never" })
      if (contiguous === undefined) return this.atGap(highest, seen === EXTENT_EVENTS, [])
      const isGapAhead = contiguous < highest
      this.settledUpTo = contiguous
      this.gapSeenAt = isGapAhead ? performance.now() : undefined
      if (!extent.wanted) this.cursor = contiguous
      const stretch = extent.wanted
        ? this.settledStretch
        : Effect.succeed<Stretch>({ events: [], again: "now" })
      const again = isGapAhead ? GAP_GRACE_MS : seen === EXTENT_EVENTS ? "now" : "never"
      return Effect.map(stretch, (read) => (this.cursor === contiguous ? { ...read, again } : read))
    })
  }

  private atGap(
    seen: number,
    more: boolean,
    ready: ReadonlyArray<Event>
  ): Effect.Effect<Stretch, PostgresError> {
    const now = performance.now()
    this.gapSeenAt ??= now
    return now - this.gapSeenAt < GAP_GRACE_MS
      ? Effect.succeed<Stretch>({ events: ready, again: GAP_GRACE_MS })
      : this.raiseBarrier(seen, more, ready)
  }

  /** One barrier over the highest position there is, not one per page. */
  private raiseBarrier(
    seen: number,
    more: boolean,
    ready: ReadonlyArray<Event>
  ): Effect.Effect<Stretch, PostgresError> {
    return Effect.gen({ self: this }, function* () {
      const upTo = more ? yield* this.pages.highestPosition() : seen
      const holders = yield* this.pages.lockHolders()
      this.barrier = new Barrier(upTo, holders)
      this.gapSeenAt = undefined
      this.lookMs = FIRST_LOOK_MS
      this.judge(this.barrier, holders)
      const passed: Stretch = { events: ready, again: this.barrier === undefined ? "now" : this.lookMs }
      return passed
    })
  }

  private waitForBarrier(barrier: Barrier): Effect.Effect<Stretch, PostgresError> {
    return Effect.map(this.pages.lockHolders(), (holders): Stretch => {
      this.judge(barrier, holders)
      if (this.barrier === undefined) return { events: [], again: "now" }
      this.lookMs = Math.min(LONGEST_LOOK_MS, this.lookMs * 2)
      return { events: [], again: this.lookMs }
    })
  }

  private judge(barrier: Barrier, holders: ReadonlyArray<Holder>): void {
    if (barrier.isPassed(holders)) {
      this.settledUpTo = barrier.upTo
      this.barrier = undefined
      this.heldSince = undefined
    } else {
      this.heldSince ??= Date.now()
      this.lastHolders = barrier.heldBy(holders)
    }
  }
}

/**
 * The position up to which the log is settled now: where "from now" begins. Waits up to a second for the appends
 * under way, then falls back to what was last written down and what follows it without a gap.
 */
export const settledHead = (pages: Pages, standby: boolean): Effect.Effect<number, PostgresError> =>
  Effect.gen(function* () {
    if (standby) return yield* pages.settledPosition()
    const highest = yield* pages.highestPosition()
    const holders = yield* pages.lockHolders()
    const barrier = new Barrier(highest, holders)
    const deadline = Date.now() + HEAD_PATIENCE_MS
    let passed = barrier.isPassed(holders)
    for (
      let lookMs = FIRST_LOOK_MS;
      !passed && Date.now() < deadline;
      lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 2)
    ) {
      yield* Effect.sleep(lookMs)
      passed = barrier.isPassed(yield* pages.lockHolders())
    }
    const recorded = yield* pages.settledPosition()
    return passed ? Math.max(highest, recorded) : yield* withoutGapFrom(pages, recorded)
  })

/** How far the log goes without a gap from a position that is settled: nothing can come in between. */
const withoutGapFrom = (pages: Pages, settled: number): Effect.Effect<number, PostgresError> =>
  Effect.flatMap(pages.extent(settled), ({ contiguous }) =>
    contiguous === undefined ? Effect.succeed(settled) : withoutGapFrom(pages, contiguous)
  )
