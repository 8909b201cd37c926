import { Effect } from "effect"
import { type InvalidData, PostgresError, type Rejected, type UniqueViolation } from "../postgres/error.ts"
import type { Connection, Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import type { Blueprint } from "./blueprint.ts"
import { DefinitionChanged, InvalidDefinition, type ProjectionError, projectionError } from "./error.ts"
import { Generation } from "./generation.ts"
import { Generations, nextNumber } from "./rebuild/generations.ts"
import type { Registered, Registry } from "./registry.ts"

/** What the server refuses about a definition itself, as against being unable to do anything now. */
const isAboutDefinition = (
  error: unknown
): error is PostgresError & { readonly reason: Rejected | InvalidData | UniqueViolation } =>
  error instanceof PostgresError &&
  (error.reason._tag === "Rejected" ||
    error.reason._tag === "InvalidData" ||
    error.reason._tag === "UniqueViolation")

/** What the server refuses about a definition, as the definition's fault. */
export const asDefinitionError = <A, E extends { readonly _tag: string }>(
  projection: string,
  making: Effect.Effect<A, E>
): Effect.Effect<A, E | ProjectionError> =>
  Effect.mapError(making, (error) =>
    isAboutDefinition(error)
      ? projectionError(new InvalidDefinition({ projection, problem: error.reason.detail }))
      : error
  )

/** Whether tables that are there were filled by this definition. */
export const checkSame = (
  { definition: { name, version }, hash }: Blueprint,
  found: Registered
): Effect.Effect<void, ProjectionError> =>
  found.hash === hash
    ? Effect.void
    : Effect.fail(
        projectionError(new DefinitionChanged({ projection: name, found: found.version, given: version }))
      )

/** Why a projection's row is none to go on from, or undefined. */
export const rowProblem = (
  row: Registered | undefined,
  { hash, definition }: Blueprint
): string | undefined => {
  if (row === undefined) return "it is not in the table of projections any more"
  if (row.hash !== hash)
    return `its tables are filled by another definition now (version ${row.version}, this is version ${definition.version})`
  if (row.position > row.head)
    return `its tables are at position ${row.position} and the log ends at ${row.head}: the log was rewound under it, and the tables have to be rebuilt`
  return undefined
}

export const declareTelemetry = (
  connection: Connection,
  schema: string,
  categories: ReadonlyArray<string>
): Effect.Effect<void, PostgresError> => {
  const { text } = statement("declare_category", schema)
  return Effect.forEach(categories, (category) => connection.query(text, [category, true]), { discard: true })
}

/**
 * Makes a projection's first generation where it has none, and checks that its tables are of this definition where it has.
 * Several processes may do it at once. Fails with InvalidDefinition or DefinitionChanged; then nothing was made.
 */
export const register = (
  postgres: Postgres["Service"],
  registry: Registry,
  blueprint: Blueprint,
  mayWrite: boolean
): Effect.Effect<void, ProjectionError | PostgresError> => {
  const { name, version, relations, telemetry = [] } = blueprint.definition
  const { schema } = postgres
  const generations = new Generations(postgres)

  const make = Effect.fnUntraced(function* (connection: Connection) {
    yield* connection.query(statement("lock_projections", schema).text, [schema])
    const found = yield* registry.load(name, connection)
    if (found !== undefined) return yield* checkSame(blueprint, found)
    // Somebody may be building it from the log already.
    const number = nextNumber((yield* generations.of(connection, name)).map((one) => one.generation))
    const generation = new Generation(blueprint, number, schema)
    yield* declareTelemetry(connection, schema, telemetry)
    yield* generation.create(connection)
    yield* generation.publish(connection)
    yield* generation.check(connection)
    yield* registry.insert(connection, name, version, blueprint.hash, number)
    yield* generations.set(
      connection,
      name,
      { generation: number, version, hash: blueprint.hash, relations },
      "live",
      0
    )
  })

  /** Its first generation may be older than the table of generations. */
  const nameRelations = mayWrite
    ? Effect.ignore(
        postgres.query(statement("name_relations", schema).text, [name, blueprint.hash, relations])
      )
    : Effect.void

  const notThere = projectionError(
    new InvalidDefinition({
      projection: name,
      problem: "its tables are not there, and this role may not make them: open the log once as its owner"
    })
  )

  return asDefinitionError(
    name,
    Effect.flatMap(registry.load(name), (found): Effect.Effect<void, ProjectionError | PostgresError> => {
      if (found !== undefined) return Effect.andThen(checkSame(blueprint, found), nameRelations)
      return mayWrite ? postgres.transaction(make) : Effect.fail(notThere)
    })
  )
}
