import { Effect } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import { type AppendCall, BATCH_PATIENCE_MS } from "./append-call.ts"
import type { Outcome } from "./batch.ts"
import { OutcomeUnknown, Unavailable } from "./error.ts"
import type { Request } from "./request.ts"

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
  /** Makes sure that the log knows its epoch, where the server may have been replaced. */
  readonly ready: Effect.Effect<void, PostgresError>
  readonly settle: (waiting: Waiting, outcome: Outcome) => void
  /** Waits for a stream that somebody's transaction holds, for all of a batch who want it, without holding up the others. */
  readonly waitApart: (waiting: ReadonlyArray<Waiting>) => void
  /** Not settled yet. */
  readonly isPending: (waiting: Waiting) => boolean
  /** No more tries: the engine closes. */
  readonly closing: () => boolean
}

/** What the caller is told when its time is up. */
export const late = (one: Waiting, detail: string): OutcomeUnknown | Unavailable =>
  one.uncertain ? unknown(one, detail) : new Unavailable({ detail })

/** What the caller is told where nobody waits for the answer any more. */
export const unknown = ({ request }: Waiting, detail: string): OutcomeUnknown =>
  new OutcomeUnknown({
    stream: request.parts[0]!.stream,
    ids: request.parts.flatMap((part) => part.rows.map((row) => row.id)),
    detail
  })

/** A batch by its streams: what must keep its order stays together. A request over several streams is alone in its batch. */
const byStream = (batch: ReadonlyArray<Waiting>): ReadonlyArray<ReadonlyArray<Waiting>> => {
  const groups = new Map<string, Array<Waiting>>()
  for (const one of batch) {
    const { stream } = one.request.parts[0]!
    const group = groups.get(stream)
    if (group === undefined) groups.set(stream, [one])
    else group.push(one)
  }
  return [...groups.values()]
}

const streamsOf = (batch: ReadonlyArray<Waiting>): ReadonlyArray<string> =>
  batch.flatMap((one) => one.request.parts.map((part) => part.stream))

const halves = <A>(all: ReadonlyArray<A>): readonly [ReadonlyArray<A>, ReadonlyArray<A>] => {
  const half = Math.ceil(all.length / 2)
  return [all.slice(0, half), all.slice(half)]
}

/**
 * Sees batches through: whatever happens, every request of a batch is settled once when `deliver` ends, or waits apart.
 * With `turnMs` it is one turn of those that wait apart: they wait so long for a lock, and have further turns if need be.
 */
export class Delivery {
  private readonly rules: DeliveryRules

  constructor(rules: DeliveryRules) {
    this.rules = rules
  }

  deliver(batch: ReadonlyArray<Waiting>, turnMs?: number, tries = 0): Effect.Effect<void> {
    const { call, settle, ready } = this.rules
    const attempt = Effect.suspend(() => {
      const requests = batch.map((one) => one.request)
      const deadline = Math.max(...batch.map((one) => one.deadline))
      return call.append(requests, turnMs ?? BATCH_PATIENCE_MS, deadline)
    })
    return Effect.andThen(ready, attempt).pipe(
      Effect.map((outcomes) => {
        for (let index = 0; index < batch.length; index++) settle(batch[index]!, outcomes[index]!)
      }),
      Effect.catch((error) => this.recover(batch, error, turnMs, tries)),
      Effect.catchDefect((defect) => this.isolate(batch, defect, turnMs))
    )
  }

  /** Whatever it is about one request that nobody foresaw, its neighbours and their streams do not wait for ever. */
  private isolate(
    batch: ReadonlyArray<Waiting>,
    defect: unknown,
    turnMs: number | undefined
  ): Effect.Effect<void> {
    if (batch.length > 1) return this.bisect(batch, turnMs)
    return Effect.sync(() => this.rules.settle(batch[0]!, unknown(batch[0]!, String(defect))))
  }

  private recover(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    turnMs: number | undefined,
    tries: number
  ): Effect.Effect<void> {
    switch (error.reason._tag) {
      case "ConnectionLost":
        for (const one of batch) one.uncertain = true
        return this.again(batch, error, turnMs, tries)
      case "Unreachable":
      case "TlsRefused":
      case "TlsUnverified":
      case "Busy":
      case "ReadOnly":
      case "StatementTimeout":
      case "DiskFull":
        return this.again(batch, error, turnMs, tries)
      case "Contention":
        return tries < CONTENTION_TRIES || batch.length === 1
          ? this.again(batch, error, turnMs, tries)
          : this.bisect(batch, turnMs)
      case "UniqueViolation":
        // The other append is committed by now, so that the next try finds its ids and judges them one by one.
        if (tries < CONTENTION_TRIES) return this.again(batch, error, turnMs, tries)
        break
      case "LockTimeout":
        if (turnMs === undefined) return this.setHeldApart(batch, error, tries)
        this.inTime(batch, error)
        return Effect.void
    }
    if (batch.length > 1) return this.bisect(batch, turnMs)
    return Effect.sync(() => this.refuse(batch[0]!, error))
  }

  /** For good. A refusal says nothing about an earlier try, unless that must have failed the same way. */
  private refuse(one: Waiting, error: PostgresError): void {
    const { _tag } = error.reason
    const saysAll = _tag === "InvalidData" || _tag === "UniqueViolation"
    this.rules.settle(
      one,
      one.uncertain && !saysAll ? late(one, error.message) : this.rules.call.refusal(one.request, error)
    )
  }

  /** Tries again after a while, without those whose time is up by then. */
  private again(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    turnMs: number | undefined,
    tries: number
  ): Effect.Effect<void> {
    const wait = backoffMs(tries)
    const next = Date.now() + wait
    const left = this.inTime(batch, error, next)
    return left.length === 0
      ? Effect.void
      : Effect.andThen(Effect.sleep(wait), this.deliver(left, turnMs, tries + 1))
  }

  /** Those whose time is not up by `then`; the others are told so. */
  private inTime(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    then = Date.now()
  ): ReadonlyArray<Waiting> {
    return batch.filter((one) => {
      if (one.deadline > then && !this.rules.closing()) return true
      this.rules.settle(one, late(one, error.message))
      return false
    })
  }

  /** One stream is taken apart in turns only: there its second half never overtakes a first half that waits for a lock. */
  private bisect(batch: ReadonlyArray<Waiting>, turnMs?: number, tries = 0): Effect.Effect<void> {
    const groups = byStream(batch)
    if (groups.length === 1 && turnMs === undefined) return Effect.sync(() => this.rules.waitApart(batch))
    const [first, second] = groups.length > 1 ? halves(groups).map((half) => half.flat()) : halves(batch)
    const rest = Effect.suspend(() => {
      const overtakes = turnMs !== undefined && first!.some((one) => this.rules.isPending(one))
      return overtakes ? Effect.void : this.deliver(second!, turnMs, tries)
    })
    return Effect.andThen(this.deliver(first!, turnMs, tries), rest)
  }

  /**
   * Somebody's transaction holds a stream of the batch: those that wait for it are set apart, the others go on.
   * A stream that is not there yet may be in the making, which cannot be seen: such are tried among themselves.
   */
  private setHeldApart(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    tries: number
  ): Effect.Effect<void> {
    const left = this.inTime(batch, error)
    if (left.length === 0) return Effect.void
    return this.rules.call.freeHeads(streamsOf(left)).pipe(
      Effect.flatMap((free) => {
        const groups = byStream(left)
        const held = groups.filter((group) => streamsOf(group).some((stream) => free.get(stream) === false))
        const clear = groups.filter((group) => streamsOf(group).every((stream) => free.get(stream) === true))
        const unsure = groups.filter((group) => !held.includes(group) && !clear.includes(group))
        if (clear.length === groups.length) return this.freeYetLocked(left, error, tries)
        if (unsure.length === 1 && groups.length === 1) held.push(...unsure.splice(0))
        for (const group of held) this.rules.waitApart(group)
        if (unsure.length === groups.length && unsure.length > 0) return this.bisect(left)
        return Effect.andThen(this.deliverSome(clear.flat()), this.deliverSome(unsure.flat()))
      }),
      Effect.catch(() => this.again(left, error, undefined, tries))
    )
  }

  /**
   * What is waited for is no stream: an id that somebody's transaction has appended, or the whole table under a migration.
   * If it lasts, whoever waits for an id is found by halves, and waits apart.
   */
  private freeYetLocked(
    batch: ReadonlyArray<Waiting>,
    error: PostgresError,
    tries: number
  ): Effect.Effect<void> {
    if (tries < CONTENTION_TRIES) return this.again(batch, error, undefined, tries)
    if (byStream(batch).length > 1) return this.bisect(batch, undefined, tries)
    return Effect.sync(() => this.rules.waitApart(batch))
  }

  private deliverSome(batch: ReadonlyArray<Waiting>): Effect.Effect<void> {
    return batch.length === 0 ? Effect.void : this.deliver(batch)
  }
}
