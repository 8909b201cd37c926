import { Effect } from "effect"
import { EventLog } from "../../src/log/event-log.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { Projections } from "../../src/projection/projections.ts"
import { standings } from "../../src/projection/standing.ts"
import type { Condition, ConditionOf } from "../alert-rules/condition.ts"
import { type Ask, asking } from "../asking.ts"
import {
  type ErrorsRow,
  type EventsRow,
  type Finding,
  type JudgedRule,
  type MetricRow,
  type MissedRow,
  ofErrorRate,
  ofLag,
  ofMetric,
  ofMissedBeats,
  ofSystemEvent
} from "./finding.ts"

/** After so many minutes without a measurement nothing is known of a metric, where its rule does not ask for more. */
const FRESH_MINUTES = 5

type Found = Effect.Effect<ReadonlyArray<Finding>, PostgresError>

type Kind = Condition["kind"]

type RuleOf<K extends Kind> = JudgedRule<ConditionOf<K>>

/** What rules of each kind find; all of a kind in one statement. */
type Looks = { readonly [K in Kind]: (rules: ReadonlyArray<RuleOf<K>>) => Found }

/** Hands each row to what its rule makes of it. */
const finding = <K extends Kind, Row>(
  ask: Ask<Row & { readonly rule: string }>,
  made: (rule: RuleOf<K>, row: Row) => Finding,
  ...values: ReadonlyArray<unknown>
) => {
  return (rules: ReadonlyArray<RuleOf<K>>): Found => {
    const byName = new Map(rules.map((rule) => [rule.rule, rule]))
    return Effect.map(ask(JSON.stringify(rules), ...values), (rows) =>
      rows.map((row) => made(byName.get(row.rule)!, row))
    )
  }
}

/** How far the read models of the fleet are behind, by the rules that ask for them. */
const lagging = Effect.gen(function* () {
  const postgres = yield* Postgres
  const log = yield* EventLog
  const projections = yield* Projections
  return Effect.fnUntraced(function* (rules: ReadonlyArray<RuleOf<"projection_lag">>) {
    const definitions = projections.definitions()
    const isAsked = (name: string): boolean =>
      rules.some(({ condition: { projection = name } }) => projection === name)
    const all = yield* standings(
      postgres,
      projections.status().filter(({ name }) => isAsked(name)),
      (name) => definitions.get(name)!.events.map(({ type }) => type),
      yield* log.settled
    )
    return rules.flatMap((rule) => {
      const { projection } = rule.condition
      return all
        .filter(({ name }) => projection === undefined || projection === name)
        .map((standing) => ofLag(rule, standing))
    })
  })
})

const looks = Effect.gen(function* () {
  const ask = asking(yield* Postgres)
  type Of<Row> = Row & { readonly rule: string }
  const all: Looks = {
    metric: finding(ask<Of<MetricRow>>("#projections/alerts/metric.sql"), ofMetric, FRESH_MINUTES),
    missed_beats: finding(ask<Of<MissedRow>>("#projections/alerts/missed-beats.sql"), ofMissedBeats),
    error_rate: finding(ask<Of<ErrorsRow>>("#projections/alerts/error-rate.sql"), ofErrorRate),
    system_event: finding(ask<Of<EventsRow>>("#projections/alerts/system-event.sql"), ofSystemEvent),
    projection_lag: yield* lagging
  }
  return all
})

const isOf =
  <K extends Kind>(kind: K) =>
  (rule: JudgedRule): rule is RuleOf<K> =>
    rule.condition.kind === kind

/** What rules find; nothing is asked for kinds that no rule is of. */
export const findings = Effect.map(looks, (all) => {
  const found = <K extends Kind>(kind: K, rules: ReadonlyArray<JudgedRule>): Found => {
    const own = rules.filter(isOf(kind))
    return own.length === 0 ? Effect.succeed([]) : all[kind](own)
  }
  return (rules: ReadonlyArray<JudgedRule>): Found =>
    Effect.map(
      Effect.forEach(Object.keys(all) as ReadonlyArray<Kind>, (kind) => found(kind, rules)),
      (each) => each.flat()
    )
})
