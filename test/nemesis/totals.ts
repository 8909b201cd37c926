import { entities, eventType, projection, rows } from "../../src/index.ts"
import { Schema } from "effect"

// The read models that a fleet folds while it is under attack: one by rows, one by entities.

export const Happened = eventType("happened", Schema.Struct({ content: Schema.String }))

type TotalRow = {
  readonly stream: string
  readonly events: number
  readonly last: number
  readonly sum: string
}

/** A row for each event. Nothing in its table keeps one from being folded twice. */
export const folded = projection({
  name: "folded",
  version: 1,
  events: [Happened],
  tables: { text: 'create table :"folded" (position bigint, stream text, version bigint)' },
  relations: ["folded"],
  model: rows({ text: 'insert into :"folded" select position, stream, version from :batch' }),
  operations: {}
})

/** A row for each stream. */
export const totals = projection({
  name: "totals",
  version: 1,
  events: [Happened],
  tables: {
    text: 'create table :"totals" (stream text primary key, events integer, last integer, sum bigint)'
  },
  relations: ["totals"],
  model: entities<TotalRow>({
    table: "totals",
    key: "stream",
    keyOf: ({ stream }) => stream,
    fold: (row, { stream, version, position }) => ({
      stream,
      events: (row?.events ?? 0) + 1,
      last: version,
      sum: String(BigInt(row?.sum ?? 0) + BigInt(position))
    })
  }),
  operations: {}
})
