import { Effect } from "effect"
import { states } from "../../../projections/states/states.ts"
import type { Event } from "../../../src/index.ts"
import type { BatchesShape } from "../../../src/projection/definition.ts"
import { attempt } from "../../../src/projection/fold.ts"
import { inGeneration, readSql, type SqlSource } from "../../../src/projection/sql-source.ts"
import type { TestDatabase } from "../../support/database.ts"

const SCHEMA = "tidemark"

type Rows = ReadonlyArray<readonly [table: string, rows: ReadonlyArray<string>]>

/** All rows of the tables of states, in order. */
const rowsOf = (db: TestDatabase, nameOf: (relation: string) => string): Promise<Rows> =>
  Promise.all(
    states.relations.map(async (relation) => {
      const rows = await db.query<{ row: string }>(
        `select to_jsonb(one)::text as row from ${nameOf(relation)} one order by 1`
      )
      return [relation, rows.map(({ row }) => row)] as const
    })
  )

/** What the log was folded to as it came. */
export const liveRows = (db: TestDatabase): Promise<Rows> => rowsOf(db, (relation) => `${SCHEMA}.${relation}`)

/** What events come to in tables of their own, folded in batches of these sizes, over and over. */
export const rowsFoldedBy = async (
  db: TestDatabase,
  events: ReadonlyArray<Event>,
  home: string,
  sizes: ReadonlyArray<number>
): Promise<Rows> => {
  const set = (sql: SqlSource) => inGeneration(readSql(sql), SCHEMA, states.relations, 1, home)
  const tables = [states.tables].flat() as ReadonlyArray<SqlSource>
  await db.query(`create schema ${home}; ${tables.map(set).join("\n")}`)
  const query = <Row>(sql: SqlSource, params: ReadonlyArray<unknown>) =>
    Effect.promise(() => db.query(set(sql), params)) as Effect.Effect<ReadonlyArray<Row>>
  const types = new Set(states.events.map(({ type }) => type))
  const own = events.filter(({ type }) => types.has(type))
  const model = states.model as BatchesShape
  for (let at = 0, nth = 0; at < own.length; nth += 1) {
    const size = sizes[nth % sizes.length]!
    await Effect.runPromise(model.fold(own.slice(at, at + size), { query, attempt }))
    at += size
  }
  const rows = await rowsOf(db, (relation) => `${home}.${relation}__1`)
  await db.query(`drop schema ${home} cascade`)
  return rows
}
