import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres, Queryable } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { Owner } from "../../fleet/post.ts"
import type { Blueprint } from "../blueprint.ts"
import { physicalName, qualified } from "../sql-source.ts"

/** A generation of a projection, as its row has it. */
export interface Recorded {
  readonly generation: number
  readonly version: number
  readonly hash: string
  /** Empty where it is older than the table of generations. */
  readonly relations: ReadonlyArray<string>
  readonly state: "building" | "live" | "kept"
  readonly position: number
  readonly build: string | null
  readonly changedAt: Date
  readonly ageMs: number
  /** Undefined where nobody who is alive builds it. */
  readonly builder: Owner | undefined
}

interface GenerationRow {
  readonly generation: number
  readonly version: number
  readonly definition_hash: string
  readonly relations: ReadonlyArray<string>
  readonly state: Recorded["state"]
  readonly position: string
  readonly build: string | null
  readonly changed_at: Date
  readonly engine: string | null
  readonly application: string
  readonly host: string
  readonly pid: number
  readonly age_ms: number
}

const recorded = (row: GenerationRow): Recorded => {
  const { engine, application, host, pid } = row
  return {
    generation: row.generation,
    version: row.version,
    hash: row.definition_hash,
    relations: row.relations,
    state: row.state,
    position: Number(row.position),
    build: row.build,
    changedAt: row.changed_at,
    ageMs: row.age_ms,
    builder: engine === null ? undefined : { engine, application, host, pid }
  }
}

/** What makes a generation new. */
export interface NewGeneration {
  readonly name: string
  readonly generation: number
  readonly blueprint: Blueprint
}

/** The number of the next one. */
export const nextNumber = (inUse: ReadonlyArray<number>): number => Math.max(0, ...inUse) + 1

/** The table of generations. */
export class Generations {
  private readonly schema: string

  constructor(postgres: Postgres["Service"]) {
    this.schema = postgres.schema
  }

  /** Those of a projection, the oldest first. */
  of(connection: Queryable, name: string): Effect.Effect<ReadonlyArray<Recorded>, PostgresError> {
    return Effect.map(
      connection.query<GenerationRow>(statement("load_generations", this.schema).text, [name]),
      ({ rows }) => rows.map(recorded)
    )
  }

  /** One that is being built; nobody reads it. */
  insertBuild(
    connection: Queryable,
    made: NewGeneration,
    build: string,
    owner: string
  ): Effect.Effect<void, PostgresError> {
    const { name, generation, blueprint } = made
    const { definition, hash } = blueprint
    const { text } = statement("insert_generation", this.schema)
    const values = [
      name,
      generation,
      definition.version,
      hash,
      definition.relations,
      "building",
      build,
      owner
    ]
    return Effect.asVoid(connection.query(text, values))
  }

  /** Makes a generation live or kept, up to a position. */
  set(
    connection: Queryable,
    name: string,
    one: Pick<Recorded, "generation" | "version" | "hash" | "relations">,
    state: "live" | "kept",
    position: number
  ): Effect.Effect<void, PostgresError> {
    const values = [name, one.generation, one.version, one.hash, one.relations, state, position]
    return Effect.asVoid(connection.query(statement("set_generation", this.schema).text, values))
  }

  /** Drops the tables of a generation and forgets it. */
  drop(
    connection: Queryable,
    name: string,
    generation: number,
    relations: ReadonlyArray<string>
  ): Effect.Effect<void, PostgresError> {
    const tables = relations.map((relation) => qualified(this.schema, physicalName(relation, generation)))
    const forget = connection.query(statement("delete_generation", this.schema).text, [name, generation])
    if (tables.length === 0) return Effect.asVoid(forget)
    return Effect.asVoid(
      Effect.andThen(forget, connection.query(`drop table if exists ${tables.join(", ")}`))
    )
  }
}
