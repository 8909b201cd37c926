import { Effect, Schema } from "effect"
import type { NewEvent } from "../../src/log/event.ts"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { numbered } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { MetricRecorded, metricStream } from "./events.ts"
import { MetricName, Selection } from "./selection.ts"

const READ = "metrics:read"
const WRITE = "metrics:write"

/** How far back a list looks, in hours. */
const LIST_HOURS = 1

const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000

/** How many measurements one call takes; each is an event. */
const MAX_MEASUREMENTS = 10_000

const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MAX_LIMIT }))

const Measurement = Schema.Struct({
  agent: AgentId,
  name: MetricName,
  value: Schema.Finite,
  unit: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  occurredAt: Schema.optionalKey(GivenMoment)
})
type Measurement = typeof Measurement.Type

export const Metric = Schema.Struct({
  /** Its position in the log. */
  id: Schema.Int,
  agent: Schema.String,
  name: Schema.String,
  value: Schema.NullOr(Schema.Finite),
  unit: Schema.NullOr(Schema.String),
  timestamp: Schema.Date,
  metadata: Schema.Json,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Metric = typeof Metric.Type

/** The measurements as events, those of each agent in the order given. */
const eventsByAgent = (measurements: ReadonlyArray<Measurement>): ReadonlyMap<string, Array<NewEvent>> => {
  const groups = new Map<string, Array<NewEvent>>()
  for (const { agent, occurredAt, ...measurement } of measurements) {
    const event = MetricRecorded.make(measurement, happened(occurredAt))
    const group = groups.get(agent)
    if (group === undefined) groups.set(agent, [event])
    else group.push(event)
  }
  return groups
}

export const record = command({
  name: "metrics.record",
  description: "Records one measurement or several, of one agent or several: all or none.",
  scope: WRITE,
  input: Schema.Union([
    Measurement,
    Schema.NonEmptyArray(Measurement).check(Schema.isMaxLength(MAX_MEASUREMENTS))
  ]),
  output: Recorded,
  example: { agent: "billing-7", name: "latency", value: 12.5, unit: "ms" },
  run: (given, { emitAll }) => {
    const groups = eventsByAgent("agent" in given ? [given] : given)
    const parts = [...groups].map(([agent, events]) => ({ stream: metricStream(agent), events }))
    return Effect.map(emitAll(parts), (all) =>
      recorded(all.reduce((last, one) => (one.position > last.position ? one : last)))
    )
  }
})

export const list = query({
  name: "metrics.list",
  description:
    "The latest measurements, newest first: of all agents and metrics or some, in the last hour or so many.",
  scope: READ,
  input: Schema.Struct({ ...Selection, limit: Schema.optionalKey(Limit) }),
  output: Schema.Array(Metric),
  example: { agent: "billing-7", name: "latency", hours: 2 },
  run: ({ agent = null, name = null, hours = LIST_HOURS, limit = DEFAULT_LIMIT }, context) =>
    Effect.map(
      context.query<Metric>("#projections/metrics/list.sql", [agent, name, hours, limit], {
        planned: "anew"
      }),
      numbered
    )
})
