import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { Rejected } from "../../postgres/error.ts"
import type { Queryable } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { quoted } from "../../postgres/identifier.ts"
import { SqlState } from "../../postgres/sqlstate.ts"
import type { Blueprint } from "../blueprint.ts"
import { InvalidDefinition, type ProjectionError, projectionError } from "../error.ts"
import { physicalName, qualified } from "../sql-source.ts"
import { ViewsInTheWay } from "./error.ts"

/** A public view, and the table that it is to show. */
interface Standing {
  readonly kind: string
  readonly options: ReadonlyArray<string>
  /** The table has the view's columns, and maybe more after them. */
  readonly replaceable: boolean
  readonly dependents: ReadonlyArray<string>
}

const standingOf = (
  connection: Queryable,
  schema: string,
  view: string,
  table: string
): Effect.Effect<Standing | undefined, PostgresError> =>
  Effect.map(
    connection.query<Standing>(statement("view_standing", schema).text, [view, table]),
    ({ rows }) => rows[0]
  )

/** What the views of one projection are to show. */
export interface Showing {
  readonly name: string
  readonly schema: string
  /** The relations whose views are there. */
  readonly shown: ReadonlyArray<string>
  readonly from: number
  readonly relations: ReadonlyArray<string>
  readonly to: number
}

const inTheWay = (projection: string, relation: string, dependents: ReadonlyArray<string>) =>
  projectionError(new ViewsInTheWay({ projection, relation, dependents }))

/** Whether the views could be replaced now; fails with ViewsInTheWay, or with InvalidDefinition where a name is taken. */
export const checkViews = Effect.fnUntraced(function* (
  connection: Queryable,
  schema: string,
  { definition: { name, relations } }: Blueprint,
  generation: number,
  shown: ReadonlyArray<string>
): Effect.fn.Return<void, PostgresError | ProjectionError> {
  for (const relation of relations) {
    const table = qualified(schema, physicalName(relation, generation))
    const found = yield* standingOf(connection, schema, qualified(schema, relation), table)
    if (found === undefined) continue
    if (!shown.includes(relation) || found.kind !== VIEW) {
      const problem = `${relation} is there already, and is not the view of one of its tables`
      return yield* projectionError(new InvalidDefinition({ projection: name, problem }))
    }
    if (!found.replaceable && found.dependents.length > 0)
      return yield* inTheWay(name, relation, found.dependents)
  }
  for (const relation of shown.filter((one) => !relations.includes(one))) {
    const found = yield* standingOf(connection, schema, qualified(schema, relation), "")
    if (found !== undefined && found.dependents.length > 0)
      return yield* inTheWay(name, relation, found.dependents)
  }
})

const VIEW = "v"

/** The statements that give a new relation what was done to an old one by hand. */
export const dressOf = (
  connection: Queryable,
  schema: string,
  from: string,
  to: string,
  called: string
): Effect.Effect<ReadonlyArray<string>, PostgresError> =>
  Effect.map(
    connection.query<{ statement: string }>(statement("relation_dress", schema).text, [from, to, called]),
    ({ rows }) => rows.map((row) => row.statement)
  )

/** Gives tables that are to go live the grants, row security and owner of those that are. */
export const dressTables = Effect.fnUntraced(function* (
  connection: Queryable,
  { schema, shown, from, relations, to }: Showing
) {
  for (const relation of relations.filter((one) => shown.includes(one))) {
    const old = qualified(schema, physicalName(relation, from))
    const next = qualified(schema, physicalName(relation, to))
    for (const text of yield* dressOf(connection, schema, old, next, next)) yield* connection.query(text)
  }
})

const replaceView = (connection: Queryable, schema: string, relation: string, table: string) => {
  const view = qualified(schema, relation)
  return Effect.gen(function* () {
    const found = yield* standingOf(connection, schema, view, table)
    const options =
      found === undefined || found.options.length === 0 ? "" : ` with (${found.options.join(", ")})`
    const shows = `${view}${options} as select * from ${table}`
    if (found === undefined || found.replaceable) {
      yield* connection.query(`create or replace view ${shows}`)
      return
    }
    // Made under another name first, so that what the old one has can be read off it.
    const made = qualified(schema, `${relation}__new`)
    yield* connection.query(`create view ${made}${options} as select * from ${table}`)
    const dress = yield* dressOf(connection, schema, view, made, view)
    yield* connection.query(`drop view ${view}`)
    yield* connection.query(`alter view ${made} rename to ${quoted(relation)}`)
    for (const text of dress) yield* connection.query(text)
  })
}

const dependentsIn = (error: PostgresError): ReadonlyArray<string> | undefined => {
  const { reason } = error
  if (!(reason instanceof Rejected) || reason.sqlState !== SqlState.dependentObjectsStillExist)
    return undefined
  return [(reason.data ?? reason.detail).replaceAll("\n", ", ")]
}

/** Has the views show the tables of another generation; those without one are made or dropped. */
export const replaceViews = Effect.fnUntraced(function* (
  connection: Queryable,
  { name, schema, shown, relations, to }: Showing
): Effect.fn.Return<void, PostgresError | ProjectionError> {
  const refused = (relation: string) =>
    Effect.catch((error: PostgresError): Effect.Effect<never, PostgresError | ProjectionError> => {
      const dependents = dependentsIn(error)
      return Effect.fail(dependents === undefined ? error : inTheWay(name, relation, dependents))
    })
  for (const relation of relations) {
    const table = qualified(schema, physicalName(relation, to))
    yield* refused(relation)(replaceView(connection, schema, relation, table))
  }
  for (const relation of shown.filter((one) => !relations.includes(one))) {
    yield* refused(relation)(connection.query(`drop view if exists ${qualified(schema, relation)}`))
  }
})
