import { Effect, type Semaphore } from "effect"
import { LogError, OutcomeUnknown } from "../log/error.ts"
import type { Fleet } from "../fleet/fleet.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Event, Meta } from "../log/event.ts"
import { PostgresError } from "../postgres/error.ts"
import { endedSilently } from "./caution.ts"
import type { Outcome, Run } from "./cursor.ts"
import {
  againWithCare,
  type Delivery,
  type DeliveryParts,
  firstAfter,
  type Group,
  groupAt
} from "./delivery.ts"
import { type Tried, waiting } from "./held.ts"
import { isServerGone, Lending } from "./lending.ts"
import type { Ahead, Places } from "./places.ts"

/** How many events one transaction takes, and for how long it goes on taking more, in ms: whoever changes the subscription waits for it. */
const MOST_EVENTS = 1_000
const TRANSACTION_MS = 1_000

export interface TransactionalParts extends DeliveryParts {
  readonly places: Places
  readonly log: EventLog["Service"]
  readonly fleet: Fleet["Service"]
  readonly run: Run
  readonly ambient: () => Meta | undefined
  /** How many such transactions an engine has at once, so that they leave connections to others. */
  readonly transactions: Semaphore.Semaphore
}

/** What ended a batch before its time, where that was the handler. */
interface Failing {
  readonly thrown: unknown
  readonly group: Group
}

/** What one transaction has taken on. */
interface Batch extends Outcome {
  /** How many events were handed over, and the last of them where it came alone. */
  events: number
  alone: Event | undefined
  readonly blocked: Array<Event>
  failing: Failing | undefined
  lending: Lending | undefined
}

const begun = (to: number): Batch => ({
  to,
  held: [],
  done: [],
  events: 0,
  blocked: [],
  alone: undefined,
  failing: undefined,
  lending: undefined
})

/** Neither the handler nor what it wrote is at fault: the server, or the place that the partition turned out to be at. */
const isNobodysFault = (error: unknown): boolean => {
  if (error instanceof LogError) return error.reason instanceof OutcomeUnknown
  return !(error instanceof PostgresError) || isServerGone(error) || error.reason._tag === "ReadOnly"
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
    const batch = begun(this.parts.cursor.handled)
    try {
      await this.transact(batch, () => this.take(events, from, upTo, batch, most))
    } catch (error) {
      return this.recover(batch, error)
    }
    this.parts.rate.add(batch.events)
  }

  again(tried: Tried, event: Event): Promise<boolean> {
    return againWithCare(this.parts, tried, event, () => this.tryAgain(tried, event))
  }

  private async tryAgain(tried: Tried, event: Event): Promise<boolean> {
    const { cursor, handling } = this.parts
    const batch = begun(cursor.handled)
    const group: Group = { events: [event], blocked: [], last: event.position, next: 0 }
    try {
      await this.transact(batch, async () => {
        // It may have waited long for its transaction.
        if (this.parts.ends()) return
        await this.hand(group, tried.attempts + 1, batch)
        batch.done.push(event.position)
      })
    } catch (error) {
      const { failing } = batch
      if (failing !== undefined && handling.isCut(failing.thrown)) return false
      if (batch.lending?.isBroken === true || (failing === undefined && isNobodysFault(error))) throw error
      await cursor.holdAgain(event, tried, failing === undefined ? error : failing.thrown)
      return false
    }
    this.parts.rate.add(batch.events)
    return batch.events > 0
  }

  private async transact(batch: Batch, body: () => Promise<void>): Promise<void> {
    const { cursor, places, log, fleet, ambient, run, transactions, rate } = this.parts
    const { place } = cursor
    const within = log.transaction(
      (tx) =>
        Effect.gen(function* () {
          yield* places.keepIn(tx, place, place.position, { rate: rate.perSecond() })
          yield* places.sure(tx, cursor.origin)
          batch.lending = new Lending(tx, ambient, fleet.idleMs)
          yield* Effect.tryPromise({ try: body, catch: (thrown) => thrown })
          return yield* places.keepIn(tx, place, batch.to, { ...batch, rate: rate.perSecond(batch.events) })
        }),
      { idleMs: fleet.idleMs }
    )
    const ahead: ReadonlyArray<Ahead> = await run(transactions.withPermits(1)(within))
    cursor.committed(batch, ahead)
  }

  /** Hands over what there is of a stretch, while there is time. */
  private async take(
    events: ReadonlyArray<Event>,
    from: number,
    upTo: number,
    batch: Batch,
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
      if (group.events.length > 0) await this.hand(group, 1, batch)
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

  private async hand(group: Group, attempt: number, batch: Batch): Promise<void> {
    const { handling, cursor, isLive } = this.parts
    const { epoch, partition } = cursor.place
    const { lending } = batch
    try {
      const handled = handling.run(group.events, { attempt, epoch, partition, isLive: isLive(), lending })
      if (handled !== undefined) await handled
    } catch (thrown) {
      batch.failing = { thrown, group }
      throw thrown
    }
    batch.events += group.events.length
    batch.alone = group.events.length === 1 ? group.events[0] : undefined
  }

  /** Nothing of the batch was kept. Finds the event that is to blame, with ever smaller batches. */
  private async recover(batch: Batch, error: unknown): Promise<void> {
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
