import type { Transaction } from "../log/transaction.ts"
import { InvalidArgument, type InvalidName } from "../log/error.ts"
import type { Event } from "../log/event.ts"
import { type Filter, filterProblem } from "../log/filter.ts"
import type { From } from "../log/resume.ts"
import type { HeldEvent } from "./held.ts"

/**
 * What happens to an event that its handler failed on. A partition that holds 1 000 events to be tried again, or events of 10 000
 * streams, parked ones included, takes on nothing new until some are settled.
 */
export interface RetryOptions {
  /** How often an event is handed to the handler, the first time included; 5 by default. */
  readonly attempts?: number
  /** The longest wait before the second attempt, in ms; 100 by default. Waits double, and each lasts a random part of that. */
  readonly firstMs?: number
  /** The longest wait of all, in ms; 30 000 by default. */
  readonly longestMs?: number
  /** After the last attempt: park the event and go on, or stop its partition; `park` by default. */
  readonly giveUp?: "park" | "stop"
  /** Later events of the same stream: wait behind it, or pass it; `wait` by default. */
  readonly others?: "wait" | "pass"
}

/** What a handler may know beside its event. */
export interface HandlerContext {
  /** 1 for the first; counts anew where a parked event is retried. */
  readonly attempt: number
  /** Aborted with HandlingCut as the reason, when nobody waits for this handler any more. */
  readonly signal: AbortSignal
  /** Grows whenever the partition changes hands: what another system wrote under a higher one must not be overwritten. */
  readonly epoch: number
  readonly partition: number
}

/** … and the transaction in which the cursor moves, where the subscription is transactional. */
export interface TransactionalContext<Tx = Transaction> extends HandlerContext {
  readonly tx: Tx
}

export interface ConsumeOptions extends Filter {
  /** Under which its place in the log is kept: 1–128 visible ASCII characters. */
  readonly name: string
  /** Where it begins when it is made, and only then; default: `now`. */
  readonly from?: From
  /** Into how many partitions its streams are dealt when it is made, 1–256; 1 by default. */
  readonly partitions?: number
  /** The handler's own rows and events commit together with the cursor: exactly once. */
  readonly transactional?: boolean
  /** The handler is given up to so many events at once, as an array. */
  readonly batch?: number
  /**
   * The cursor moves after every call of the handler, or with a batch: 1 000 events, 100 ms, and each second while a batch runs
   * slowly; `batch` by default. Where it is transactional, each call has a transaction of its own, or a batch shares one.
   */
  readonly ack?: "batch" | "event"
  readonly retry?: RetryOptions
  /** How long a handler may take, in ms; 60 000 by default. Then it counts as failed. */
  readonly timeoutMs?: number
  /** Called in the process that parked an event, after it was parked. */
  readonly onParked?: (parked: HeldEvent) => void
}

type Given<O> = O extends { readonly batch: number } ? ReadonlyArray<Event> : Event

type ContextOf<O, Tx> = O extends { readonly transactional: true } ? TransactionalContext<Tx> : HandlerContext

/** What a subscription with these options calls: with one event or several, and with a transaction where it is transactional. */
export type DurableHandler<O extends ConsumeOptions, Tx = Transaction> = (
  given: Given<O>,
  context: ContextOf<O, Tx>
) => unknown

/** Options with their defaults. */
export interface Settings {
  readonly name: string
  readonly filter: Filter
  readonly from: From
  readonly partitions: number
  readonly transactional: boolean
  /** 0: one at a time, not as an array. */
  readonly batch: number
  readonly ackEvery: boolean
  readonly retry: Required<RetryOptions>
  readonly timeoutMs: number
  readonly onParked: (parked: HeldEvent) => void
}

const NAME = /^[\x21-\x7e]{1,128}$/
export const MAX_PARTITIONS = 256
export const MAX_BATCH = 1_000
const MAX_ATTEMPTS = 1_000
/** The longest that a timer can wait, in ms. */
const MAX_MS = 2 ** 31 - 1
const DEFAULT_TIMEOUT_MS = 60_000

const DEFAULT_RETRY: Required<RetryOptions> = {
  attempts: 5,
  firstMs: 100,
  longestMs: 30_000,
  giveUp: "park",
  others: "wait"
}

const wholeProblem = (what: string, value: unknown, low: number, high: number): string | undefined =>
  Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high
    ? undefined
    : `${what} is ${String(value)}: give a whole number from ${low} to ${high}`

const choiceProblem = (what: string, value: unknown, choices: ReadonlyArray<unknown>): string | undefined =>
  choices.includes(value)
    ? undefined
    : `${what} is ${JSON.stringify(value)}: give ${choices.map((one) => JSON.stringify(one)).join(" or ")}`

/** Why no subscription can be called so, or undefined. */
export const nameProblem = (name: unknown): string | undefined =>
  typeof name === "string" && NAME.test(name)
    ? undefined
    : `A subscription cannot be called ${JSON.stringify(name)}: give 1–128 visible ASCII characters`

export const partitionsProblem = (partitions: unknown): string | undefined =>
  wholeProblem("The number of partitions", partitions, 1, MAX_PARTITIONS)

const problemOf = (settings: Settings): string | undefined => {
  const { name, partitions, batch, timeoutMs, retry } = settings
  return (
    nameProblem(name) ??
    partitionsProblem(partitions) ??
    wholeProblem("The batch", batch, 0, MAX_BATCH) ??
    wholeProblem("timeoutMs", timeoutMs, 1, MAX_MS) ??
    wholeProblem("retry.attempts", retry.attempts, 1, MAX_ATTEMPTS) ??
    wholeProblem("retry.firstMs", retry.firstMs, 0, MAX_MS) ??
    wholeProblem("retry.longestMs", retry.longestMs, 0, MAX_MS) ??
    choiceProblem("retry.giveUp", retry.giveUp, ["park", "stop"]) ??
    choiceProblem("retry.others", retry.others, ["wait", "pass"])
  )
}

/** How durable subscriptions of an engine go about it where they do not say. */
export interface ConsumerDefaults {
  /** How often an event is tried again before it is given up. */
  readonly maxRetries?: number
}

/** The options with their defaults, or what is wrong with them. */
export const settingsOf = (
  options: ConsumeOptions,
  { maxRetries = DEFAULT_RETRY.attempts - 1 }: ConsumerDefaults = {}
): Settings | InvalidArgument | InvalidName => {
  const { name, from = "now", partitions = 1, transactional = false, batch, ack = "batch", retry } = options
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onParked = () => undefined } = options
  const { streams, categories, types, labels, agent } = options
  const filter: Filter = canonical({ streams, categories, types, labels, agent })
  const settings: Settings = {
    name,
    filter,
    from,
    partitions,
    transactional,
    batch: batch ?? 0,
    ackEvery: ack === "event",
    retry: { ...DEFAULT_RETRY, attempts: maxRetries + 1, ...defined(retry ?? {}) },
    timeoutMs,
    onParked: (parked) => {
      try {
        onParked(parked)
      } catch {
        // It is told of what has happened already, and has no say in it.
      }
    }
  }
  const problem =
    problemOf(settings) ??
    choiceProblem("ack", ack, ["batch", "event"]) ??
    (batch === 0 ? wholeProblem("The batch", batch, 1, MAX_BATCH) : undefined)
  if (problem !== undefined) return new InvalidArgument({ problem })
  return filterProblem(filter) ?? settings
}

const defined = <A extends object>(given: A): Partial<A> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<A>

type Loose<A> = { readonly [Key in keyof A]?: A[Key] | undefined }

/** A filter in the one form that all filters for the same events have. */
export const canonical = (filter: Loose<Filter>): Filter => {
  const fields = Object.entries(defined(filter)).map(([field, value]) => [
    field,
    Array.isArray(value) ? [...new Set(value as ReadonlyArray<string>)].toSorted() : value
  ])
  return Object.fromEntries(fields.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))) as Filter
}

export const isSameFilter = (one: Filter, other: Filter): boolean =>
  JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
