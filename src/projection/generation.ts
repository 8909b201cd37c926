import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Queryable } from "../postgres/postgres.ts"
import { quoted } from "../postgres/identifier.ts"
import { statement, withSchema } from "../postgres/sql-file.ts"
import { batchesFold } from "./batches-fold.ts"
import type { Blueprint } from "./blueprint.ts"
import type { EntitiesShape } from "./definition.ts"
import { entitiesFold, type EntityStatements, entityStatements } from "./entities-fold.ts"
import { InvalidDefinition, type ProjectionError, projectionError } from "./error.ts"
import type { Fold } from "./fold.ts"
import { liveRowsSql, type Retiring, rowsFold } from "./rows-fold.ts"
import { type Explained, relationsOf } from "./sql-purity.ts"
import { inGeneration, overBatch, physicalName, qualified } from "./sql-source.ts"

/** What the SQL of views calls the schema of the relations, which is that of the log but where a what-if tries them. */
const HOME = ':"home"'

export interface EntityTable {
  readonly columns: ReadonlyArray<string>
  readonly statements: EntityStatements
}

/** The tables of one generation of a projection, in the schema of a log, or in another of the same database. */
export class Generation {
  readonly blueprint: Blueprint
  readonly number: number
  private readonly schema: string
  /** Where its tables and views are. */
  private readonly home: string

  constructor(blueprint: Blueprint, number: number, schema: string, home = schema) {
    this.blueprint = blueprint
    this.number = number
    this.schema = schema
    this.home = home
  }

  private get relations(): ReadonlyArray<string> {
    return this.blueprint.definition.relations
  }

  private set(sql: string): string {
    return inGeneration(sql, this.schema, this.relations, this.number, this.home)
  }

  /** Makes the tables. */
  create(connection: Queryable): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(connection.query(this.set(this.blueprint.tables)))
  }

  /** Makes the public views of this generation, where there are none yet. */
  publish(connection: Queryable): Effect.Effect<void, PostgresError> {
    const relations = Effect.forEach(
      this.relations,
      (relation) => {
        const view = qualified(this.home, relation)
        return connection.query(`create view ${view} as select * from ${this.table(relation)}`)
      },
      { discard: true }
    )
    return Effect.andThen(relations, this.publishViews(connection))
  }

  /** Makes what stands on the public views. */
  publishViews(connection: Queryable): Effect.Effect<void, PostgresError> {
    const { views } = this.blueprint
    if (views === "") return Effect.void
    const text = withSchema(views, this.schema).replaceAll(HOME, () => quoted(this.home))
    return Effect.asVoid(connection.query(text))
  }

  /** The fold of rows over the events that a query gives. */
  rowsOver(batch: string): string {
    return overBatch(this.set(this.blueprint.fold), batch)
  }

  /** What deletes rows that are over; undefined where none is. */
  get retirement(): Retiring | undefined {
    const { model } = this.blueprint.definition
    if (model.shape !== "rows" || model.retirement === undefined) return undefined
    return { of: model.retirement.of, text: this.set(this.blueprint.retirement) }
  }

  /** Its tables, as SQL takes them whatever the search path. */
  get tables(): ReadonlyArray<string> {
    return this.relations.map((relation) => this.table(relation))
  }

  table(relation: string): string {
    return qualified(this.home, physicalName(relation, this.number))
  }

  /** The fold into these tables. */
  fold(connection: Queryable): Effect.Effect<Fold, PostgresError> {
    const { model } = this.blueprint.definition
    if (model.shape === "rows")
      return Effect.succeed(rowsFold(this.set(this.blueprint.fold), this.schema, this.retirement))
    if (model.shape === "batches")
      return Effect.succeed(batchesFold(model, this.schema, (sql) => this.set(sql)))
    return Effect.map(this.entities(connection, model), ({ columns, statements }) =>
      entitiesFold(model, columns, statements)
    )
  }

  /** Has the server plan what the fold will do, so that a mistake is found before the first event; nothing is executed. */
  check(connection: Queryable): Effect.Effect<void, PostgresError | ProjectionError> {
    const { model } = this.blueprint.definition
    if (model.shape === "batches") return Effect.void
    if (model.shape === "rows") {
      const sql = liveRowsSql(this.set(this.blueprint.fold), this.schema)
      const { retirement } = this
      return Effect.gen({ self: this }, function* () {
        yield* this.checkReach(connection, sql, "[]")
        yield* this.checkCalls(connection, sql)
        if (retirement !== undefined) yield* this.checkReach(connection, retirement.text, 0)
      })
    }
    return Effect.gen({ self: this }, function* () {
      const { statements } = yield* this.entities(connection, model)
      yield* this.checkReach(connection, statements.load.text, [])
      yield* this.checkReach(connection, statements.save.text, "[]")
      yield* this.checkReach(connection, statements.remove.text, [])
    })
  }

  /** The columns of the table of entities, and the statements that load and keep its rows. */
  entities(connection: Queryable, model: EntitiesShape): Effect.Effect<EntityTable, PostgresError> {
    const table = physicalName(model.table, this.number)
    const { text } = statement("table_columns", this.schema)
    return Effect.map(connection.query<{ name: string }>(text, [qualified(this.home, table)]), ({ rows }) => {
      const columns = rows.map((row) => row.name)
      return { columns, statements: entityStatements(this.home, table, model.key, columns) }
    })
  }

  /** What a fold calls is written down where a function is made of it: built-ins are not, since nobody can drop them. */
  private checkCalls(
    connection: Queryable,
    sql: string
  ): Effect.Effect<void, PostgresError | ProjectionError> {
    const { name } = this.blueprint.definition
    const probe = `${qualified(this.home, physicalName(name, this.number))}(jsonb)`
    return Effect.gen({ self: this }, function* () {
      const making = statement("probe_fold", this.schema).text.replace(/:(probe|fold)\b/g, (_, part) => {
        return part === "probe" ? probe : sql
      })
      yield* connection.query(making)
      const { text } = statement("fold_functions", this.schema)
      const { rows } = yield* connection.query<{ name: string }>(text, [probe, quoted(this.schema)])
      yield* connection.query(`drop function ${probe}`)
      const [called] = rows
      if (called === undefined) return
      const problem = `its fold calls ${called.name}, and a fold may call what is immutable only, so that folding the log again gives the same rows: declare the function so if it looks at nothing but its arguments`
      return yield* projectionError(new InvalidDefinition({ projection: name, problem }))
    })
  }

  private checkReach(
    connection: Queryable,
    sql: string,
    batch: unknown
  ): Effect.Effect<void, PostgresError | ProjectionError> {
    const own = new Set(this.relations.map((relation) => physicalName(relation, this.number)))
    return Effect.flatMap(
      connection.query<Explained>(`explain (format json) ${sql}`, [batch]),
      ({ rows }) => {
        const foreign = relationsOf(rows[0]!["QUERY PLAN"][0]!.Plan).find((relation) => !own.has(relation))
        if (foreign === undefined) return Effect.void
        const problem = `its fold uses the relation ${foreign}, and a fold may use its own tables and :batch only, so that folding the log again gives the same rows`
        return Effect.fail(
          projectionError(new InvalidDefinition({ projection: this.blueprint.definition.name, problem }))
        )
      }
    )
  }
}
