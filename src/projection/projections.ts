import { Context, Effect, Fiber, Layer, Scope, Semaphore } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { type Statement, statement, statementOf, withSchema } from "../postgres/sql-file.ts"
import { Appender } from "../log/appender.ts"
import { EventLog } from "../log/event-log.ts"
import { Feed } from "../log/feed.ts"
import { Fleet } from "../fleet/fleet.ts"
import { bind, type Binding } from "./bind.ts"
import { blueprint } from "./blueprint.ts"
import { catchUp, DEFAULT_READ_OWN_WRITES_MS, type Patience, reach } from "./catch-up.ts"
import type { ProjectionDefinition } from "./definition.ts"
import {
  DefinitionChanged,
  InvalidDefinition,
  type ProjectionError,
  projectionError,
  UnknownProjection
} from "./error.ts"
import type { Bound, OperationContext, Operations } from "./operation.ts"
import { OwnWrites } from "./own-writes.ts"
import { register } from "./register.ts"
import { Registry } from "./registry.ts"
import { Runner, type RunnerParts } from "./runner.ts"
import { readSql, type SqlSource } from "./sql-source.ts"
import type { ProjectionStatus } from "./status.ts"

/** How many batches of all projections are folded at once, unless configured; each takes a connection. */
const DEFAULT_FOLDS_AT_ONCE = 3

/**
 * How many other questions of all projections are under way at once. Where the server does not answer, each of these keeps a connection until
 * that is given up, and whoever emits is to find one all the same.
 */
const QUESTIONS_AT_ONCE = 2

/** How long a closing engine waits for the batch that is under way, in ms. */
const CLOSE_PATIENCE_MS = 5_000

export interface ProjectionsConfig {
  /** How long a query waits for its projection to have read this engine's own writes, in ms; 1 000 by default. */
  readonly readOwnWritesMs?: number
  readonly foldsAtOnce?: number
  /** False: leave folding to other processes, and only read what they made. A role or a server that may not write does so anyway. */
  readonly folds?: boolean
}

/** The read models of an engine. */
export class Projections extends Context.Service<
  Projections,
  {
    /**
     * Makes a projection's tables where there are none, keeps them up with the log from now on, and returns its operations as
     * functions. Registering the same definition again returns them again. Fails with InvalidDefinition, or with
     * DefinitionChanged where the tables were filled by another definition.
     */
    readonly project: <Ops extends Operations>(
      definition: ProjectionDefinition<Ops>
    ) => Effect.Effect<Bound<Ops>, ProjectionError | PostgresError>
    /** The definitions that are registered, by name. */
    readonly definitions: () => ReadonlyMap<string, ProjectionDefinition>
    /** Looks again how a projection stands: its tables were replaced. */
    readonly look: (name: string) => void
    /** How each projection stands in this process, in the order of registration. */
    readonly status: () => ReadonlyArray<ProjectionStatus>
    /**
     * Until a projection has folded everything up to a position, however long that takes, unless a patience is given. Fails with
     * UnknownProjection, ProjectionStopped, or ProjectionBehind after the patience.
     */
    readonly reached: (
      name: string,
      position: number,
      patience?: Patience
    ) => Effect.Effect<void, ProjectionError>
  }
>()("tidemark/projection/Projections") {
  static readonly layer = (
    config: ProjectionsConfig = {}
  ): Layer.Layer<Projections, PostgresError, Postgres | Appender | Feed | EventLog | Fleet> =>
    Layer.effect(Projections, makeProjections(config))
}

/** What operations may use of an engine. */
const operationContext = (log: EventLog["Service"], postgres: Postgres["Service"]): OperationContext => {
  const statements = new Map<SqlSource, Statement>()
  const prepared = (sql: SqlSource): Statement => {
    let known = statements.get(sql)
    if (known === undefined) {
      known = statementOf(withSchema(readSql(sql), postgres.schema))
      statements.set(sql, known)
    }
    return known
  }
  return {
    emit: log.emit,
    emitAll: log.emitAll,
    query: <Row>(
      sql: SqlSource,
      params: ReadonlyArray<unknown> = [],
      { planned = "once" }: { readonly planned?: "once" | "anew" } = {}
    ) =>
      Effect.suspend(() => {
        const { text, name } = prepared(sql)
        const options = planned === "once" ? { name } : {}
        return Effect.map(postgres.query<Row>(text, params, options), ({ rows }) => rows)
      })
  }
}

/** Runs a projection for the time of the scope; its end waits, within bounds, for the batch that is under way. */
const runIn = Effect.fnUntraced(function* (scope: Scope.Scope, runner: Runner) {
  const fiber = yield* Effect.forkDetach(runner.run)
  const end = Effect.suspend(() => {
    runner.close()
    return Effect.andThen(Effect.timeoutOption(Fiber.await(fiber), CLOSE_PATIENCE_MS), Fiber.interrupt(fiber))
  })
  yield* Scope.addFinalizer(scope, end)
})

const mayWriteSchema = (postgres: Postgres["Service"]): Effect.Effect<boolean, PostgresError> =>
  Effect.map(
    postgres.query<{ may_write: boolean }>(statement("may_write_schema", postgres.schema).text, [
      postgres.schema
    ]),
    ({ rows }) => rows[0]!.may_write
  )

const makeProjections = Effect.fnUntraced(function* (config: ProjectionsConfig) {
  const postgres = yield* Postgres
  const log = yield* EventLog
  const feed = yield* Feed
  const appender = yield* Appender
  // Each runner may wait for its batch when the engine closes: all at once, not one after the other.
  const scope = yield* Scope.fork(yield* Effect.scope, "parallel")
  const registering = yield* Semaphore.make(1)
  const inTurn = (yield* Semaphore.make(QUESTIONS_AT_ONCE)).withPermits(1)
  // What is asked of any connection waits for its turn.
  const registry = new Registry({
    ...postgres,
    query: (text, values, options) => inTurn(postgres.query(text, values, options))
  })
  const writes = new OwnWrites(feed.epoch)
  const runners = new Map<string, Runner>()
  const context = operationContext(log, postgres)
  const mayWrite = yield* mayWriteSchema(postgres)
  const parts: RunnerParts = {
    postgres,
    folds: mayWrite && config.folds !== false,
    feed,
    fleet: yield* Fleet,
    registry,
    types: log.types,
    inTurn,
    folding: yield* Semaphore.make(config.foldsAtOnce ?? DEFAULT_FOLDS_AT_ONCE)
  }
  const waiting = { log, feed, writes, patienceMs: config.readOwnWritesMs ?? DEFAULT_READ_OWN_WRITES_MS }
  appender.onAppended((position, requests) => writes.note(position, requests))

  const start = Effect.fnUntraced(function* (definition: ProjectionDefinition) {
    const { name, version } = definition
    const plan = yield* blueprint(definition)
    const known = runners.get(name)
    if (known !== undefined) {
      if (known.blueprint.hash === plan.hash) return known
      // It has no tables any more where those of another definition took their place, whether it has seen that yet or not.
      const row = yield* registry.load(name)
      if (row?.hash !== plan.hash) {
        const found = known.blueprint.definition.version
        return yield* projectionError(new DefinitionChanged({ projection: name, found, given: version }))
      }
      known.close()
    }
    const conflict = log.types.declare(plan.events)
    if (conflict !== undefined) {
      const problem = `the type ${conflict} is declared already, with another schema or version: fold the very same declaration`
      return yield* projectionError(new InvalidDefinition({ projection: name, problem }))
    }
    yield* register(postgres, registry, plan, mayWrite)
    const runner = new Runner(plan, parts)
    yield* runIn(scope, runner)
    runners.set(name, runner)
    return runner
  })

  const runnerOf = (name: string): Effect.Effect<Runner, ProjectionError> => {
    const runner = runners.get(name)
    return runner === undefined
      ? Effect.fail(projectionError(new UnknownProjection({ projection: name, known: [...runners.keys()] })))
      : Effect.succeed(runner)
  }

  const caughtUpWith = (runner: Runner): Binding["caughtUp"] => {
    const own = catchUp(runner, waiting)
    return (after, others) => {
      if (others.length === 0) return own(after)
      const all = others.map((name) =>
        Effect.flatMap(runnerOf(name), (other) => catchUp(other, waiting)(after))
      )
      return Effect.all([own(after), ...all], { concurrency: "unbounded", discard: true })
    }
  }

  return Projections.of({
    project: (definition) =>
      Effect.map(registering.withPermits(1)(Effect.uninterruptible(start(definition))), (runner) =>
        bind(definition.operations, { ...context, caughtUp: caughtUpWith(runner) })
      ),
    definitions: () =>
      new Map(
        [...runners].map(
          ([
            name,
            {
              blueprint: { definition }
            }
          ]) => [name, definition]
        )
      ),
    look: (name) => runners.get(name)?.hurry(),
    status: () => [...runners.values()].map((runner) => runner.status()),
    reached: (name, position, patience) =>
      Effect.flatMap(
        Effect.suspend(() => runnerOf(name)),
        (runner) => {
          if (runner.stop !== undefined) return Effect.fail(projectionError(runner.stop))
          feed.wake(position)
          if (patience !== undefined) return reach(runner, feed, position, patience)
          runner.hurry()
          return runner.progress.wait(position)
        }
      )
  })
})
