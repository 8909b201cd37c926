import { Context, Effect } from "effect"
import { Ambient, WithinTransaction } from "../log/ambient.ts"
import { causedBy, withinTransaction } from "../log/causation.ts"
import { UpcastFailed } from "../log/error.ts"
import { inPlaceOf } from "../log/event-size.ts"
import type { EventTypes } from "../log/event-type.ts"
import type { Event } from "../log/event.ts"
import type { Telemetry } from "../log/telemetry.ts"
import type { Transaction } from "../log/transaction.ts"
import { HandlingCut } from "./error.ts"
import type { HandlerContext, Settings, TransactionalContext } from "./options.ts"
import type { Lending } from "./lending.ts"

/** How often at most a handler that is at work is looked after, in ms. */
const LONGEST_TICK_MS = 250
const SHORTEST_TICK_MS = 5

/** Why a call was cut short where that is its own fault, and a failed attempt. */
const BLAMED: ReadonlySet<HandlingCut["why"]> = new Set(["deadline", "idle"])

/** A handler as the partitions call it: with an event or an array of them. */
export type AnyHandler = (
  given: Event | ReadonlyArray<Event>,
  context: HandlerContext | TransactionalContext
) => unknown

/** Under what a handler is called. */
export interface Circumstances {
  readonly attempt: number
  readonly epoch: number
  readonly partition: number
  /** It comes from the feed, and not from the past. */
  readonly isLive: boolean
  readonly lending?: Lending | undefined
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value

/** A handler whose effects are run with what its subscriber's context provides, and interrupted where nobody waits for it. */
export const runningHandler = <R>(handler: AnyHandler, context: Context.Context<R>): AnyHandler => {
  const run = Effect.runPromiseWith(context)
  const ambient = Context.get(context, Ambient)
  return (given, about) => {
    const handled = handler(given, about)
    if (!Effect.isEffect(handled)) return handled
    const effect = handled as Effect.Effect<unknown, unknown, R>
    const event = Array.isArray(given) ? undefined : (given as Event)
    // The thread of asynchronous calls is lost at an effect's first wait, so the cause is handed on as a service.
    const caused =
      event === undefined ? effect : Effect.provideService(effect, Ambient, () => causedBy(event, ambient))
    const inside = "tx" in about ? Effect.provideService(caused, WithinTransaction, () => true) : caused
    return run(inside, { signal: about.signal })
  }
}

/** One call of a handler, until it has ended or nobody waits for it any more. */
class Call {
  readonly beganAt = performance.now()
  private readonly subscription: string
  private controller: AbortController | undefined
  private reason: HandlingCut | undefined
  private reject: (reason: HandlingCut) => void = () => undefined

  constructor(subscription: string) {
    this.subscription = subscription
  }

  /** Made where it is looked at: most handlers never do. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.reason !== undefined) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  get cutFor(): HandlingCut["why"] | undefined {
    return this.reason?.why
  }

  /** Tells the handler that it should end. */
  warn(why: HandlingCut["why"]): HandlingCut {
    const afterMs = Math.round(performance.now() - this.beganAt)
    this.reason ??= new HandlingCut({ subscription: this.subscription, why, afterMs })
    this.controller?.abort(this.reason)
    return this.reason
  }

  /** Waits for it no longer. */
  cut(why: HandlingCut["why"]): void {
    this.reject(this.warn(why))
  }

  until(handled: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.reject = reject
      handled.then(() => resolve(), reject)
    })
  }
}

/** Calls the handler of a partition, one call at a time, and looks after the one that is under way. */
export class Handling {
  private readonly settings: Settings
  private readonly handler: AnyHandler
  private readonly types: EventTypes
  private readonly telemetry: Telemetry
  private readonly isLost: () => boolean
  private current: Call | undefined
  private lending: Lending | undefined
  private timer: NodeJS.Timeout | undefined
  /** No further call is to begin, and the one under way is to end soon. */
  private ending = false
  /** When a call is cut short because the subscription is to be changed, by performance.now(). */
  private endsAt = Number.POSITIVE_INFINITY

  constructor(options: {
    readonly settings: Settings
    readonly handler: AnyHandler
    readonly types: EventTypes
    readonly telemetry: Telemetry
    /** The partition may have another owner by now. */
    readonly isLost: () => boolean
  }) {
    this.settings = options.settings
    this.handler = options.handler
    this.types = options.types
    this.telemetry = options.telemetry
    this.isLost = options.isLost
  }

  /** Hands events to the handler. Throws, or rejects, where that fails, was cut short, or begins after the end was asked for. */
  run(events: ReadonlyArray<Event>, circumstances: Circumstances): Promise<void> | undefined {
    // Nobody would tell it to hurry any more: only its deadline would end it.
    if (this.ending) throw new HandlingCut({ subscription: this.settings.name, why: "stop", afterMs: 0 })
    const given = events.map((event) => this.upcast(event))
    const call = new Call(this.settings.name)
    this.current = call
    this.lending = circumstances.lending
    let handled: unknown
    try {
      handled = this.call(given, contextOf(call, circumstances, given), circumstances)
    } catch (thrown) {
      this.ended()
      throw thrown
    }
    if (!isThenable(handled)) {
      this.ended()
      return undefined
    }
    this.lookAfter()
    return call.until(handled).finally(() => this.ended())
  }

  /** Whether a failure is only that the call was to end, which says nothing about its events. */
  isCut(failure: unknown): boolean {
    return failure instanceof HandlingCut ? !BLAMED.has(failure.why) : this.ending
  }

  /** Somebody waits for the transaction that is under way, and does so no longer than until then, by performance.now(). */
  endBy(at: number): void {
    this.endsAt = at
  }

  /** The handler under way should end, and is waited for. */
  warn(): void {
    this.ending = true
    this.current?.warn("stop")
  }

  /** It is not waited for any longer. */
  abandon(): void {
    this.ending = true
    this.current?.cut("stop")
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private ended(): void {
    this.current = undefined
    this.lending = undefined
  }

  private upcast(event: Event): Event {
    try {
      return inPlaceOf(this.types.upcast(event), event)
    } catch (thrown) {
      const { position, type, schemaVersion } = event
      const detail = thrown instanceof Error ? thrown.message : String(thrown)
      throw new UpcastFailed({ position, type, schemaVersion, detail })
    }
  }

  private call(
    events: ReadonlyArray<Event>,
    context: HandlerContext,
    { isLive, lending }: Circumstances
  ): unknown {
    const { handler, settings } = this
    const event = events[0]!
    const given = settings.batch === 0 ? event : events
    const within = () =>
      lending === undefined ? handler(given, context) : withinTransaction(() => handler(given, context))
    // Several events at once have no single cause.
    const caused = events.length > 1 ? within : () => causedBy(event, within)
    const { handling: watched } = this.telemetry
    return watched === undefined ? caused() : watched(events, isLive, caused)
  }

  private lookAfter(): void {
    if (this.timer !== undefined) return
    const { timeoutMs } = this.settings
    const everyMs = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, timeoutMs / 4))
    this.timer = setInterval(() => this.tick(), everyMs)
  }

  private tick(): void {
    const { current, lending } = this
    if (current === undefined) {
      this.close()
      return
    }
    if (performance.now() - current.beganAt >= this.settings.timeoutMs) current.cut("deadline")
    else if (lending?.isIdle === true) current.cut("idle")
    else if (this.isLost()) current.cut("lost")
    else if (performance.now() >= this.endsAt) current.cut("change")
  }
}

const contextOf = (
  call: Call,
  { attempt, epoch, partition, lending }: Circumstances,
  events: ReadonlyArray<Event>
): HandlerContext | TransactionalContext => {
  const context = {
    attempt,
    epoch,
    partition,
    get signal() {
      return call.signal
    }
  }
  if (lending === undefined) return context
  const tx: Transaction = lending.to(events.length === 1 ? events[0] : undefined)
  return Object.defineProperty({ attempt, epoch, partition, tx }, "signal", {
    get: () => call.signal,
    enumerable: true
  }) as unknown as TransactionalContext
}
