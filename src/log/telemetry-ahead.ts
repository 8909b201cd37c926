import { Effect, FiberSet, Layer } from "effect"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { Appender } from "./appender.ts"
import { Wake } from "./wake.ts"

/**
 * How long until it is tried again after a failure, and between two tries for what others say that they have appended, which anybody
 * can forge, in ms. An append makes what is needed where nobody else did.
 */
const RETRY_MS = 5_000

const NEVER = Number.NEGATIVE_INFINITY

/**
 * Has the next telemetry partition made before an append needs it, so that no append waits for a table: now and then, beside
 * everything else, when the log has come to a position from which on one more is due. A role without the right leaves it to others.
 */
export const telemetryAhead: Layer.Layer<never, never, Postgres | Appender | Wake> = Layer.effectDiscard(
  Effect.gen(function* () {
    const postgres = yield* Postgres
    const { text } = statement("extend_telemetry_ahead", postgres.schema)
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    let dueFrom = 0
    let appended = 0
    let triedAt = NEVER
    let hasFailed = false
    let isUnderWay = false
    let isForOthers = false

    const isDue = (position: number, pauseMs: number): boolean =>
      position >= dueFrom && !isUnderWay && !isForOthers && performance.now() - triedAt >= pauseMs
    const start = (): void => {
      isUnderWay = true
      triedAt = performance.now()
      run(extend)
    }
    const whenAppended = (position: number): void => {
      appended = Math.max(appended, position)
      if (isDue(position, hasFailed ? RETRY_MS : 0)) start()
    }
    const extend = postgres.query<{ again_from: string }>(text).pipe(
      Effect.map(({ rows }) => {
        dueFrom = Number(rows[0]!.again_from)
        hasFailed = false
      }),
      Effect.catch((error) =>
        Effect.sync(() => {
          hasFailed = true
          isForOthers = error.reason._tag === "AccessDenied"
        })
      ),
      Effect.ensuring(
        Effect.sync(() => {
          isUnderWay = false
          whenAppended(appended)
        })
      )
    )
    ;(yield* Appender).onAppended(whenAppended)
    ;(yield* Wake).onWake((position) => {
      if (position !== undefined && isDue(position, RETRY_MS)) start()
    })
  })
)
