import { Effect } from "effect"
import type { Rate } from "../base/rate.ts"
import { LogRewound } from "../log/error.ts"
import type { Event } from "../log/event.ts"
import { isSameOrigin, type LogIdentity, type Origin } from "../log/identity.ts"
import { Caution } from "./caution.ts"
import { SubscriptionStopped } from "./error.ts"
import {
  type Failed,
  failed,
  type Held,
  type HeldEvent,
  Holding,
  type Tried,
  waiting,
  MOST_HELD_STREAMS,
  MOST_RETRYING
} from "./held.ts"
import type { Settings } from "./options.ts"
import type { Ahead, Changes, Claimed, Place, Places } from "./places.ts"

const UNTRIED = { attempts: 0, errors: [] }

/** How an owner came to be none. */
export type Ending =
  | { readonly kind: "left" | "lost" | "dealt" }
  | { readonly kind: "stopped"; readonly reason: SubscriptionStopped }
  | { readonly kind: "rewound"; readonly reason: LogRewound }

/** Ends the work on a partition. */
export class Gone {
  readonly ending: Ending

  constructor(ending: Ending) {
    this.ending = ending
  }
}

export type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

/** What the transaction of a batch is to leave behind. */
export interface Outcome {
  to: number
  readonly held: Array<Held>
  readonly done: Array<number>
}

/**
 * How far a partition is, as its owner believes: what is written down, what is handled beyond that, and what is held. The database
 * has the last word: nothing is written unless it is as believed.
 */
export class Cursor {
  place: Place
  /** Everything of the filter up to here is handled, or held. */
  handled: number
  /** How many events were handled since it was last written down. */
  owed = 0
  readonly limit: number
  readonly holding = new Holding()
  readonly caution = new Caution()
  /** When it was last written down, by performance.now(). */
  keptAt = performance.now()
  private readonly places: Places
  private readonly identity: LogIdentity["Service"]
  private readonly settings: Settings
  private readonly run: Run
  private readonly rate: Rate
  /** Of what its events were read: where positions mean what they say here. */
  origin: Origin
  /** What has failed, or waits, and is not written down yet. */
  private pending: Array<Failed> = []
  /** The positions of held events that are handled now, which is not written down yet. */
  private done: Array<number> = []
  /** It is written down that an event is about to be handed over. */
  private hasBegun = false
  private hasLooked = false

  constructor(
    claimed: Claimed,
    parts: {
      readonly places: Places
      readonly identity: LogIdentity["Service"]
      readonly settings: Settings
      readonly run: Run
      readonly rate: Rate
    }
  ) {
    this.place = claimed.place
    this.handled = claimed.place.position
    this.limit = claimed.limit ?? Number.MAX_SAFE_INTEGER
    this.places = parts.places
    this.identity = parts.identity
    this.settings = parts.settings
    this.run = parts.run
    this.rate = parts.rate
    this.origin = parts.identity.current()
  }

  get isKept(): boolean {
    return this.handled === this.place.position && this.unwritten === 0 && !this.hasBegun
  }

  get unwritten(): number {
    return this.pending.length + this.done.length
  }

  /** Whether events are to be handed over one by one, each with `begin` before it. */
  get isCareful(): boolean {
    return this.caution.isOn(this.handled)
  }

  /** Whether an event has to wait behind one of its stream. */
  isBlocked(event: Event): boolean {
    return this.settings.retry.others === "wait" && this.holding.holds(event.stream)
  }

  /** It waits behind one of its stream. */
  wait(event: Event): void {
    this.pass(waiting(event))
  }

  /** The handler failed on it for the first time. */
  async hold(event: Event, failure: unknown): Promise<void> {
    const one = failed(event, UNTRIED, failure, this.settings.retry)
    this.pass(one)
    this.holding.add(one.held)
    await this.keep()
  }

  /** A held event is handled now, or given up. */
  finished(position: number): void {
    this.done.push(position)
  }

  /** The handler failed on it again. */
  async holdAgain(event: Event, tried: Tried, failure: unknown): Promise<void> {
    const one = failed(event, tried, failure, this.settings.retry)
    this.pending.push(one)
    this.holding.add(one.held)
    await this.keep()
  }

  /** Writes down how far it is, and what is handed over next: whoever comes after knows, should the process end at it. */
  async begin(begun: number): Promise<void> {
    await this.writeDone()
    await this.writeDown(begun)
  }

  /** Writes down how far it is. */
  async keep(): Promise<void> {
    await this.writeDone()
    if (!this.isKept) await this.writeDown()
  }

  /** A transaction left this behind. */
  committed({ to, held, done }: Outcome, ahead: ReadonlyArray<Ahead>): void {
    this.moved(to)
    this.owed = 0
    this.handled = Math.max(this.handled, to)
    for (const one of held) this.holding.add(one)
    this.settled(done, ahead)
  }

  /**
   * Asks the database how far it is; whether what was read of the log may be gone on with. Throws Gone where it is not this
   * engine's any more, or lies beyond the end of the log.
   */
  async refresh(isRewound: boolean): Promise<boolean> {
    await this.run(this.identity.sure)
    const { name, partition, epoch, owner } = this.place
    const row = await this.run(this.places.load(name, partition))
    if (row === undefined || row.epoch !== epoch || row.owner !== owner) throw new Gone({ kind: "lost" })
    const { position, head } = row
    if (!this.hasLooked && !row.isClean) this.caution.begin(row.begun)
    this.hasLooked = true
    if (position > head) {
      const detail = `partition ${partition} of subscription ${JSON.stringify(name)} lies beyond the head; rewind it`
      throw new Gone({ kind: "rewound", reason: new LogRewound({ position, head, detail }) })
    }
    const origin = this.identity.current()
    const isSame = isSameOrigin(origin, this.origin) && !isRewound && position >= this.place.position
    const passed = isSame ? this.pending.filter(({ held }) => held.position <= position) : []
    const written = await this.writtenOf(passed)
    this.origin = origin
    this.place = { ...this.place, position }
    this.handled = isSame ? Math.max(this.handled, position) : position
    this.pending = isSame ? this.pending.filter(({ held }) => held.position > position) : []
    if (!isSame) this.done = []
    this.tell(written)
    await this.loadHolding()
    return isSame
  }

  async loadHolding(): Promise<void> {
    this.holding.asked()
    const streams = await this.run(this.places.heldStreams(this.place, MOST_HELD_STREAMS))
    const retrying = await this.run(this.places.retrying(this.place, MOST_RETRYING))
    this.holding.clear()
    this.holding.addStreams(streams)
    for (const { position, dueMs } of retrying) this.holding.addDue(position, dueMs)
    for (const { held } of this.pending) this.holding.add(held)
  }

  /** What was passed is in its place already: written anew, it would wait for nobody. */
  private pass(one: Failed): void {
    const { position } = one.held
    if (position <= this.handled)
      throw new Error(`Event ${position} was passed already: its partition is at ${this.handled}`)
    this.pending.push(one)
    this.handled = position
  }

  /** In a statement of its own, before others are put behind them: what a statement puts there it does not see as next. */
  private async writeDone(): Promise<void> {
    const { done } = this
    if (done.length === 0) return
    const ahead = await this.write(this.place.position, { done })
    this.done = this.done.slice(done.length)
    this.settled(done, ahead)
  }

  private async writeDown(begun?: number): Promise<void> {
    const to = this.handled
    const pending = this.pending.slice()
    const held = pending.map((one) => one.held)
    await this.write(to, begun === undefined ? { held } : { held, begun })
    this.owed = 0
    this.hasBegun = begun !== undefined
    for (const one of held) if (one.state === "parked") this.holding.settle(one.position)
    this.pending = this.pending.slice(pending.length)
    this.tell(pending)
  }

  private async write(to: number, changes: Omit<Changes, "rate">): Promise<ReadonlyArray<Ahead>> {
    const rate = this.rate.perSecond()
    const ahead = await this.run(this.places.keep(this.place, this.origin, to, { ...changes, rate }))
    this.moved(to)
    return ahead
  }

  /** Which of those that failed for the last time were written down, though the answer was lost. */
  private async writtenOf(passed: ReadonlyArray<Failed>): Promise<ReadonlyArray<Failed>> {
    const written: Array<Failed> = []
    for (const one of passed) {
      if (!one.isLast) continue
      const errors = await this.run(this.places.errorsOf(this.place, one.held.position))
      const [kept, last] = [errors?.at(-1), one.held.errors.at(-1)!]
      if (kept?.at === last.at && kept.attempt === last.attempt) written.push(one)
    }
    return written
  }

  private moved(to: number): void {
    this.place = { ...this.place, position: to }
    this.hasBegun = false
    this.keptAt = performance.now()
  }

  private settled(done: ReadonlyArray<number>, ahead: ReadonlyArray<Ahead>): void {
    for (const position of done) this.holding.settle(position)
    for (const { stream, next, isHeld } of ahead) {
      if (!isHeld) this.holding.free(stream)
      else if (next !== undefined) this.holding.addDue(next, 0)
    }
  }

  /** What was written of events that failed for the last time. */
  private tell(written: ReadonlyArray<Failed>): void {
    const { name, partition } = this.place
    for (const one of written) {
      const { held, isLast } = one
      if (!isLast) continue
      if (held.state === "parked") {
        this.settings.onParked(asHeldEvent(one, partition))
        continue
      }
      const { position, type, errors } = held
      const last = errors.at(-1)!
      const facts = { subscription: name, partition, position, type, attempts: last.attempt }
      throw new Gone({ kind: "stopped", reason: new SubscriptionStopped({ ...facts, detail: last.message }) })
    }
  }
}

const asHeldEvent = ({ event, held }: Failed, partition: number): HeldEvent => ({
  position: held.position,
  id: event.id,
  partition,
  stream: held.stream,
  version: event.version,
  type: held.type,
  state: held.state,
  attempts: held.attempts,
  errors: held.errors,
  dueAt: undefined,
  heldAt: new Date()
})
