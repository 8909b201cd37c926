import type { Event } from "../log/event.ts"
import {
  type Batch,
  begun,
  handIn,
  isNobodysFault,
  MOST_EVENTS,
  transact,
  TRANSACTION_MS,
  type TransactionalParts
} from "./batch-transaction.ts"
import { endedSilently } from "./caution.ts"
import { type Delivery, firstAfter, type Group, groupAt } from "./delivery.ts"
import { waiting } from "./held.ts"

/** What one transaction has taken of a stretch. */
interface StretchBatch extends Batch<Group> {
  /** The last event that was handed over, where it came alone. */
  alone: Event | undefined
  readonly blocked: Array<Event>
}

/**
 * Hands events over in a transaction that begins with the condition that this engine owns the partition, and ends by moving its
 * cursor: what the handler wrote and the cursor commit together, or neither does.
 */
export class TransactionalDelivery implements Delivery {
  private readonly parts: TransactionalParts
  /** The handler fails at this position: what lies before it is kept first, in a transaction of its own. */
  private before = Number.MAX_SAFE_INTEGER
  /** Somewhere up to here something fails: until then, a transaction each. */
  private aloneUpTo = 0

  constructor(parts: TransactionalParts) {
    this.parts = parts
  }

  async stretch(events: ReadonlyArray<Event>, upTo: number): Promise<void> {
    const { cursor } = this.parts
    await cursor.keep()
    const from = firstAfter(events, cursor.handled)
    if (events[from] !== undefined && events[from].position >= this.before)
      this.before = Number.MAX_SAFE_INTEGER
    if (!cursor.isCareful) return this.some(events, from, upTo)
    const group = groupAt(cursor, events, from, 1, cursor.limit)
    const [event] = group.events
    if (event === undefined) return this.some(events, from, upTo)
    if (cursor.caution.blames(event.position)) return this.hold(event, group.blocked, endedSilently())
    await this.parts.inTurn(async () => {
      await cursor.begin(event.position)
      await this.some(events, from, upTo, 1)
    })
  }

  /** One transaction's worth of a stretch. */
  private async some(
    events: ReadonlyArray<Event>,
    from: number,
    upTo: number,
    most = MOST_EVENTS
  ): Promise<void> {
    const batch: StretchBatch = { ...begun(this.parts.cursor.handled), blocked: [], alone: undefined }
    try {
      await transact(this.parts, batch, () => this.take(events, from, upTo, batch, most))
    } catch (error) {
      await this.recover(batch, error)
    }
  }

  /** Hands over what there is of a stretch, while there is time. */
  private async take(
    events: ReadonlyArray<Event>,
    from: number,
    upTo: number,
    batch: StretchBatch,
    most: number
  ): Promise<void> {
    const { cursor, settings, halts } = this.parts
    const end = Math.min(cursor.limit, this.before - 1)
    const deadline = performance.now() + TRANSACTION_MS
    let at = from
    while (at < events.length && events[at]!.position <= end) {
      const isAlone = events[at]!.position <= this.aloneUpTo
      const isOver = isAlone || settings.ackEvery || performance.now() >= deadline
      const isFull = batch.events > 0 && isOver
      if (isFull || batch.events >= most || halts()) return
      const size = isAlone ? 1 : Math.min(most, Math.max(1, settings.batch))
      const group = groupAt(cursor, events, at, size, end)
      if (group.events.length > 0) {
        await handIn(this.parts, batch, group, 1)
        batch.alone = group.events.length === 1 ? group.events[0] : undefined
      }
      for (const event of group.blocked) {
        batch.blocked.push(event)
        batch.held.push(waiting(event).held)
      }
      batch.to = group.last
      at = group.next
    }
    const next = events[at]
    if (next === undefined || next.position > cursor.limit)
      batch.to = Math.max(batch.to, Math.min(upTo, cursor.limit))
  }

  /** Nothing of the batch was kept. Finds the event that is to blame, with ever smaller batches. */
  private async recover(batch: StretchBatch, error: unknown): Promise<void> {
    const { failing, events, alone, lending, blocked, to } = batch
    if (failing === undefined) {
      // COMMIT, or what was emitted, failed: whose fault that was is seen when each event has a transaction of its own.
      if (isNobodysFault(error) || events === 0) throw error
      if (events === 1 && alone !== undefined) return this.hold(alone, blocked, error)
      this.aloneUpTo = to
      return
    }
    const { thrown, group } = failing
    if (this.parts.handling.isCut(thrown)) return
    if (lending?.isBroken === true) throw error
    const first = group.events[0]!
    if (events > 0) this.before = first.position
    else if (group.events.length > 1) this.aloneUpTo = group.last
    else await this.hold(first, [...blocked, ...group.blocked], thrown)
  }

  private async hold(event: Event, blocked: ReadonlyArray<Event>, failure: unknown): Promise<void> {
    const { cursor } = this.parts
    this.before = Number.MAX_SAFE_INTEGER
    for (const other of blocked) if (other.position < event.position) cursor.wait(other)
    await cursor.hold(event, failure)
  }
}
