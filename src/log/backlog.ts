import { Effect } from "effect"
import { PostgresError, Rejected } from "../postgres/error.ts"
import type { Connection } from "../postgres/postgres.ts"
import type { Event } from "./event.ts"
import { sizeOf } from "./event-size.ts"
import type { Feed, Sink } from "./feed.ts"
import { type Filter, matcher } from "./filter.ts"
import { isSameOrigin, type Origin, type Unrecognised } from "./identity.ts"
import { PAGE_BYTES, PAGE_EVENTS } from "./page-size.ts"
import { Pager } from "./pager.ts"
import { partitionOf, type Share } from "./share.ts"

/** How much a reader holds in memory; one that is slower reads on from the log by itself until it has caught up. */
export const BACKLOG_EVENTS = 4 * PAGE_EVENTS
/** … in bytes; a page more than that at most. */
const BACKLOG_BYTES = PAGE_BYTES

export interface BacklogListener {
  readonly onOffer: () => void
  /** The log was restored to before what was handed over: what is held may never have been. */
  readonly onRewound: () => void
}

/** What a reader wants of the log. */
export interface Wanted {
  readonly filter: Filter
  /** Only the streams of one partition; all by default. */
  readonly share?: Share
  /** How long what others wrote may wait before it is handed over, in ms; 0 by default. */
  readonly patienceMs?: number
}

/** A stretch of the log: all its events that are wanted, and where it ends. */
export interface Stretch {
  readonly events: ReadonlyArray<Event>
  readonly upTo: number
}

/**
 * What of the log a reader has still to work on: live from the process's feed, or by pages where it is behind. Events stay
 * until they are dropped, so that a transaction that came to nothing costs no second reading.
 */
export class Backlog {
  private readonly feed: Feed["Service"]
  private readonly wanted: Wanted
  private readonly matches: (event: Event) => boolean
  private readonly listener: BacklogListener
  private events: Array<Event> = []
  private bytes = 0
  /** Everything up to here is held, was dropped, or is of no interest. */
  private covered = 0
  /** Of what that is known: in another epoch the log may have ended before it. */
  private origin: Origin
  private detach: (() => void) | undefined
  private readonly pager: Pager

  constructor(feed: Feed["Service"], wanted: Wanted, listener: BacklogListener) {
    const { filter, share } = wanted
    const isOfFilter = matcher(filter)
    this.feed = feed
    this.wanted = wanted
    this.matches =
      share === undefined
        ? isOfFilter
        : (event) => isOfFilter(event) && partitionOf(event.stream, share.of) === share.partition
    this.pager = new Pager(feed.pages, filter, undefined, share)
    this.origin = feed.origin()
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

  /** Whether what is held is of the log that this process reads now, as far as it knows. */
  get isCurrent(): boolean {
    return isSameOrigin(this.origin, this.feed.origin())
  }

  /** Whether a connection leads to the log that what is held was read of. */
  isStill(connection: Connection): Effect.Effect<boolean, PostgresError> {
    return Effect.mapError(this.feed.isStill(this.origin, connection), asPostgresError)
  }

  /** What there is now; it stays. */
  peek(): Stretch {
    return { events: this.events.slice(), upTo: this.covered }
  }

  /** Everything up to here is worked off. */
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
    this.origin = this.feed.origin()
  }

  /** Takes nothing more from the feed. */
  leave(): void {
    this.detach?.()
    this.detach = undefined
  }

  /** Reads a page of what the feed has passed already; joins the feed in the same turn in which nothing is left. */
  readonly fill: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    if (this.isLive || this.events.length + PAGE_EVENTS > BACKLOG_EVENTS || this.bytes >= BACKLOG_BYTES)
      return Effect.void
    return Effect.mapError(this.isCurrent ? this.readOn : this.recognise, asPostgresError)
  })

  private readonly readOn: Effect.Effect<void, Unrecognised> = Effect.suspend(() => {
    const passed = this.feed.position()
    if (passed === undefined) return Effect.asVoid(this.feed.start)
    if (this.covered >= passed) {
      const { filter, patienceMs } = this.wanted
      this.detach = this.feed.attach({
        ...this.sink,
        ...(filter.types === undefined ? {} : { types: filter.types }),
        ...(patienceMs === undefined ? {} : { patienceMs })
      })
      return Effect.void
    }
    const from = this.covered
    const { origin } = this
    return Effect.map(this.feed.page(this.pager, from), (page) => {
      if (page === undefined || this.covered !== from || this.origin !== origin) return
      for (const event of page.events) this.hold(event)
      this.covered = page.last
    })
  })

  /** Whoever is not attached is not told that the log was restored or replaced, and looks for itself. */
  private readonly recognise: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    const origin = this.feed.origin()
    const known = this.origin
    return Effect.map(this.feed.rewound(this.covered, known), (rewound) => {
      if (this.origin !== known) return
      if (rewound === undefined) this.origin = origin
      else this.listener.onRewound()
    })
  })

  private hold(event: Event): void {
    this.events.push(event)
    this.bytes += sizeOf(event)
  }

  private readonly sink: Sink = {
    offer: (events, settled) => {
      this.origin = this.feed.origin()
      for (const event of events) {
        if (event.position <= this.covered || !this.matches(event)) continue
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
    }
  }
}

/** A log that is not fit to be read is no different, for who waits for it, from a server that says no. */
const asPostgresError = (error: Unrecognised): PostgresError =>
  error._tag === "PostgresError"
    ? error
    : new PostgresError({ reason: new Rejected({ detail: error.message }) })
