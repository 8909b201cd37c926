import type { Request } from "./request.ts"

/** How many events go into one call at most; a larger request goes alone. */
export const MAX_BATCH_EVENTS = 1000

/** How many bytes of data go into one call at most; a larger request goes alone. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024

/** How many events may wait before emit makes its callers wait too. */
export const MAX_WAITING_EVENTS = 10_000

/** How many bytes may wait before emit makes its callers wait too. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024

/** A request in the queue. */
export interface Entry {
  readonly request: Request
}

/**
 * The requests that wait for a batch: first in, first out for each stream, whatever the number of lanes.
 *
 * A stream is in one batch at a time. A request with an expected version is the first of its stream in its batch, because
 * it is compared with the version before the batch; a request over several streams has a batch of its own, so that a
 * refusal leaves nothing behind; and an id that a caller gave stands in one batch once.
 */
export class AppendQueue<E extends Entry> {
  private waiting: Array<E> = []
  /** The streams under way, with how many requests of each. */
  private readonly busy = new Map<string, number>()
  private waitingEvents = 0
  private waitingBytes = 0

  get events(): number {
    return this.waitingEvents
  }

  get bytes(): number {
    return this.waitingBytes
  }

  get isFull(): boolean {
    return this.waitingEvents >= MAX_WAITING_EVENTS || this.waitingBytes >= MAX_WAITING_BYTES
  }

  push(entry: E): void {
    this.waiting.push(entry)
    this.waitingEvents += entry.request.events
    this.waitingBytes += entry.request.bytes
  }

  /** The one that has waited longest. */
  get first(): E | undefined {
    return this.waiting[0]
  }

  /** Removes those that still wait, and returns them. */
  remove(which: (entry: E) => boolean): ReadonlyArray<E> {
    const removed = this.waiting.filter(which)
    if (removed.length === 0) return removed
    this.waiting = this.waiting.filter((entry) => !which(entry))
    for (const entry of removed) this.leave(entry)
    return removed
  }

  /** The next batch, of so many events at most; its streams are busy until they are released. */
  take(limit: number = MAX_BATCH_EVENTS): Array<E> {
    const batch = new Draft<E>(this.busy, limit)
    const left: Array<E> = []
    for (let index = 0; index < this.waiting.length; index++) {
      if (batch.closed) {
        left.push(...this.waiting.slice(index))
        break
      }
      const entry = this.waiting[index]!
      if (batch.admits(entry.request)) {
        batch.add(entry)
        this.leave(entry)
      } else {
        batch.passOver(entry.request)
        left.push(entry)
      }
    }
    if (batch.entries.length > 0) this.waiting = left
    for (const { request } of batch.entries) {
      for (const { stream } of request.parts) this.busy.set(stream, (this.busy.get(stream) ?? 0) + 1)
    }
    return batch.entries
  }

  /** Frees the streams of entries that are done, where nothing else of them is under way. */
  release(entries: ReadonlyArray<E>): void {
    for (const { request } of entries) {
      for (const { stream } of request.parts) {
        const left = (this.busy.get(stream) ?? 0) - 1
        if (left > 0) this.busy.set(stream, left)
        else this.busy.delete(stream)
      }
    }
  }

  private leave(entry: E): void {
    this.waitingEvents -= entry.request.events
    this.waitingBytes -= entry.request.bytes
  }
}

/** A batch in the making. */
class Draft<E extends Entry> {
  readonly entries: Array<E> = []
  readonly streams = new Set<string>()
  closed = false
  private readonly passedOver = new Set<string>()
  private readonly ids = new Set<string>()
  private readonly busy: ReadonlyMap<string, number>
  private readonly limit: number
  private events = 0
  private bytes = 0

  constructor(busy: ReadonlyMap<string, number>, limit: number) {
    this.busy = busy
    this.limit = Math.min(limit, MAX_BATCH_EVENTS)
  }

  admits(request: Request): boolean {
    const { parts } = request
    if (parts.some((part) => this.busy.has(part.stream) || this.passedOver.has(part.stream))) return false
    if (this.entries.length === 0) return true
    if (parts.length > 1) return false
    const part = parts[0]!
    if (part.expected !== "any" && this.streams.has(part.stream)) return false
    if (this.events + request.events > this.limit || this.bytes + request.bytes > MAX_BATCH_BYTES)
      return false
    return !request.ownIds || part.rows.every((row) => !this.ids.has(row.id))
  }

  add(entry: E): void {
    const { request } = entry
    this.entries.push(entry)
    this.events += request.events
    this.bytes += request.bytes
    for (const part of request.parts) {
      this.streams.add(part.stream)
      if (request.ownIds) for (const row of part.rows) this.ids.add(row.id)
    }
    if (request.parts.length > 1 || this.events >= this.limit || this.bytes >= MAX_BATCH_BYTES)
      this.closed = true
  }

  passOver(request: Request): void {
    for (const part of request.parts) this.passedOver.add(part.stream)
  }
}
