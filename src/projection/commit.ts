import { Effect, type Semaphore } from "effect"
import { ConnectionLost, PostgresError } from "../postgres/error.ts"
import type { Connection, Postgres } from "../postgres/postgres.ts"
import type { EventTypes } from "../log/event-type.ts"
import type { Fleet } from "../fleet/fleet.ts"
import type { Event } from "../log/event.ts"
import { attempt, type Fold, type FoldFailed } from "./fold.ts"
import type { Cursor, Move, Overtaken, Registry } from "./registry.ts"

export interface CommitParts {
  readonly postgres: Postgres["Service"]
  readonly types: EventTypes
  readonly registry: Registry
  readonly fleet: Fleet["Service"]
  /** How many batches of all projections are folded at once, so that they leave connections to others. */
  readonly folding: Semaphore.Semaphore
}

/** Where a process believes a projection to be, and the fold into the tables that are there. */
export interface FoldingCursor extends Cursor {
  readonly fold: Fold
}

/** Where a batch comes from: whether a connection leads to the log that it was read of. */
export interface Source {
  readonly isStill: (connection: Connection) => Effect.Effect<boolean, PostgresError>
}

/** What the server that answers now may never have had is not folded there. */
const moved = (detail = "another server answers than the one that the batch was read from"): PostgresError =>
  new PostgresError({ reason: new ConnectionLost({ detail, nothingKept: true }) })

/**
 * Folds a batch and moves the cursor to the batch's end, in one transaction. Its first statement moves the cursor: where
 * another process was faster, that finds nothing, and the transaction ends before it has done any work.
 */
export const commitBatch = (
  { postgres, types, registry, folding, fleet }: CommitParts,
  name: string,
  cursor: FoldingCursor,
  source: Source,
  events: ReadonlyArray<Event>,
  move: Move
): Effect.Effect<void, PostgresError | FoldFailed | Overtaken> => {
  const current = attempt(() => events.map((event) => types.upcast(event)))
  const transaction = (batch: ReadonlyArray<Event>) =>
    postgres.transaction(
      (connection) =>
        Effect.gen(function* () {
          yield* registry.move(name, cursor, move, connection)
          // A log that is not fit to be read says nothing about the events of the batch.
          const isStill = Effect.mapError(source.isStill(connection), (error) =>
            error.reason._tag === "Rejected" ? moved(error.message) : error
          )
          if (!(yield* isStill)) return yield* Effect.fail(moved())
          return yield* cursor.fold(connection, batch)
        }),
      { idleMs: fleet.idleMs }
    )
  return folding.withPermits(1)(Effect.flatMap(current, transaction))
}
