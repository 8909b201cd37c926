import { Effect } from "effect"
import { backoffMs } from "../base/backoff.ts"
import { Bell } from "../base/bell.ts"
import { Rate } from "../base/rate.ts"
import { Backlog } from "../log/backlog.ts"
import { LogError } from "../log/error.ts"
import { failureType } from "../log/telemetry.ts"
import { PostgresError } from "../postgres/error.ts"
import { Cursor, type Ending, Gone } from "./cursor.ts"
import { BATCH_MS, type Delivery, PlainDelivery, type Retrial } from "./delivery.ts"
import { type AnyHandler, Handling } from "./handling.ts"
import { HOLDS_TOO_MUCH } from "./held.ts"
import { lastWords } from "./last-words.ts"
import { PlainRetrial } from "./plain-retrial.ts"
import type { Settings } from "./options.ts"
import type { ConsumerParts } from "./parts.ts"
import { type Claimed, Doubtful, Overtaken } from "./places.ts"
import { Retries } from "./retries.ts"
import { Sureness } from "./sureness.ts"
import { TransactionalDelivery } from "./transactional-delivery.ts"
import { TransactionalRetrial } from "./transactional-retrial.ts"

/** How often at most a cursor moves over events that its subscription does not want, in ms. */
const IDLE_MOVE_MS = 1_000

/** How often an owner that the others may take for gone looks whether it still is one, in ms. */
const UNSURE_LOOK_MS = 100

/** How often an owner looks whether a change that it makes way for is over, in ms. */
const CHANGING_LOOK_MS = 100

/** How long a handler may go on in its transaction once somebody waits for that to end, in ms. */
const HASTE_MS = 1_000

/**
 * Handles the events of one partition while this engine owns it, one after the other. What it believes of the cursor is only a
 * belief: whatever it writes, it writes under the epoch of its claim, from where it believes the cursor to be, or not at all.
 */
export class Partition {
  readonly number: number
  /** How it ended; never rejects. */
  readonly done: Promise<Ending>
  private readonly parts: ConsumerParts
  private readonly settings: Settings
  private readonly cursor: Cursor
  private readonly handling: Handling
  private readonly delivery: Delivery
  private readonly retries: Retries
  private readonly backlog: Backlog
  private readonly sureness: Sureness
  private readonly news = new Bell()
  private readonly rate = new Rate()
  /** What is read, and waited for, for nobody any more is given up. */
  private readonly reading = new AbortController()
  private isLeaving = false
  /** The cursor may be another's, or elsewhere than believed: look before anything else. */
  private isDoubtful = true
  private isRewound = false
  /** Since when it makes way for a change of the subscription, by performance.now(). */
  private changingSince: number | undefined
  /** The cursor is known to be another's. */
  private isGone = false
  private failures = 0
  private trouble: string | undefined

  constructor(claimed: Claimed, settings: Settings, handler: AnyHandler, parts: ConsumerParts) {
    const { places, identity, run, log, telemetry } = parts
    const { partition } = claimed.place
    this.number = partition
    this.parts = parts
    this.settings = settings
    this.sureness = new Sureness(parts.fleet)
    this.cursor = new Cursor(claimed, { places, identity, settings, run, rate: this.rate })
    const isLost = (): boolean => this.isGone || !this.sureness.isStillOwn
    this.handling = new Handling({ settings, handler, types: log.types, telemetry, isLost })
    const wanted = { filter: settings.filter, share: { partition, of: claimed.of } }
    this.backlog = new Backlog(parts.feed, wanted, {
      onOffer: () => this.news.ring(),
      onRewound: () => {
        this.isRewound = true
        this.doubt()
      }
    })
    this.backlog.restart(claimed.place.position)
    const [delivery, retrial] = this.makeDelivery()
    this.delivery = delivery
    this.retries = new Retries({
      cursor: this.cursor,
      retrial,
      places,
      pages: parts.feed.pages,
      run,
      ends: () => this.ends(),
      hasNew: () => !this.cursor.holding.isFull && (this.backlog.size > 0 || !this.backlog.isLive)
    })
    this.done = this.work()
  }

  get epoch(): number {
    return this.cursor.place.epoch
  }

  get position(): number {
    return this.cursor.handled
  }

  get eventsPerSecond(): number {
    return this.rate.perSecond()
  }

  get error(): string | undefined {
    return this.trouble
  }

  /** It may have changed hands: whoever says so may know less than this engine. */
  doubt(): void {
    this.isDoubtful = true
    this.news.ring()
    const { places, run } = this.parts
    const { name, partition, owner } = this.cursor.place
    // A handler that is under way is told where another may be at work already. Where its engine has to give it up, it may end.
    run(places.load(name, partition)).then(
      (row) => (this.isGone ||= row?.owner !== owner),
      () => undefined
    )
  }

  /** What the fleet saw: somebody changes the subscription, or has held events be tried again. */
  told({ isChanging, isDue }: { readonly isChanging: boolean; readonly isDue: boolean }): void {
    const wasChanging = this.changingSince !== undefined
    if (isDue) this.cursor.holding.remind()
    // Who changes it waits for a transaction alone; and after that it may be another's, or elsewhere.
    if (isChanging) this.isDoubtful = true
    this.changingSince = isChanging ? (this.changingSince ?? performance.now()) : undefined
    this.handling.endBy(
      this.settings.transactional && this.changingSince !== undefined
        ? this.changingSince + HASTE_MS
        : Number.POSITIVE_INFINITY
    )
    if (isDue || isChanging !== wasChanging) this.news.ring()
  }

  /** Ends after the handler that is under way, with all that is handled written down. */
  leave(): void {
    this.isLeaving = true
    this.news.ring()
  }

  /** The same, and tells the handler to hurry. */
  stop(): void {
    this.leave()
    this.handling.warn()
  }

  /** Does not wait for the handler any longer. */
  abandon(): void {
    this.leave()
    this.reading.abort()
    this.handling.abandon()
  }

  private makeDelivery(): readonly [Delivery, Retrial] {
    const { cursor, handling, settings, parts } = this
    const common = {
      cursor,
      handling,
      settings,
      rate: this.rate,
      ends: () => this.ends(),
      halts: () => this.halts(),
      isLive: () => this.backlog.isLive,
      inTurn: <A>(work: () => Promise<A>) => parts.turns.take(work)
    }
    if (!settings.transactional) return [new PlainDelivery(common), new PlainRetrial(common)]
    const transactional = { ...common, ...parts }
    return [new TransactionalDelivery(transactional), new TransactionalRetrial(transactional)]
  }

  /** Whether nothing more is to be handed over now. */
  private ends(): boolean {
    if (!this.sureness.isStillOwn) this.isDoubtful = true
    return this.isLeaving || this.isDoubtful
  }

  /** Whether something else is to be done before the next event. */
  private halts(): boolean {
    return this.ends() || this.retries.isDue || this.cursor.holding.isFull
  }

  private async work(): Promise<Ending> {
    let ending: Ending | undefined
    while (!this.isLeaving && ending === undefined) {
      try {
        if (this.failures > 0) await this.pause(backoffMs(this.failures - 1))
        if (!this.isLeaving) await (this.changingSince === undefined ? this.step() : this.makeWay())
      } catch (thrown) {
        ending = await this.recover(thrown)
      }
    }
    return this.end(ending ?? { kind: "left" })
  }

  /** Begins nothing while the subscription is being changed. */
  private async makeWay(): Promise<void> {
    this.parts.fleet.lookSoon()
    await this.pause(CHANGING_LOOK_MS)
  }

  private async step(): Promise<void> {
    const { cursor, backlog } = this
    if (this.isDoubtful) return this.refresh()
    if (!this.sureness.isStillOwn) return this.beSure()
    if (this.retries.isDue) return this.retry()
    if (cursor.handled >= cursor.limit) return this.deal()
    if (backlog.size > 0 && !cursor.holding.isFull) return this.deliver()
    if (backlog.size === 0) {
      cursor.handled = Math.max(cursor.handled, Math.min(backlog.upTo, cursor.limit))
      if (cursor.handled < cursor.limit && !backlog.isLive) return this.read(backlog.fill)
    }
    return this.rest()
  }

  /** Nothing to handle: the cursor moves all the same, but not for every event that is of no interest. */
  private async rest(): Promise<void> {
    const { cursor } = this
    this.succeeded()
    if (cursor.holding.isFull) this.trouble = HOLDS_TOO_MUCH
    const now = performance.now()
    const everyMs = cursor.owed > 0 || cursor.unwritten > 0 ? BATCH_MS : IDLE_MOVE_MS
    const moveIn = cursor.isKept ? Number.POSITIVE_INFINITY : cursor.keptAt + everyMs - now
    if (moveIn <= 0) await this.keep()
    else await this.pause(Math.min(moveIn, cursor.holding.nextAt - now))
  }

  private async keep(): Promise<void> {
    await this.cursor.keep()
    this.succeeded()
  }

  private succeeded(): void {
    this.failures = 0
    this.trouble = undefined
  }

  /** Looks again whose it is, once this engine was heard of. */
  private async beSure(): Promise<void> {
    const { fleet } = this.parts
    this.isDoubtful = true
    if (fleet.sureSince() !== undefined) return
    fleet.lookSoon()
    await this.pause(UNSURE_LOOK_MS)
  }

  /** Looks how the partition stands, and goes on from there. */
  private async refresh(): Promise<void> {
    this.isDoubtful = false
    this.sureness.looks()
    const isRewound = this.isRewound
    this.isRewound = false
    try {
      const goesOn = await this.cursor.refresh(isRewound)
      if (goesOn) this.backlog.drop(this.cursor.handled)
      else this.backlog.restart(this.cursor.place.position)
    } catch (thrown) {
      this.isDoubtful = true
      this.isRewound ||= isRewound
      throw thrown
    }
  }

  /** Handles what there is, and meanwhile reads on where it is behind. */
  private async deliver(): Promise<void> {
    const { backlog, cursor } = this
    const { events, upTo } = backlog.peek()
    const filling = backlog.isLive ? undefined : this.read(backlog.fill).catch(() => undefined)
    const before = cursor.handled
    try {
      await this.delivery.stretch(events, upTo)
    } finally {
      backlog.drop(cursor.handled)
      await filling
    }
    if (cursor.handled > before) this.succeeded()
  }

  private async retry(): Promise<void> {
    await this.retries.run()
    this.succeeded()
  }

  /** It has come to where all partitions stop. */
  private async deal(): Promise<never> {
    await this.keep()
    throw new Gone({ kind: "dealt" })
  }

  private async recover(thrown: unknown): Promise<Ending | undefined> {
    if (thrown instanceof Gone) return thrown.ending
    this.isDoubtful = true
    this.retries.trouble()
    if (this.isLeaving) return undefined
    if (thrown instanceof Doubtful) return undefined
    this.failures += 1
    if (thrown instanceof Overtaken) {
      this.parts.fleet.look()
      return undefined
    }
    this.trouble = thrown instanceof Error ? thrown.message : String(thrown)
    const isExpected = thrown instanceof PostgresError || thrown instanceof LogError
    // A mistake of ours must not leave a partition standing without a word; what it says may quote data.
    if (!isExpected && this.failures === 1) {
      const facts = { subscription: this.settings.name, partition: this.number, error: failureType(thrown) }
      await this.parts.run(Effect.logError("A durable subscription is in trouble and tries again", facts))
    }
    return undefined
  }

  /** Writes down what is handled, and leaves the partition to others. */
  private async end(ending: Ending): Promise<Ending> {
    const { cursor, parts, backlog, handling } = this
    backlog.leave()
    handling.close()
    this.reading.abort()
    if (ending.kind === "lost") return ending
    await parts.run(
      lastWords(ending, { place: () => cursor.place, places: parts.places, move: () => this.lastMove() })
    )
    return ending
  }

  private async lastMove(): Promise<void> {
    try {
      if (this.isDoubtful) await this.refresh()
      await this.cursor.keep()
    } catch (thrown) {
      this.isDoubtful = true
      throw thrown
    }
  }

  private async pause(ms: number): Promise<void> {
    await this.read(this.news.wait(Number.isFinite(ms) ? Math.max(0, ms) : undefined))
  }

  private read<A>(effect: Effect.Effect<A, unknown>): Promise<A> {
    return this.parts.runUntil(effect, this.reading.signal)
  }
}
