import { Effect, Schema } from "effect"
import { query } from "../../src/projection/operation.ts"
import { Selection } from "../metrics/selection.ts"

const READ = "metrics:read"

/** How far back a summary looks, in hours. */
const DEFAULT_HOURS = 24

/** How many rows a summary has. */
const DEFAULT_LIMIT = 10_000
const MAX_LIMIT = 100_000

/** By how much a quantile may be off, as a part of the exact one: the bins of sketches are made for it. */
export const RELATIVE_ERROR = 0.02

/** The measurements of an agent and a metric, in a bucket of time or in all of the time that was asked for. */
export const Summary = Schema.Struct({
  agent: Schema.String,
  name: Schema.String,
  /** When the minute or hour began; null where all of the time is one. */
  bucket: Schema.NullOr(Schema.Date),
  count: Schema.Int,
  avg: Schema.Finite,
  min: Schema.Finite,
  max: Schema.Finite,
  /** The measurement that half of all, 95 % or 99 % are no greater than, within 2 %. */
  p50: Schema.Finite,
  p95: Schema.Finite,
  p99: Schema.Finite
})
export type Summary = typeof Summary.Type

/** A row as the database gives it: an average as a decimal, since it may be nearer to zero than doubles of the server's. */
type Row = Omit<Summary, "avg"> & { readonly avg: string }

export const summary = query({
  name: "metrics.summary",
  description:
    "Number, average, least, greatest and quantiles (p50, p95, p99) of measurements per agent and metric, in the last 24 hours or so many: together, or by the minute or hour. The first minute is whole, and quantiles are within 2 %, while all else is exact. Has 10 000 rows at most, or as many as `limit` says, in the order of agent, metric and time.",
  scope: READ,
  input: Schema.Struct({
    ...Selection,
    bucket: Schema.optionalKey(Schema.Literals(["minute", "hour"])),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT })))
  }),
  output: Schema.Array(Summary),
  example: { agent: "billing-7", bucket: "hour" },
  run: (given, context) => {
    const { agent = null, name = null, hours = DEFAULT_HOURS, bucket = null, limit = DEFAULT_LIMIT } = given
    const values = [agent, name, hours, bucket, limit]
    return Effect.map(
      context.query<Row>("#projections/metric-rollups/summary.sql", values, { planned: "anew" }),
      (rows) => rows.map((row) => ({ ...row, avg: Number(row.avg) }))
    )
  }
})
