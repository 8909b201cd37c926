import type { Event } from "../log/event.ts"
import type { Tried } from "./held.ts"

/** A held event in its turn. */
export interface Due {
  readonly tried: Tried
  /** Undefined where there is nothing to hand over: it was given up, or retention has dropped it. */
  readonly event: Event | undefined
}

/** Held events that are handed over together, and where it goes on behind them. */
export interface DueGroup {
  readonly due: ReadonlyArray<Due>
  readonly events: ReadonlyArray<Event>
  readonly from: number
  readonly next: number
}

/**
 * What a partition is to try again, in order: events whose time has come, and behind each of them what waits for it. Where one of
 * these fails, what is behind it has to wait on, and is passed over.
 */
export class Agenda {
  /** How much of it is settled. */
  at = 0
  private readonly due: Array<Due> = []
  private readonly failed = new Set<number>()
  /** One of several that were handed over together fails: up to here they are handed over one by one. */
  private aloneBefore = 0
  /** What lies before is settled first, without what comes then. */
  private end = 0

  /** What comes behind the rest of it. */
  add(due: ReadonlyArray<Due>): void {
    this.due.push(...due)
    this.end = this.due.length
  }

  get isOver(): boolean {
    return this.at >= this.due.length
  }

  /** From somewhere on, what is handed over together next: several only where each is handed over for the first time. */
  groupFrom(from: number, most: number): DueGroup | undefined {
    let next = from
    while (next < this.end && this.isKept(next)) next += 1
    if (next >= this.end) return undefined
    const due = [this.due[next]!]
    const first = next
    const limit = next < this.aloneBefore ? 1 : most
    next += 1
    while (due.length < limit && next < this.end && this.isFresh(first) && this.isFresh(next)) {
      due.push(this.due[next]!)
      next += 1
    }
    const events = due.flatMap(({ event }) => (event === undefined ? [] : [event]))
    return { due, events, from: first, next }
  }

  /** So much of it is settled. */
  settled(next: number): void {
    this.at = next
    if (this.at >= this.end) this.end = this.due.length
  }

  /** Nothing more of what was to be taken on can be. */
  skipped(): void {
    this.settled(this.end)
  }

  /** One of these fails: which, is seen when each is handed over alone. */
  oneByOne(before: number): void {
    this.aloneBefore = before
  }

  /** This one fails: what is before it is settled without it. */
  stopBefore(end: number): void {
    this.end = end
  }

  /** It failed alone, and is held for another time. */
  failedAt({ due: [one], next }: DueGroup): void {
    this.failed.add(one!.tried.turn)
    this.settled(next)
  }

  private isKept(at: number): boolean {
    return this.failed.has(this.due[at]!.tried.turn)
  }

  private isFresh(at: number): boolean {
    const { tried, event } = this.due[at]!
    return event !== undefined && tried.attempts === 0 && !this.isKept(at)
  }
}
