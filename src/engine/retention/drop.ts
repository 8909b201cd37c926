import { Data, Effect, Schedule } from "effect"
import type { EventLog } from "../../log/event-log.ts"
import type { LogError } from "../../log/error.ts"
import type { TelemetryPartition } from "../../log/telemetry-partitions.ts"
import type { Transaction } from "../../log/transaction.ts"
import { Contention, LockTimeout, PostgresError } from "../../postgres/error.ts"
import { type ArchiveFile, RETENTION_STREAM, TelemetryDropped } from "./event.ts"
import { Questions, type Reader } from "./question.ts"

/** How long the table is waited for at a time, in ms: who comes after queues behind that. */
const LOCK_MS = 250

/** How often that is tried, and how long is waited in between, in ms. */
const TRIES = 40
const BETWEEN_MS = 500

/** Somebody wants to read it after all. */
export class StillRead extends Data.TaggedError("StillRead")<{ readonly readers: ReadonlyArray<Reader> }> {}

const isInUse = ({ reason }: LogError | PostgresError): boolean =>
  reason instanceof LockTimeout || reason instanceof Contention

/**
 * Drops a partition, and tells the log so, in one transaction: whoever still has to read it is looked for again within, and the event comes before the
 * table's lock, in the order in which appends take theirs. Where the table is in use, it is tried for a while, and fails with LockTimeout.
 */
export const drop = (
  log: EventLog["Service"],
  schema: string,
  { name, from, upTo, bytes }: TelemetryPartition,
  categories: ReadonlyArray<string>,
  archive: ArchiveFile | null
): Effect.Effect<void, StillRead | LogError | PostgresError> => {
  const once = (tx: Transaction) =>
    Effect.gen(function* () {
      const questions = new Questions(tx, schema)
      const unread = Effect.flatMap(questions.readers(from, upTo - 1, categories), (readers) =>
        readers.length === 0 ? Effect.void : Effect.fail(new StillRead({ readers }))
      )
      yield* tx.query(`set local lock_timeout = ${LOCK_MS}`)
      yield* unread
      const event = TelemetryDropped.make({ partition: name, from, upTo, bytes, categories, archive })
      yield* tx.emit(RETENTION_STREAM, event)
      yield* tx.flush
      yield* tx.query(questions.ofPartition("drop_telemetry", name))
      // Somebody may have gone back while the table was waited for.
      yield* unread
    })
  return Effect.retry(log.transaction(once), {
    while: (error) => error._tag !== "StillRead" && isInUse(error),
    schedule: Schedule.jittered(Schedule.spaced(BETWEEN_MS)),
    times: TRIES - 1
  })
}
