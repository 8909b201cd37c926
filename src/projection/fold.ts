import { Data, Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Connection } from "../postgres/postgres.ts"
import type { Event } from "../log/event.ts"
import { purely } from "./purity.ts"

/** The fold said no to a batch; `cause` is what it threw. */
export class FoldFailed extends Data.TaggedError("FoldFailed")<{ readonly cause: unknown }> {
  override get message(): string {
    return this.cause instanceof Error ? this.cause.message : String(this.cause)
  }
}

/** Folds a batch into the tables of one generation, inside the transaction that moves the cursor. */
export type Fold = (
  connection: Connection,
  events: ReadonlyArray<Event>
) => Effect.Effect<void, PostgresError | FoldFailed>

/** Runs what is the projection's own, with clock and chance out of its reach; fails with what it throws. */
export const attempt = <A>(own: () => A): Effect.Effect<A, FoldFailed> =>
  Effect.try({ try: () => purely(own), catch: (cause) => new FoldFailed({ cause }) })
