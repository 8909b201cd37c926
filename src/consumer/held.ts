import type { Event } from "../log/event.ts"
import type { RetryOptions } from "./options.ts"

/** What a handler failed with, and when by the clock of its process. */
export interface Attempted {
  readonly attempt: number
  readonly at: string
  readonly message: string
}

/** An event that a subscription could not handle yet, or that waits behind such a one. */
export interface HeldEvent {
  readonly position: number
  /** Undefined where retention has dropped the event. */
  readonly id: string | undefined
  readonly partition: number
  readonly stream: string
  readonly version: number | undefined
  readonly type: string
  readonly state: "retrying" | "parked" | "waiting"
  readonly attempts: number
  /** The last of what its handler failed with, the latest at the end. */
  readonly errors: ReadonlyArray<Attempted>
  readonly dueAt: Date | undefined
  readonly heldAt: Date
}

/** How many errors of an event are kept, and how much of each. */
const KEPT_ERRORS = 20
const KEPT_MESSAGE = 2_000

/** A held event as its owner writes it. */
export interface Held {
  readonly position: number
  readonly stream: string
  readonly type: string
  readonly state: HeldEvent["state"]
  readonly attempts: number
  readonly errors: ReadonlyArray<Attempted>
  readonly due_ms: number | null
}

/** What is known of an event before an attempt. */
export interface Tried extends Pick<Held, "position" | "stream" | "type" | "attempts" | "errors"> {
  /** It was given up: it is not to be handed over, but counts as handled for what waits behind it. */
  readonly isDropped: boolean
  /** The position of the event whose time has come: its own, or that of the one that it waits behind. */
  readonly turn: number
}

/** PostgreSQL cannot store it. */
const NUL = /\0/g

export const messageOf = (failure: unknown): string => {
  const text = failure instanceof Error ? failure.message : String(failure)
  return text.replaceAll(NUL, "").toWellFormed().slice(0, KEPT_MESSAGE).toWellFormed()
}

/** Doubling, up to the longest, and each a random part of that, so that what failed together does not come back together. */
export const retryMs = (retry: Required<RetryOptions>, attempts: number): number =>
  Math.random() * Math.min(retry.longestMs, retry.firstMs * 2 ** (attempts - 1))

/** An event after one more failure, and whether that was the last. */
export interface Failed {
  readonly event: Event
  readonly held: Held
  readonly isLast: boolean
}

export const failed = (
  event: Event,
  tried: Pick<Tried, "attempts" | "errors">,
  failure: unknown,
  retry: Required<RetryOptions>
): Failed => {
  const attempts = tried.attempts + 1
  const error = { attempt: attempts, at: new Date().toISOString(), message: messageOf(failure) }
  const isLast = attempts >= retry.attempts
  const again = retry.giveUp === "stop" ? 0 : null
  const held: Held = {
    position: event.position,
    stream: event.stream,
    type: event.type,
    state: isLast && retry.giveUp === "park" ? "parked" : "retrying",
    attempts: isLast && retry.giveUp === "stop" ? 0 : attempts,
    errors: [...tried.errors, error].slice(-KEPT_ERRORS),
    due_ms: isLast ? again : retryMs(retry, attempts)
  }
  return { event, held, isLast }
}

/** An event behind one of its stream that could not be handled. */
export const waiting = (event: Event): Failed => {
  const { position, stream, type } = event
  const held: Held = { position, stream, type, state: "waiting", attempts: 0, errors: [], due_ms: null }
  return { event, held, isLast: false }
}

/** How many events that are to be tried again an owner remembers; there are no more of a partition at a time, as a rule. */
export const MOST_RETRYING = 1_000

/** … and of how many streams events are held. */
export const MOST_HELD_STREAMS = 10_000

/** Why a partition stands where as much is held. */
export const HOLDS_TOO_MUCH = `it takes on nothing new: it holds ${MOST_RETRYING} events to be tried again, or events of ${MOST_HELD_STREAMS} streams; mend the handler, then retry or drop what is parked`

/** What an owner remembers of the events that its partition holds: their streams, and when which is tried again. */
export class Holding {
  private readonly streams = new Set<string>()
  private readonly due = new Map<number, number>()
  private soonest = Number.POSITIVE_INFINITY
  /** The database holds others whose time has come, which are not known here yet. */
  isReminded = false
  /** Of the streams there may be more. */
  private hasMore = false

  /** When the next is tried again, by performance.now(). */
  get nextAt(): number {
    return this.isReminded ? 0 : this.soonest
  }

  /**
   * As much is held as is remembered: nothing new is to be taken on until some of it is settled, and, where only a part of it is
   * known, until that is asked for again: the stream of what is new may be of the rest.
   */
  get isFull(): boolean {
    return this.hasMore || this.due.size >= MOST_RETRYING || this.streams.size >= MOST_HELD_STREAMS
  }

  /** Only a part of what is held is known. */
  get isPart(): boolean {
    return this.hasMore
  }

  holds(stream: string): boolean {
    return this.streams.has(stream)
  }

  /** The database holds events whose time has come: what is known here may be old. */
  remind(): void {
    this.isReminded = true
  }

  /** What is to be known is asked for from here on. */
  asked(): void {
    this.isReminded = false
  }

  clear(): void {
    this.streams.clear()
    this.due.clear()
    this.soonest = Number.POSITIVE_INFINITY
  }

  /** The streams that the database names where it is asked for so many. */
  addStreams(streams: ReadonlyArray<string>): void {
    for (const stream of streams) this.streams.add(stream)
    this.hasMore = streams.length >= MOST_HELD_STREAMS
  }

  addDue(position: number, dueMs: number): void {
    this.due.set(position, performance.now() + dueMs)
    this.look()
  }

  add({ position, stream, state, due_ms }: Held): void {
    this.streams.add(stream)
    if (state === "retrying") this.due.set(position, performance.now() + (due_ms ?? 0))
    else this.due.delete(position)
    this.look()
  }

  /** It is handled, or parked. */
  settle(position: number): void {
    if (this.due.delete(position)) this.look()
  }

  /** Nothing of the stream is held any more. */
  free(stream: string): void {
    this.streams.delete(stream)
  }

  private look(): void {
    this.soonest = Number.POSITIVE_INFINITY
    for (const at of this.due.values()) if (at < this.soonest) this.soonest = at
  }
}
