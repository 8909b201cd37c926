import { Effect } from "effect"
import { uuid } from "../../base/uuid.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { Blueprint } from "../blueprint.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import { Generation } from "../generation.ts"
import { asDefinitionError, declareTelemetry } from "../register.ts"
import type { Registered } from "../registry.ts"
import { Build, type RebuildParts } from "./build.ts"
import { logEpoch } from "./epoch.ts"
import { OlderDefinition, RebuildUnderWay } from "./error.ts"
import { nextNumber, type Recorded } from "./generations.ts"
import type { Pace } from "./pace.ts"
import { checkViews } from "./views.ts"

/** How long it waits for another that makes or swaps tables, or for what a dead one left under way, in ms. */
const BEGIN_LOCK_MS = 3_000

/** What a rebuild begins from. */
export interface Begun {
  readonly build: Build
  /** The projection as it was then; undefined where it is new. */
  readonly live: Registered | undefined
  /** Which log, in which of its epochs, it is built from. */
  readonly epoch: string
}

/** An older definition replaces a newer one only on purpose. */
export const checkVersion = (
  { definition: { name, version } }: Blueprint,
  live: Registered | undefined,
  force: boolean
): Effect.Effect<void, ProjectionError> =>
  live === undefined || force || version >= live.version
    ? Effect.void
    : Effect.fail(
        projectionError(new OlderDefinition({ projection: name, found: live.version, given: version }))
      )

const underWay = (name: string, { builder, ageMs }: Recorded): ProjectionError =>
  projectionError(
    new RebuildUnderWay({
      projection: name,
      application: builder!.application,
      host: builder!.host,
      pid: builder!.pid,
      sinceMs: ageMs
    })
  )

/** The relations that the live generation has; those of the blueprint where that is not known. */
export const relationsOfLive = (
  generations: ReadonlyArray<Recorded>,
  { definition }: Blueprint
): ReadonlyArray<string> => {
  const known = generations.find(({ state }) => state === "live")?.relations ?? []
  return known.length === 0 ? definition.relations : known
}

/** Drops what rebuilds that are no more have left; fails where one is under way. */
const sweep = Effect.fnUntraced(function* (
  { generations, fleet, active }: RebuildParts,
  connection: Connection,
  name: string,
  found: ReadonlyArray<Recorded>
) {
  for (const one of found.filter(({ state }) => state === "building")) {
    // This engine lives, and its try may all the same be one that it could not clean up after.
    const isOver = one.builder?.engine === fleet.engine && !active.has(one.build ?? "")
    if (one.builder !== undefined && !isOver) return yield* underWay(name, one)
    yield* generations.drop(connection, name, one.generation, one.relations)
  }
})

/**
 * Makes the tables of the next generation, owned by this engine, which must be known to the fleet as alive. Fails with
 * RebuildUnderWay, OlderDefinition, ViewsInTheWay or InvalidDefinition; then nothing was made.
 */
export const begin = (
  parts: RebuildParts,
  blueprint: Blueprint,
  force: boolean,
  pace: Pace
): Effect.Effect<Begun, ProjectionError | PostgresError> => {
  const { postgres, registry, generations, fleet } = parts
  const { schema } = postgres
  const { name, telemetry = [] } = blueprint.definition
  const id = uuid()

  const make = Effect.fnUntraced(function* (connection: Connection) {
    yield* connection.query(`set local lock_timeout = ${BEGIN_LOCK_MS}`)
    yield* connection.query(statement("lock_projections", schema).text, [schema])
    const live = yield* registry.load(name, connection)
    const found = yield* generations.of(connection, name)
    yield* checkVersion(blueprint, live, force)
    yield* sweep(parts, connection, name, found)
    const inUse = found.filter(({ state }) => state !== "building").map(({ generation }) => generation)
    const number = nextNumber([live?.generation ?? 0, ...inUse])
    const generation = new Generation(blueprint, number, schema)
    yield* declareTelemetry(connection, schema, telemetry)
    yield* generation.create(connection)
    yield* generation.check(connection)
    const shown = live === undefined ? [] : relationsOfLive(found, blueprint)
    yield* checkViews(connection, schema, blueprint, number, shown)
    yield* generations.insertBuild(connection, { name, generation: number, blueprint }, id, fleet.engine)
    const epoch = yield* logEpoch(postgres, connection)
    return { live, generation, epoch, fold: yield* generation.fold(connection) }
  })

  // Before anybody can see it: another call of this engine must not take it for left behind.
  const noted = Effect.sync(() => parts.active.add(id))
  return Effect.andThen(noted, asDefinitionError(name, postgres.transaction(make))).pipe(
    Effect.map(({ live, generation, epoch, fold }) => ({
      live,
      epoch,
      build: new Build(parts, generation, id, fold, pace)
    })),
    Effect.onError(() => Effect.sync(() => parts.active.delete(id)))
  )
}
