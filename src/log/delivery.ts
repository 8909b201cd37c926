import { Effect } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { AppendCall } from "./append-call.ts"
import type { Outcome } from "./batch.ts"
import { OutcomeUnknown, Unavailable } from "./error.ts"
import type { Request } from "./request.ts"

/** How long a batch waits for a lock, in ms: one caller's open transaction must not hold the others' batch. */
export const BATCH_PATIENCE_MS = 250

/** How often two transactions in each other's way are tried again as they are, before the batch is taken apart. */
const CONTENTION_TRIES = 3

/** A request on its way to an outcome. */
export interface Waiting {
  readonly request: Request
  /** When to give up, in ms since the epoch. */
  readonly deadline: number
  /** A try ended without an answer: the events may be in the log. */
  uncertain: boolean
  readonly settle: (outcome: Outcome) => void
}

export interface DeliveryRules {
  readonly call: AppendCall
  readonly settle: (waiting: Waiting, outcome: Outcome) => void
  /** Waits for a stream that somebody's transaction holds, without holding up the batch. */
  readonly waitApart: (waiting: Waiting) => void
  /** No more tries: the engine closes. */
  readonly closing: () => boolean
}

const late = (one: Waiting, error: PostgresError): Outcome => {
  const detail = error.message
  if (!one.uncertain) return new Unavailable({ detail })
  const ids = one.request.parts.flatMap((part) => part.rows.map((row) => row.id))
  return new OutcomeUnknown({ stream: one.request.parts[0]!.stream, ids, detail })
}

/** Sees batches through: whatever happens, every request of a batch is settled once when `deliver` ends, or waits apart. */
export class Delivery {
  private readonly rules: DeliveryRules

  constructor(rules: DeliveryRules) {
    this.rules = rules
  }

  deliver(
    batch: ReadonlyArray<Waiting>,
    patienceMs: number = BATCH_PATIENCE_MS,
    tries = 0
  ): Effect.Effect<void> {
    const { call, settle } = this.rules
    return call
      .append(
        batch.map((one) => one.request),
        patienceMs
      )
      .pipe(
        Effect.map((outcomes) => {
          for (let index = 0; index < batch.length; index++) settle(batch[index]!, outcomes[index]!)
        }),
        Effect.catch((error) => this.recover(batch, error, patienceMs, tries))
      )
  }

  private recover(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    patienceMs: number,
    tries: number
  ): Effect.Effect<void> {
    switch (error.reason._tag) {
      case "ConnectionLost":
        for (const one of batch) one.uncertain = true
        return this.again(batch, error, patienceMs, tries)
      case "Unreachable":
      case "Busy":
      case "ReadOnly":
      case "StatementTimeout":
      case "DiskFull":
        return this.again(batch, error, patienceMs, tries)
      case "Contention":
        return tries < CONTENTION_TRIES || batch.length === 1
          ? this.again(batch, error, patienceMs, tries)
          : this.bisect(batch, patienceMs)
      case "UniqueViolation":
        // The other append is committed by now, so that the next try finds its ids and judges them one by one.
        if (tries < CONTENTION_TRIES) return this.again(batch, error, patienceMs, tries)
        break
      case "LockTimeout":
        return patienceMs === BATCH_PATIENCE_MS
          ? this.setHeldApart(batch, error, tries)
          : this.again(batch, error, patienceMs, tries)
    }
    if (batch.length > 1) return this.bisect(batch, patienceMs)
    return Effect.sync(() => this.rules.settle(batch[0]!, this.rules.call.refusal(batch[0]!.request, error)))
  }

  /** Tries again after a while, without those whose time is up by then. */
  private again(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    patienceMs: number,
    tries: number
  ): Effect.Effect<void> {
    const wait = backoffMs(tries)
    const next = Date.now() + wait
    const left = batch.filter((one) => {
      if (one.deadline > next && !this.rules.closing()) return true
      this.rules.settle(one, late(one, error))
      return false
    })
    return left.length === 0
      ? Effect.void
      : Effect.andThen(Effect.sleep(wait), this.deliver(left, patienceMs, tries + 1))
  }

  private bisect(batch: ReadonlyArray<Waiting>, patienceMs: number): Effect.Effect<void> {
    const half = Math.ceil(batch.length / 2)
    return Effect.andThen(
      this.deliver(batch.slice(0, half), patienceMs),
      this.deliver(batch.slice(half), patienceMs)
    )
  }

  /** Somebody's transaction holds a stream of the batch: those that wait for it are set apart, the others go on. */
  private setHeldApart(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    tries: number
  ): Effect.Effect<void> {
    return this.rules.call
      .freeHeads(batch.flatMap((one) => one.request.parts.map((part) => part.stream)))
      .pipe(
        Effect.flatMap((free) => {
          const isFree = (one: Waiting): boolean => one.request.parts.every((part) => free.has(part.stream))
          for (const one of batch) if (!isFree(one)) this.rules.waitApart(one)
          const rest = batch.filter(isFree)
          return rest.length === 0 ? Effect.void : this.deliver(rest)
        }),
        Effect.catch(() => this.again(batch, error, BATCH_PATIENCE_MS, tries))
      )
  }
}
