import { Effect, Fiber } from "effect"
import { clause } from "../../base/clause.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { quoted } from "../../postgres/identifier.ts"
import type { Connection, Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { StepDone } from "./event.ts"
import { LOCK_MS, patience } from "./patience.ts"
import { isLeftOver, type Step } from "./plan.ts"
import { indexesOf } from "./survey.ts"

/** The same where somebody waits for the end of what was interrupted. */
const HASTY_LOCK_MS = 1_000

/** How long the server may take for an index, in ms: as long as Node's timers go. */
const LONG_ANSWER_MS = 2_147_483_647

/** How long a connection of the pool is waited for, in ms. */
const CONNECTION_MS = 30_000

/** How long a cancelled statement may take to end, in ms; its connection is ended then. */
const CANCELLED_MS = 5_000

const BEHIND_A_POOLER =
  "a pooler is in between, behind which nothing can be built beside other work: connect to the server itself"

/** ANALYZE writes down what it found when its transaction ends, and locks out no reader or writer. */
const analyze = (postgres: Postgres["Service"], relation: string): Effect.Effect<unknown, PostgresError> =>
  postgres.transaction((connection) =>
    Effect.andThen(
      patience(connection, postgres.schema, LOCK_MS, "transaction"),
      connection.query(`analyze ${quoted(postgres.schema)}.${quoted(relation)}`, undefined, {
        answerTimeoutMs: LONG_ANSWER_MS
      })
    )
  )

/** Runs a statement that the server goes on with by itself, and has the server end it where this is interrupted. */
const cancellable = (
  postgres: Postgres["Service"],
  connection: Connection,
  pid: number,
  text: string
): Effect.Effect<unknown, PostgresError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(
        restore(connection.query(text, undefined, { answerTimeoutMs: LONG_ANSWER_MS }))
      )
      const cancel = Effect.andThen(
        Effect.ignore(postgres.query(statement("cancel_backend", postgres.schema).text, [pid])),
        Effect.andThen(
          Effect.timeoutOption(Effect.interruptible(Fiber.await(running)), CANCELLED_MS),
          Fiber.interrupt(running)
        )
      )
      return yield* Effect.onInterrupt(restore(Fiber.join(running)), () => cancel)
    })
  )

/** A session that waits for locks as maintenance does, which no transaction-wide setting could say. */
const inSession = <A>(
  postgres: Postgres["Service"],
  lockMs: number,
  use: (connection: Connection, pid: number) => Effect.Effect<A, PostgresError>
): Effect.Effect<A, PostgresError> =>
  postgres.withConnection(
    (connection) =>
      Effect.gen(function* () {
        const { rows } = yield* connection.query<{ pid: number }>("select pg_backend_pid() as pid")
        yield* patience(connection, postgres.schema, lockMs, "session")
        return yield* use(connection, rows[0]!.pid)
      }).pipe(Effect.ensuring(Effect.ignore(connection.query("reset all")))),
    CONNECTION_MS
  )

const dropIndex = (
  postgres: Postgres["Service"],
  index: string,
  lockMs: number
): Effect.Effect<unknown, PostgresError> =>
  inSession(postgres, lockMs, (connection, pid) =>
    cancellable(
      postgres,
      connection,
      pid,
      `drop index concurrently if exists ${quoted(postgres.schema)}.${quoted(index)}`
    )
  )

/** What a build that failed has left of itself would be kept up by every write, for nothing. */
const dropLeftOvers = (postgres: Postgres["Service"], table: string, lockMs: number): Effect.Effect<void> =>
  Effect.ignore(
    Effect.gen(function* () {
      const found = yield* indexesOf(postgres, postgres.schema)
      const left = found.filter((index) => index.table === table && isLeftOver(index) && !index.isUnderWay)
      for (const { index } of left) yield* dropIndex(postgres, index, lockMs)
    })
  )

/** Builds an index beside the old one, which then takes its place: reads and writes go on. */
const reindex = (
  postgres: Postgres["Service"],
  { relation, table }: Step
): Effect.Effect<unknown, PostgresError> =>
  inSession(postgres, LOCK_MS, (connection, pid) =>
    cancellable(
      postgres,
      connection,
      pid,
      `reindex index concurrently ${quoted(postgres.schema)}.${quoted(relation)}`
    )
  ).pipe(
    Effect.tapError(() => dropLeftOvers(postgres, table, LOCK_MS)),
    Effect.onInterrupt(() => dropLeftOvers(postgres, table, HASTY_LOCK_MS))
  )

const workOf = (postgres: Postgres["Service"], step: Step): Effect.Effect<unknown, PostgresError> => {
  switch (step.kind) {
    case "analyze":
      return analyze(postgres, step.relation)
    case "drop":
      return dropIndex(postgres, step.relation, LOCK_MS)
    case "repair":
    case "reindex":
      return reindex(postgres, step)
  }
}

const sizeNow = (
  postgres: Postgres["Service"],
  { kind, relation }: Step
): Effect.Effect<number | null, PostgresError> =>
  kind === "reindex" || kind === "repair"
    ? Effect.map(
        postgres.query<{ bytes: string | null }>("select pg_relation_size(to_regclass($1)) as bytes", [
          `${quoted(postgres.schema)}.${quoted(relation)}`
        ]),
        ({ rows }) => (rows[0]!.bytes === null ? null : Number(rows[0]!.bytes))
      )
    : Effect.succeed(null)

const told = (
  step: Step,
  outcome: StepDone["outcome"],
  problem: string | null,
  { tookMs = 0, bytesAfter = null }: { readonly tookMs?: number; readonly bytesAfter?: number | null } = {}
): StepDone => ({
  kind: step.kind,
  relation: step.relation,
  why: step.why,
  outcome,
  problem,
  tookMs: Math.round(tookMs),
  bytesBefore: step.bytes,
  bytesAfter
})

/** Why a step cannot be done from here. */
const obstacle = ({ kind, forbidden }: Step, isPooled: boolean): string | undefined =>
  forbidden ?? (isPooled && kind !== "analyze" ? BEHIND_A_POOLER : undefined)

/** What would become of a step. */
export const foretold = (step: Step, isPooled: boolean): StepDone => {
  const problem = obstacle(step, isPooled)
  return problem === undefined ? told(step, "would", null) : told(step, "left", problem)
}

/** Does a step, and tells what became of it: one that fails keeps the next ones from nothing. */
export const done = Effect.fnUntraced(function* (
  postgres: Postgres["Service"],
  step: Step
): Effect.fn.Return<StepDone> {
  const problem = obstacle(step, postgres.isPooled())
  if (problem !== undefined) return told(step, "left", problem)
  const began = performance.now()
  const work = Effect.andThen(workOf(postgres, step), sizeNow(postgres, step))
  return yield* Effect.match(work, {
    onFailure: (error) => told(step, "failed", clause(error.message), { tookMs: performance.now() - began }),
    onSuccess: (bytesAfter) => told(step, "done", null, { tookMs: performance.now() - began, bytesAfter })
  })
})
