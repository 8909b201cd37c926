import type { Rate } from "../base/rate.ts"
import type { Event } from "../log/event.ts"
import { Acks } from "./acks.ts"
import type { Agenda } from "./agenda.ts"
import { endedSilently } from "./caution.ts"
import type { Cursor } from "./cursor.ts"
import type { Handling } from "./handling.ts"
import type { Settings } from "./options.ts"

/** How events come to the handler of a partition. */
export interface Delivery {
  /** Works on a stretch of the log: to its end, or as far as it gets before it halts. */
  readonly stretch: (events: ReadonlyArray<Event>, upTo: number) => Promise<void>
}

/** How held events come to it again. */
export interface Retrial {
  /** Works on an agenda until its end, or until it `isOver`. */
  readonly again: (agenda: Agenda, isOver: () => boolean) => Promise<void>
}

export interface DeliveryParts {
  readonly cursor: Cursor
  readonly handling: Handling
  readonly settings: Settings
  /** Nothing more is to be handed over now. */
  readonly ends: () => boolean
  /** The same, or something else is to be done first. */
  readonly halts: () => boolean
  readonly isLive: () => boolean
  /** Of events that are handled. */
  readonly rate: Rate
  /** Runs what is handed over with care when no other partition of the engine is at such. */
  readonly inTurn: <A>(work: () => Promise<A>) => Promise<A>
}

/** How many handled events make a batch that is written down, and how long at most that waits for more, in ms. */
const BATCH_EVENTS = 1_000
export const BATCH_MS = 100

/** The next events to be handed over together, those among them that have to wait, and where it goes on. */
export interface Group {
  readonly events: ReadonlyArray<Event>
  readonly blocked: ReadonlyArray<Event>
  /** The position of the last of all of them. */
  readonly last: number
  readonly next: number
}

/** From a place in a stretch on: so many events that nothing blocks. */
export const groupAt = (
  cursor: Cursor,
  stretch: ReadonlyArray<Event>,
  from: number,
  most: number,
  before: number
): Group => {
  const events: Array<Event> = []
  const blocked: Array<Event> = []
  let at = from
  while (at < stretch.length && events.length < most && stretch[at]!.position <= before) {
    const event = stretch[at]!
    if (cursor.isBlocked(event)) blocked.push(event)
    else events.push(event)
    at += 1
  }
  return { events, blocked, last: stretch[at - 1]?.position ?? 0, next: at }
}

/** Where in a stretch the first event lies that is not handled yet. */
export const firstAfter = (events: ReadonlyArray<Event>, position: number): number => {
  let at = 0
  while (at < events.length && events[at]!.position <= position) at += 1
  return at
}

/** Hands events over, and moves the cursor when they are handled: at least once. */
export class PlainDelivery implements Delivery {
  private readonly parts: DeliveryParts
  /** One of several that were handed over together fails: up to here they are handed over one by one. */
  private aloneUpTo = 0
  private readonly acks: Acks

  constructor(parts: DeliveryParts) {
    this.parts = parts
    this.acks = new Acks(parts.cursor, parts.settings)
  }

  async stretch(events: ReadonlyArray<Event>, upTo: number): Promise<void> {
    const { cursor, settings, halts } = this.parts
    let at = firstAfter(events, cursor.handled)
    while (at < events.length && events[at]!.position <= cursor.limit) {
      if (halts()) return cursor.keep()
      const { isCareful } = cursor
      const isAlone = isCareful || events[at]!.position <= this.aloneUpTo
      const most = isAlone ? 1 : Math.max(1, settings.batch)
      const group = groupAt(cursor, events, at, most, cursor.limit)
      if (!(await (isCareful ? this.handCarefully(group) : this.hand(group)))) return cursor.keep()
      at = group.last <= cursor.handled ? group.next : firstAfter(events, cursor.handled)
      await this.acks.handled()
    }
    cursor.handled = Math.max(cursor.handled, Math.min(upTo, cursor.limit))
    // Where little comes at a time, the owner writes down several of such batches at once.
    if (cursor.owed >= BATCH_EVENTS || performance.now() - cursor.keptAt >= BATCH_MS) await cursor.keep()
  }

  private async handCarefully(group: Group): Promise<boolean> {
    const { cursor, inTurn } = this.parts
    const { events, blocked } = group
    const [event] = events
    if (event === undefined) return this.hand(group)
    if (cursor.caution.blames(event.position)) {
      for (const each of blocked) cursor.wait(each)
      await cursor.hold(event, endedSilently())
      return true
    }
    return inTurn(async () => {
      await cursor.begin(event.position)
      const goesOn = await this.hand(group)
      await cursor.keep()
      return goesOn
    })
  }

  /** Whether the stretch goes on. What is blocked counts as passed only with the events that lie before it. */
  private async hand({ events, blocked, last }: Group): Promise<boolean> {
    const { cursor, handling, isLive } = this.parts
    const { epoch, partition } = cursor.place
    let failure: { readonly thrown: unknown } | undefined
    if (events.length > 0) {
      try {
        const handled = handling.run(events, { attempt: 1, epoch, partition, isLive: isLive() })
        if (handled !== undefined) await handled
        this.parts.rate.add(events.length)
        cursor.owed += events.length
      } catch (thrown) {
        if (handling.isCut(thrown)) return false
        failure = { thrown }
      }
    }
    if (failure !== undefined && events.length > 1) {
      this.aloneUpTo = last
      return true
    }
    if (failure === undefined) {
      for (const event of blocked) cursor.wait(event)
      cursor.handled = last
      return true
    }
    const failed = events[0]!
    for (const event of blocked) if (event.position < failed.position) cursor.wait(event)
    await cursor.hold(failed, failure.thrown)
    return true
  }
}
