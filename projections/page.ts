import { Schema } from "effect"

const MAX_LIMIT = 1_000

/** How many rows a page has, unless its caller says. */
export const DEFAULT_LIMIT = 100

/** A page of rows, the newest first: 100 unless `limit` says another number, those before the row whose `id` is given. */
export const Page = {
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))),
  before: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
}

/** A row as the database gives it, with its position, a bigint, as a number. */
export const numbered = <Row extends { readonly id: number }>(rows: ReadonlyArray<Row>): ReadonlyArray<Row> =>
  rows.map((row) => ({ ...row, id: Number(row.id) }))
