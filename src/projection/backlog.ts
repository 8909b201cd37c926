import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Event } from "../log/event.ts"
import type { Feed, Sink } from "../log/feed.ts"
import { sizeOf } from "../log/event-size.ts"
import { PAGE_BYTES, PAGE_EVENTS } from "../log/page-size.ts"
import { Pager } from "../log/pager.ts"

/** How much a projection holds in memory; one that is slower reads on from the log by itself until it has caught up. */
export const BACKLOG_EVENTS = 4 * PAGE_EVENTS
/** … in bytes; a page more than that at most. */
const BACKLOG_BYTES = PAGE_BYTES

/** How long what others wrote may wait before it is folded, in ms; a query that waits for it wakes the feed at once. */
const PATIENCE_MS = 20

export interface BacklogListener {
  readonly onOffer: () => void
  /** The log was restored to before what was handed over: what is held may never have been. */
  readonly onRewound: () => void
}

/** A stretch of the log: all its events of the wanted types, and where it ends. */
export interface Stretch {
  readonly events: ReadonlyArray<Event>
  readonly upTo: number
}

/**
 * What of the log a projection has still to fold: live from the process's feed, or by pages where it is behind. Events stay
 * until they are dropped, so that a transaction that came to nothing costs no second reading.
 */
export class Backlog {
  private readonly feed: Feed["Service"]
  private readonly types: ReadonlySet<string>
  private readonly listener: BacklogListener
  private events: Array<Event> = []
  private bytes = 0
  /** Everything up to here is held, was dropped, or is of no interest. */
  private covered = 0
  private detach: (() => void) | undefined
  private readonly pager: Pager

  constructor(feed: Feed["Service"], types: ReadonlyArray<string>, listener: BacklogListener) {
    this.feed = feed
    this.types = new Set(types)
    this.pager = new Pager(feed.pages, { types })
    this.listener = listener
  }

  get size(): number {
    return this.events.length
  }

  get upTo(): number {
    return this.covered
  }

  /** Fed from memory; else `fill` reads on. */
  get isLive(): boolean {
    return this.detach !== undefined
  }

  /** What there is now; it stays. */
  peek(): Stretch {
    return { events: this.events.slice(), upTo: this.covered }
  }

  /** Everything up to here is folded. */
  drop(upTo: number): void {
    let done = 0
    while (done < this.events.length && this.events[done]!.position <= upTo) done += 1
    for (const event of this.events.splice(0, done)) this.bytes -= sizeOf(event)
    this.covered = Math.max(this.covered, upTo)
  }

  /** Begins anew after a position, where it may have been further already. */
  restart(after: number): void {
    this.leave()
    this.events = []
    this.bytes = 0
    this.covered = after
  }

  /** Takes nothing more from the feed. */
  leave(): void {
    this.detach?.()
    this.detach = undefined
  }

  /** Reads a page of what the feed has passed already; joins the feed in the same turn in which nothing is left. */
  readonly fill: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    const passed = this.feed.position()
    if (this.isLive || this.events.length + PAGE_EVENTS > BACKLOG_EVENTS || this.bytes >= BACKLOG_BYTES)
      return Effect.void
    if (passed === undefined) return Effect.asVoid(this.feed.start)
    if (this.covered >= passed) {
      this.detach = this.feed.attach({ ...this.sink, types: [...this.types] })
      return Effect.void
    }
    const from = this.covered
    return Effect.map(this.pager.next(from, passed), ({ events, last }) => {
      if (this.covered !== from) return
      for (const event of events) this.hold(event)
      this.covered = last
    })
  })

  private hold(event: Event): void {
    this.events.push(event)
    this.bytes += sizeOf(event)
  }

  private readonly sink: Sink = {
    offer: (events, settled) => {
      for (const event of events) {
        if (event.position <= this.covered || !this.types.has(event.type)) continue
        if (this.events.length === BACKLOG_EVENTS || this.bytes >= BACKLOG_BYTES) {
          this.leave()
          break
        }
        this.hold(event)
        this.covered = event.position
      }
      if (this.isLive) this.covered = Math.max(this.covered, settled)
      this.listener.onOffer()
    },
    rewound: () => {
      this.detach = undefined
      this.listener.onRewound()
    },
    patienceMs: PATIENCE_MS
  }
}
