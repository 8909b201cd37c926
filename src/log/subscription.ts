import { setImmediate as aTurn } from "node:timers/promises"
import { Effect, Schema } from "effect"
import { backoffMs } from "../base/backoff.ts"
import { clause } from "../base/clause.ts"
import { PostgresError } from "../postgres/error.ts"
import { causedBy, handledEvent } from "./causation.ts"
import { type LogRewound, UpcastFailed } from "./error.ts"
import type { Event } from "./event.ts"
import type { EventTypes } from "./event-type.ts"
import type { Feed, Sink } from "./feed.ts"
import { type Filter, matcher } from "./filter.ts"
import {
  isSameOrigin,
  type Origin,
  PositionsExhausted,
  type Unrecognised,
  UnsoundSequence
} from "./identity.ts"
import { sizeOf } from "./event-size.ts"
import { PAGE_BYTES } from "./page-size.ts"
import { type Page, Pager } from "./pager.ts"
import { upToDate } from "./recorded.ts"
import type { Telemetry } from "./telemetry.ts"

/** How much a subscription holds for its handler; a slower one reads on by itself until it has caught up. */
export const MAX_BUFFERED_EVENTS = 1000
/** … in bytes. */
export const MAX_BUFFERED_BYTES = PAGE_BYTES

/** A handler failed; its subscription stopped before the event that it failed on. */
export class HandlerFailed extends Schema.TaggedError<HandlerFailed>()("HandlerFailed", {
  position: Schema.Int,
  type: Schema.String,
  detail: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `The handler failed on event ${this.position} (${this.type}): ${clause(this.detail)}. The subscription stopped before it; mend the handler and subscribe from position ${this.position - 1}.`
  }
}

export type Handler = (event: Event) => unknown

export interface SubscriptionStatus {
  readonly position: number
  readonly state: "catching up" | "live" | "stopped" | "failed"
  readonly buffered: number
  readonly error: string | undefined
}

/** Why a subscription ended by itself. */
export type Failure = HandlerFailed | UpcastFailed | LogRewound

type Run = <A>(
  effect: Effect.Effect<A, Unrecognised>,
  options: { readonly signal: AbortSignal }
) => Promise<A>

/** The server may answer otherwise in a while. */
const isPassing = (thrown: unknown): boolean =>
  thrown instanceof PostgresError || thrown instanceof UnsoundSequence || thrown instanceof PositionsExhausted

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value

/**
 * Hands every event of a filter to a handler, one after the other, in order of position.
 *
 * While it keeps up it is fed from memory. When its buffer overflows it leaves the feed and reads on by itself, and joins
 * again when it has caught up, so that it holds nobody back and its memory stays bounded.
 */
export class Subscription {
  /** Resolves when it was stopped; rejects with HandlerFailed, UpcastFailed or LogRewound when it failed. */
  readonly done: Promise<void>
  private readonly feed: Feed["Service"]
  private readonly types: EventTypes
  private readonly telemetry: Telemetry
  private readonly filter: Filter
  private readonly pager: Pager
  private readonly matches: (event: Event) => boolean
  private readonly handler: Handler
  private readonly runIn: Run
  /** What is read for nobody any more is given up: its answer may never come. */
  private readonly reading = new AbortController()
  private handled: number
  /** Everything that it was offered is handled. */
  private isWaiting = false
  private buffer: Array<Event> = []
  private bufferedBytes = 0
  /** How far the feed has told us about, while attached. */
  private offered: number
  private detach: (() => void) | undefined
  /** The page after the one that is being handled: the server reads while the handler works. */
  private ahead: Promise<Page | undefined> | undefined
  private stir: () => void = () => undefined
  private state: SubscriptionStatus["state"] = "catching up"
  private failure: Failure | undefined
  private rewound: LogRewound | undefined
  /** Where its position means what it says. */
  private origin: Origin

  constructor(options: {
    readonly feed: Feed["Service"]
    readonly types: EventTypes
    readonly telemetry: Telemetry
    readonly filter: Filter
    readonly from: number
    readonly handler: Handler
    readonly run: Run
  }) {
    this.feed = options.feed
    this.types = options.types
    this.telemetry = options.telemetry
    this.filter = options.filter
    this.pager = new Pager(options.feed.pages, options.filter)
    this.matches = matcher(options.filter)
    this.handler = options.handler
    this.runIn = options.run
    this.origin = options.feed.origin()
    this.handled = options.from
    this.offered = options.from
    this.done = this.consume()
    // Who does not look at `done` finds the failure in the log and in the status; it must not end the process.
    this.done.catch(() => undefined)
  }

  /** Every event of the filter up to here was handled. */
  get position(): number {
    this.keepUp()
    return this.handled
  }

  /** How many positions the log is ahead of it, at most: positions may skip numbers. */
  get lag(): number {
    const { position } = this
    return Math.max(0, (this.feed.position() ?? position) - position)
  }

  status(): SubscriptionStatus {
    return {
      position: this.position,
      state: this.state,
      buffered: this.buffer.length,
      error: this.failure?.message
    }
  }

  /** Stops it; resolves when the handler has ended with the event it is at, or at once where the handler itself asks. */
  async stop(): Promise<void> {
    if (this.state !== "failed") this.state = "stopped"
    this.leave()
    this.reading.abort()
    this.stir()
    if (handledEvent() === undefined) await this.done.catch(() => undefined)
  }

  private readonly sink: Sink = {
    offer: (events, settled) => {
      for (const event of events) {
        if (event.position <= this.offered || !this.matches(event)) continue
        if (!this.hasRoom) {
          this.leave()
          break
        }
        this.buffer.push(event)
        this.bufferedBytes += sizeOf(event)
        this.offered = event.position
      }
      this.origin = this.feed.origin()
      if (this.detach !== undefined) this.offered = Math.max(this.offered, settled)
      // Where nothing came that it wants, nobody is woken: a thousand subscriptions would be, by every page.
      if (this.buffer.length > 0) this.stir()
    },
    rewound: (error) => {
      this.keepUp()
      this.rewound = error
      this.stir()
    }
  }

  private get hasRoom(): boolean {
    return this.buffer.length < MAX_BUFFERED_EVENTS && this.bufferedBytes < MAX_BUFFERED_BYTES
  }

  private get isOver(): boolean {
    return this.state === "stopped" || this.state === "failed"
  }

  /** While it waits for more, nothing of what the feed hands out is its own: it is as far as the feed. */
  private keepUp(): void {
    if (this.isWaiting && this.detach !== undefined && this.buffer.length === 0)
      this.handled = Math.max(this.handled, this.feed.handed())
  }

  private leave(): void {
    this.keepUp()
    this.detach?.()
    this.detach = undefined
  }

  private async consume(): Promise<void> {
    let failures = 0
    while (!this.isOver) {
      try {
        if (failures > 0) await this.run(Effect.sleep(backoffMs(failures - 1)))
        if (this.isOver) return
        if (this.rewound !== undefined) throw this.rewound
        if (this.buffer.length > 0) await this.handleAll(this.takeBuffer())
        else if (this.detach !== undefined) await this.waitForMore()
        else if (!isSameOrigin(this.origin, this.feed.origin())) await this.recognise()
        else await this.catchUp()
        failures = 0
      } catch (thrown) {
        if (thrown instanceof HandlerFailed || thrown instanceof UpcastFailed) return this.fail(thrown)
        if (!this.isOver && !isPassing(thrown)) return this.fail(thrown as Failure)
        failures += 1
      }
    }
  }

  private run<A>(effect: Effect.Effect<A, Unrecognised>): Promise<A> {
    return this.runIn(effect, { signal: this.reading.signal })
  }

  private takeBuffer(): ReadonlyArray<Event> {
    const events = this.buffer
    this.buffer = []
    this.bufferedBytes = 0
    return events
  }

  private async waitForMore(): Promise<void> {
    this.isWaiting = true
    await new Promise<void>((resolve) => {
      this.stir = resolve
    })
    this.isWaiting = false
    this.stir = () => undefined
  }

  /** Reads what the feed has passed already; joins the feed in the same turn in which nothing is left. */
  private async catchUp(): Promise<void> {
    const upTo = this.feed.position()
    if (upTo === undefined) {
      await this.run(this.feed.start)
      return
    }
    if (this.handled >= upTo) {
      this.offered = this.handled
      this.ahead = undefined
      const { types, streams } = this.filter
      this.detach = this.feed.attach({
        ...this.sink,
        ...(types === undefined ? {} : { types }),
        ...(streams === undefined ? {} : { streams })
      })
      this.state = "live"
      return
    }
    this.state = "catching up"
    const reading = this.ahead ?? this.readPage(this.handled)
    this.ahead = undefined
    const page = await reading
    if (page === undefined) return
    if (page.last < upTo) {
      this.ahead = this.readPage(page.last)
      // A handler that never waits would keep even the question from being sent until it is through.
      await aTurn()
    }
    await this.handleAll(page.events)
    if (!this.isOver) this.handled = page.last
  }

  /** Whoever is not attached is not told that the log was restored or replaced, and looks for itself. */
  private async recognise(): Promise<void> {
    const origin = this.feed.origin()
    const rewound = await this.run(this.feed.rewound(this.handled, this.origin))
    if (rewound !== undefined) throw rewound
    this.origin = origin
    this.ahead = undefined
  }

  private readPage(after: number): Promise<Page | undefined> {
    const page = this.run(this.feed.page(this.pager, after))
    // Who stops, or fails on the page before, never looks at this one.
    page.catch(() => undefined)
    return page
  }

  private async handleAll(events: ReadonlyArray<Event>): Promise<void> {
    const { handling: watched } = this.telemetry
    for (const event of events) {
      if (this.isOver) return
      const current = upToDate(this.types, event)
      if (current instanceof UpcastFailed) throw current
      try {
        const handling =
          watched === undefined
            ? causedBy(current, this.handler)
            : watched([current], this.state === "live", () => causedBy(current, this.handler))
        if (isThenable(handling)) await handling
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause)
        throw new HandlerFailed({ position: event.position, type: event.type, detail, cause })
      }
      this.handled = event.position
    }
  }

  private fail(failure: Failure): never {
    this.failure = failure
    this.state = "failed"
    this.leave()
    throw failure
  }
}
