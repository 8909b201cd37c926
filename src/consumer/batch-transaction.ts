import { Effect, type Semaphore } from "effect"
import type { Fleet } from "../fleet/fleet.ts"
import { LogError, OutcomeUnknown } from "../log/error.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Event, Meta } from "../log/event.ts"
import { PostgresError, isServerGone } from "../postgres/error.ts"
import type { Outcome, Run } from "./cursor.ts"
import type { DeliveryParts } from "./delivery.ts"
import { Lending } from "./lending.ts"
import type { Ahead, Places } from "./places.ts"

/** How many events one transaction takes, and for how long it goes on taking more, in ms: whoever changes the subscription waits for it. */
export const MOST_EVENTS = 1_000
export const TRANSACTION_MS = 1_000

export interface TransactionalParts extends DeliveryParts {
  readonly places: Places
  readonly log: EventLog["Service"]
  readonly fleet: Fleet["Service"]
  readonly run: Run
  readonly ambient: () => Meta | undefined
  /** How many such transactions an engine has at once, so that they leave connections to others. */
  readonly transactions: Semaphore.Semaphore
}

/** What one transaction has taken on, handed over in groups. */
export interface Batch<Group> extends Outcome {
  /** How many events were handed over. */
  events: number
  /** What ended it before its time, where that was the handler. */
  failing: { readonly thrown: unknown; readonly group: Group } | undefined
  lending: Lending | undefined
}

/** One that has taken nothing on yet, of a partition that is at `to`. */
export const begun = (to: number): Batch<never> => ({
  to,
  held: [],
  done: [],
  events: 0,
  failing: undefined,
  lending: undefined
})

/** Neither the handler nor what it wrote is at fault: the server, or the place that the partition turned out to be at. */
export const isNobodysFault = (error: unknown): boolean => {
  if (error instanceof LogError) return error.reason instanceof OutcomeUnknown
  return !(error instanceof PostgresError) || isServerGone(error) || error.reason._tag === "ReadOnly"
}

/**
 * Runs `body` in a transaction that begins with the condition that this engine owns the partition, and ends by writing what became
 * of the batch: what the handler wrote and the cursor commit together, or neither does.
 */
export const transact = async <Group>(
  { cursor, places, log, fleet, ambient, run, transactions, rate }: TransactionalParts,
  batch: Batch<Group>,
  body: () => Promise<void>
): Promise<void> => {
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
  rate.add(batch.events)
}

/** Hands a group over in the transaction of its batch. */
export const handIn = async <Group extends { readonly events: ReadonlyArray<Event> }>(
  { handling, cursor, isLive }: TransactionalParts,
  batch: Batch<Group>,
  group: Group,
  attempt: number
): Promise<void> => {
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
}
