import { Effect, Option } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { whileHeardOf } from "../../postgres/heartbeat.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Overtaken, Registered } from "../registry.ts"
import { physicalName, qualified } from "../sql-source.ts"
import type { Build, RebuildParts } from "./build.ts"
import { compareTables, type TableComparison } from "./comparison.ts"
import { RebuildDiffers, RebuildLost } from "./error.ts"
import type { Filler } from "./filler.ts"

/**
 * How often in the time for which an owner's transaction may sit idle a look at the tables is heard of, where the process works at
 * something else meanwhile: it folds, or waits for the other table. One that stalls must not hold back VACUUM for longer.
 */
const BEATS_PER_IDLE = 3

/** How long a second session may take to come while the snapshot holds the first, in ms: others may wait for that one … */
const SECOND_SESSION_MS = 2_000

/** … and how often it is asked for: the first connection that is lent may be dead. */
const SECOND_SESSION_ASKS = 2

/** What a rebuild was compared with. */
export interface Verification {
  /** Both were compared as they are after this event. */
  readonly position: number
  /** Whether the same definition filled both: then they must be alike. */
  readonly sameDefinition: boolean
  readonly tables: ReadonlyArray<TableComparison>
}

/** Whether the position of a projection is one of this log: after a restore, it may lie beyond its end. */
export const isOfLog = (live: Registered | undefined): live is Registered =>
  live !== undefined && live.position <= live.head

/**
 * The snapshot keeps its session while the new tables are written in another. Where a pool lends only one, nobody else would get on
 * until the server's answer is given up.
 */
const secondSession = (
  { postgres }: RebuildParts,
  projection: string,
  snapshot: Connection
): Effect.Effect<void, PostgresError | ProjectionError> => {
  const ask = (asksLeft: number): Effect.Effect<void, PostgresError | ProjectionError> => {
    if (asksLeft === 0) return Effect.fail(noSecondSession(projection))
    return Effect.flatMap(Effect.timeoutOption(postgres.query("select"), SECOND_SESSION_MS), (answer) => {
      if (Option.isSome(answer)) return Effect.void
      // A server that does not answer on the first either lacks no session: that fails as a lost connection does.
      return Effect.andThen(snapshot.query("select"), ask(asksLeft - 1))
    })
  }
  return ask(SECOND_SESSION_ASKS)
}

const noSecondSession = (projection: string): ProjectionError => {
  const waitedMs = SECOND_SESSION_MS * SECOND_SESSION_ASKS
  const detail = `comparing takes two sessions of the server at once, and no second one came within ${waitedMs} ms, while the first one answered: have the pooler (default_pool_size) or the engine (poolSize) lend more, or do without the comparison`
  return projectionError(new RebuildLost({ projection, detail }))
}

/**
 * Compares the new tables with the live ones, as both are after one and the same event, in a snapshot: the live model goes on.
 * Undefined where there is no such event any more, because the live model is behind, or is none of this log. Without a
 * filler, compares them as they are. Fails with RebuildLost where there are not two sessions to be had.
 */
export const verify = (
  parts: RebuildParts,
  build: Build,
  filler: Filler | undefined
): Effect.Effect<Verification | undefined, Failure | ProjectionError> => {
  const { postgres, registry, fleet } = parts
  const { idleMs } = fleet
  const { schema } = postgres
  const looking = <A, E>(use: (connection: Connection) => Effect.Effect<A, E>) =>
    postgres.transaction((connection) => whileHeardOf(connection, idleMs / BEATS_PER_IDLE, use), { idleMs })

  const compare = (snapshot: Connection, live: Registered) =>
    looking(
      Effect.fnUntraced(function* (connection): Effect.fn.Return<
        ReadonlyArray<TableComparison>,
        PostgresError | Overtaken
      > {
        yield* build.hold(connection)
        const tables: Array<TableComparison> = []
        for (const relation of build.blueprint.definition.relations) {
          const table = qualified(schema, physicalName(relation, live.generation))
          const there = yield* snapshot.query("select where to_regclass($1) is not null", [table])
          if (there.count === 0) continue
          const rebuilt = { connection, table: build.generation.table(relation) }
          tables.push(yield* compareTables(schema, relation, { connection: snapshot, table }, rebuilt))
        }
        return tables
      })
    )

  return looking(
    Effect.fnUntraced(function* (snapshot): Effect.fn.Return<
      Verification | undefined,
      Failure | ProjectionError
    > {
      yield* snapshot.query("set transaction isolation level repeatable read, read only")
      const live = yield* registry.load(build.name, snapshot)
      if (!isOfLog(live)) return undefined
      yield* secondSession(parts, build.name, snapshot)
      if (filler !== undefined) {
        if (live.position < build.position) return undefined
        yield* filler.fill(live.position)
      }
      const tables = yield* compare(snapshot, live)
      const { position, hash } = live
      return { position, sameDefinition: hash === build.blueprint.hash, tables }
    })
  )
}

export const isAlike = ({ tables }: Verification): boolean =>
  tables.every((table) => table.different + table.onlyLive + table.onlyRebuilt === 0)

/** Where the same definition filled both, they must be alike; fails with RebuildDiffers. */
export const judge = (
  build: Build,
  verified: Verification,
  isKept: boolean
): Effect.Effect<void, ProjectionError> => {
  if (!verified.sameDefinition || isAlike(verified)) return Effect.void
  const { tables, position } = verified
  const sum = (of: "different" | "onlyLive" | "onlyRebuilt"): number =>
    tables.reduce((total, table) => total + table[of], 0)
  return Effect.fail(
    projectionError(
      new RebuildDiffers({
        projection: build.name,
        position,
        different: sum("different"),
        onlyLive: sum("onlyLive"),
        onlyRebuilt: sum("onlyRebuilt"),
        examples: tables.flatMap(({ relation, examples }) =>
          examples.map(({ key, how }) => `${relation} ${key} (${how})`)
        ),
        kept: isKept ? build.generation.tables : []
      })
    )
  )
}
