import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { type ProjectionError, projectionError, UnknownProjection } from "../error.ts"
import type { RebuildParts } from "./build.ts"
import { keptAfter } from "../../log/retention.ts"
import { GenerationTooOld, NoGenerationKept } from "./error.ts"
import { lockProjection, takePlace } from "./swap.ts"
import { untilUnlocked } from "./unlocked.ts"

/** What a rollback did. */
export interface RollbackReport {
  readonly projection: string
  /** The generation that was live, and is kept now: another rollback brings it back. */
  readonly from: { readonly generation: number; readonly version: number }
  readonly to: { readonly generation: number; readonly version: number }
  /** Everything up to here is folded into the tables that are live again; whoever folds them goes on from there. */
  readonly position: number
}

/** How long a rollback is tried while readers hold the views, in ms. */
const PATIENCE_MS = 60_000

const once = (
  parts: RebuildParts,
  name: string
): Effect.Effect<RollbackReport, PostgresError | ProjectionError> =>
  parts.postgres.transaction(
    Effect.fnUntraced(function* (connection) {
      const live = yield* lockProjection(parts, connection, name)
      if (live === undefined) {
        const known = yield* parts.registry.names(connection)
        return yield* projectionError(new UnknownProjection({ projection: name, known }))
      }
      const found = yield* parts.generations.of(connection, name)
      const [kept] = found
        .filter(({ state }) => state === "kept")
        .toSorted((one, other) => other.changedAt.getTime() - one.changedAt.getTime())
      if (kept === undefined) return yield* projectionError(new NoGenerationKept({ projection: name }))
      const { generation, version, hash, relations, position } = kept
      const droppedUpTo = yield* keptAfter(connection, parts.postgres.schema, {})
      if (position < droppedUpTo)
        return yield* projectionError(
          new GenerationTooOld({ projection: name, generation, position, droppedUpTo })
        )
      yield* takePlace(parts, connection, live, { name, generation, version, hash, relations }, position)
      return {
        projection: name,
        from: { generation: live.generation, version: live.version },
        to: { generation, version },
        position
      }
    })
  )

/**
 * Has the views show the generation before the live one again, as it was when it was replaced, and keeps the live one. Fails
 * with UnknownProjection, NoGenerationKept, GenerationTooOld, ViewsInTheWay, LockTimeout, AccessDenied; then nothing was changed.
 */
export const rollback = (
  parts: RebuildParts,
  name: string
): Effect.Effect<RollbackReport, PostgresError | ProjectionError> =>
  Effect.tap(untilUnlocked(once(parts, name), { patienceMs: PATIENCE_MS }), () => parts.fleet.tell)
