import { Effect, Option, Schedule } from "effect"
import { handledEvent } from "../log/causation.ts"
import type { LogRewound } from "../log/error.ts"
import type { Look, Standing } from "../fleet/post.ts"
import type { Ending } from "./cursor.ts"
import { SubscriptionChanged, SubscriptionDeleted } from "./error.ts"
import { fairShare } from "./fair-share.ts"
import type { AnyHandler } from "./handling.ts"
import { isSameFilter, type Settings } from "./options.ts"
import { Partition } from "./partition.ts"
import type { ConsumerParts } from "./parts.ts"
import type { Claimed } from "./places.ts"
import type { Register } from "./register.ts"

/** How long a handler may take to end when its subscription is stopped, in ms. */
const HANDLER_PATIENCE_MS = 4_000

/** How long the last words of a member may take beyond that, in ms: the server may not answer. */
const LEAVE_MS = 2_000

/** How long a member that ends waits for the answer to what it asks in this moment, in ms: unanswered, it may still be done later. */
const ANSWER_MS = 1_000

/** How long after it has left what it had asked before may yet be done, in ms, by a server that stalled. */
const LATE_MS = 30_000

/** How often it is tried then, in ms. */
const LEAVE_AGAIN_MS = 500

/** Why a durable subscription ended in an engine by itself. */
export type MemberFailure = SubscriptionDeleted | SubscriptionChanged | LogRewound

/** A partition that this engine works on. */
export interface LocalPartition {
  readonly partition: number
  /** Everything of the filter up to here is handled or held, written down or not. */
  readonly position: number
  /** Events handled per second, over the last ten seconds. */
  readonly rate: number
  /** What keeps it from going on now, if anything. */
  readonly error: string | undefined
}

/**
 * This engine's part in a subscription: it owns its share of the partitions, no more than an even one, and works on them side by
 * side; what nobody alive owns it takes, what is too much it gives up, after the event that it is at.
 */
export class Member {
  /** Resolves when it was stopped; rejects where it ended by itself. */
  readonly done: Promise<void>
  private readonly settings: Settings
  private readonly handler: AnyHandler
  private readonly parts: ConsumerParts
  private readonly register: Register
  private readonly partitions = new Map<number, Partition>()
  private readonly unwatch: () => void
  /** What is asked for nobody any more is given up. */
  private readonly asking = new AbortController()
  private readonly leaving = new AbortController()
  private look: Look | undefined
  private acting: Promise<void> | undefined
  private stopping: Promise<void> | undefined
  private settle: { resolve: () => void; reject: (failure: MemberFailure) => void }

  constructor(settings: Settings, handler: AnyHandler, parts: ConsumerParts, register: Register) {
    this.settings = settings
    this.handler = handler
    this.parts = parts
    this.register = register
    this.settle = { resolve: () => undefined, reject: () => undefined }
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
    })
    // Who does not look at `done` finds the failure in the log; it must not end the process.
    this.done.catch(() => undefined)
    const post = { kind: "subscription", name: settings.name } as const
    this.unwatch = parts.fleet.watch(post, (look) => this.seen(look))
  }

  get name(): string {
    return this.settings.name
  }

  status(): ReadonlyArray<LocalPartition> {
    return [...this.partitions.values()]
      .map(({ number, position, eventsPerSecond, error }) => ({
        partition: number,
        position,
        rate: eventsPerSecond,
        error
      }))
      .toSorted((a, b) => a.partition - b.partition)
  }

  /** Ends with the events that are being handled, waited for up to 4 000 ms; at once where a handler itself asks. */
  async stop(): Promise<void> {
    this.stopping ??= this.end()
    if (handledEvent() === undefined) await this.stopping
  }

  private async end(failure?: MemberFailure): Promise<void> {
    const { run } = this.parts
    const isAnswered = await this.answered()
    const partitions = [...this.partitions.values()]
    for (const partition of partitions) partition.stop()
    const ended = Effect.promise(() => Promise.all(partitions.map(({ done }) => done)))
    const inTime = Effect.timeoutOption(ended, HANDLER_PATIENCE_MS)
    if (Option.isNone(await run(inTime))) {
      for (const partition of partitions) partition.abandon()
      await run(Effect.timeoutOption(ended, LEAVE_MS))
    }
    // Until here its engine has to be heard of, for the handlers that are waited for.
    this.unwatch()
    const left = this.leave().catch(() => undefined)
    if (!isAnswered) void left.then(() => this.leaveAgain()).catch(() => undefined)
    await run(
      Effect.timeoutOption(
        Effect.promise(() => left),
        LEAVE_MS
      )
    )
    if (failure === undefined) this.settle.resolve()
    else this.settle.reject(failure)
  }

  /** What it asked is done or not done by then, so that nothing comes after its last words; false where that is not known. */
  private async answered(): Promise<boolean> {
    const { run } = this.parts
    const acted = Effect.promise(async () => this.acting)
    const inTime = await run(Effect.timeoutOption(acted, ANSWER_MS))
    this.asking.abort()
    await run(Effect.timeoutOption(acted, ANSWER_MS))
    return Option.isSome(inTime)
  }

  /** A server that stalled may have joined it, or claimed for it, after it left. */
  private async leaveAgain(): Promise<void> {
    await this.parts.runUntil(Effect.sleep(LATE_MS), this.leaving.signal)
    await this.leave()
  }

  /** What it owns is nobody's while this engine lives, so it is given up for as long as it takes. */
  private async leave(): Promise<void> {
    const { fleet, runUntil } = this.parts
    const left = Effect.flatMap(this.register.leave(this.name, fleet.engine), (kept) =>
      kept === 0 ? Effect.void : Effect.fail(kept)
    )
    const leaving = Effect.retry(left, { schedule: Schedule.spaced(LEAVE_AGAIN_MS) })
    await runUntil(Effect.andThen(leaving, fleet.tell), this.leaving.signal)
  }

  /** What is not given up yet stays this engine's: it closes, or another handler takes it over here. */
  keep(): void {
    this.leaving.abort()
  }

  private fail(failure: MemberFailure): void {
    if (this.stopping !== undefined) return
    this.stopping = this.end(failure)
    const facts = { subscription: this.name, error: failure._tag }
    void this.parts.run(Effect.logError("A durable subscription ended", facts))
  }

  /** How the fleet sees it. A look may be older than what this engine did meanwhile, so it only gives reasons to ask. */
  private seen(look: Look): void {
    this.look = look
    this.acting ??= this.act().finally(() => {
      this.acting = undefined
    })
  }

  private async act(): Promise<void> {
    while (this.look !== undefined && this.stopping === undefined) {
      const { look } = this
      this.look = undefined
      try {
        await this.actOn(look)
      } catch {
        // The next look, two seconds later at most, finds it as it is then.
        return
      }
    }
  }

  private async actOn({ parts, members, rank, isChanging }: Look): Promise<void> {
    if (parts.length === 0) return this.miss()
    const standings = new Map<number, Standing>(parts.map((standing) => [standing.part, standing]))
    for (const [number, partition] of this.partitions) {
      const standing = standings.get(number)
      if (standing?.isMine !== true || standing.epoch !== partition.epoch) partition.doubt()
      partition.told({ isChanging, isDue: standing?.isDue === true })
    }
    const givenUp = await this.giveUp(parts)
    // It is not among them yet; or was gone for long, or came back with a log that was restored.
    if (rank === undefined) return this.join()
    const share = fairShare(parts.length, members, rank)
    const surplus = [...this.partitions.values()].slice(share)
    for (const partition of surplus) partition.leave()
    const free = parts.filter(({ isFree }) => isFree).length + givenUp
    const most = Math.min(free, share - this.partitions.size)
    if (most > 0) await this.claim(most)
  }

  /** Leaves to others what is this engine's and is not worked on any more, since it was taken from it; how much that was. */
  private async giveUp(parts: ReadonlyArray<Standing>): Promise<number> {
    const { places, fleet } = this.parts
    const taken = parts.filter(({ part, isMine }) => isMine && !this.partitions.has(part))
    for (const { part, epoch, position } of taken)
      await this.ask(
        places.release({ name: this.name, partition: part, epoch, owner: fleet.engine, position })
      )
    if (taken.length > 0) await this.ask(fleet.tell)
    return taken.length
  }

  /** The others have to give up what is too much for them now. */
  private async join(): Promise<void> {
    const { fleet, run } = this.parts
    await this.ask(this.register.join(this.name, fleet.engine))
    fleet.look()
    await run(fleet.tell)
  }

  /** There is nothing left of it, unless the look is older than what made it. */
  private async miss(): Promise<void> {
    const found = await this.ask(this.register.load(this.name))
    if (found === undefined) this.fail(new SubscriptionDeleted({ subscription: this.name }))
  }

  private async claim(most: number): Promise<void> {
    const { places, fleet } = this.parts
    const claimed = await this.ask(places.claim(this.name, fleet.engine, most, [...this.partitions.keys()]))
    for (const one of claimed) {
      const { filter } = this.settings
      if (isSameFilter(one.filter, filter)) {
        this.begin(one)
        continue
      }
      await this.ask(places.release(one.place))
      const [found, given] = [one.filter, filter].map((each) => JSON.stringify(each))
      this.fail(new SubscriptionChanged({ subscription: this.name, found: found!, given: given! }))
    }
  }

  private ask<A>(effect: Effect.Effect<A, unknown>): Promise<A> {
    return this.parts.runUntil(effect, this.asking.signal)
  }

  private begin(claimed: Claimed): void {
    const partition = new Partition(claimed, this.settings, this.handler, this.parts)
    this.partitions.set(partition.number, partition)
    if (this.stopping !== undefined) partition.stop()
    void partition.done.then((ending) => this.ended(partition, ending))
  }

  private ended(partition: Partition, ending: Ending): void {
    const { fleet, run } = this.parts
    this.partitions.delete(partition.number)
    if (ending.kind === "rewound") this.fail(ending.reason)
    if (ending.kind === "stopped") {
      const { partition: number, position, type } = ending.reason
      const facts = { subscription: this.name, partition: number, position, type }
      void run(Effect.logError("A partition of a durable subscription stopped", facts))
    }
    if (ending.kind === "dealt") void this.deal()
    // The others may take it; and this engine another, where it has room now.
    if (ending.kind !== "lost") void run(fleet.tell)
    fleet.look()
  }

  /** Each that has come to where all partitions stop tries to deal the streams anew: the last can. */
  private async deal(): Promise<void> {
    const { places, fleet, run } = this.parts
    await run(Effect.ignore(Effect.andThen(places.deal(this.name), fleet.tell)))
  }
}
