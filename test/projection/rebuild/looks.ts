import { expect } from "vitest"
import type { SceneDatabase } from "../scene.ts"

// What the tests of rebuilds look at.

type Database = Pick<SceneDatabase, "query">

export const rowsOf = (db: Database, table: string) => db.query(`select * from tidemark.${table} order by 1`)

export const generationsOf = (db: Database, name: string) =>
  db.query<{ generation: number; state: string }>(
    "select generation, state from tidemark.generations where projection = $1 order by generation",
    [name]
  )

/** The physical tables of a relation that are there. */
export const tablesOf = async (db: Database, relation: string): Promise<ReadonlyArray<string>> => {
  const rows = await db.query<{ relname: string }>(
    "select relname from pg_class where relkind = 'r' and relname like $1 order by relname",
    [`${relation}\\_\\_%`]
  )
  return rows.map(({ relname }) => relname)
}

/** Only the first generation is there, and live. */
export const untouched = async (db: Database, name: string): Promise<void> => {
  expect(await generationsOf(db, name)).toEqual([{ generation: 1, state: "live" }])
  expect(await tablesOf(db, name)).toEqual([`${name}__1`])
}
