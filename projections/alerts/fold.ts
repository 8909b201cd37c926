import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { textIn } from "../agents/fields.ts"
import { said } from "../said.ts"
import { ALERT, AlertAcknowledged, AlertCleared, AlertRaised } from "./events.ts"

/** A row of `alerts`. A bigint and a float8 may be text where they come from the database. */
export type AlertRow = {
  readonly alert_id: string
  readonly id: number | string
  readonly rule: string
  readonly subject: string
  readonly status: "open" | "cleared"
  readonly severity: string
  readonly kind: string
  readonly value: number | string | null
  readonly threshold: number | string
  readonly since: Date
  readonly summary: string
  readonly rule_version: number | string
  readonly raised_at: Date
  readonly cleared_at: Date | null
  readonly cleared_why: string | null
  readonly cleared_value: number | string | null
  readonly lasted_ms: number | string | null
  readonly acknowledged_at: Date | null
  readonly acknowledged_by: string | null
  readonly note: string | null
  readonly recorded_at: Date
}

const raised = (event: Event): AlertRow | undefined => {
  const found = said(AlertRaised, event)
  if (found === undefined) return undefined
  return {
    alert_id: event.id,
    id: event.position,
    rule: idOf(event.stream),
    subject: found.subject,
    status: "open",
    severity: found.severity,
    kind: found.kind,
    value: found.value,
    threshold: found.threshold,
    since: new Date(found.since),
    summary: found.summary,
    rule_version: found.ruleVersion,
    raised_at: event.recordedAt,
    cleared_at: null,
    cleared_why: null,
    cleared_value: null,
    lasted_ms: null,
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
    recorded_at: event.recordedAt
  }
}

/** An alert after an event. Once it is cleared it stays as it is; who acknowledged it first has. */
export const foldAlert = (row: AlertRow | undefined, event: Event): AlertRow | undefined => {
  if (row === undefined) return raised(event)
  if (row.status === "cleared" || idOf(event.stream) !== row.rule) return row
  const { recordedAt } = event
  const cleared = said(AlertCleared, event)
  if (cleared !== undefined)
    return {
      ...row,
      status: "cleared",
      cleared_at: recordedAt,
      cleared_why: cleared.why,
      cleared_value: cleared.value,
      lasted_ms: cleared.lastedMs,
      recorded_at: recordedAt
    }
  const acknowledged = said(AlertAcknowledged, event)
  if (acknowledged === undefined || row.acknowledged_at !== null) return row
  const { actor } = event.meta
  return {
    ...row,
    acknowledged_at: recordedAt,
    acknowledged_by: typeof actor === "string" ? actor : null,
    note: acknowledged.note ?? null,
    recorded_at: recordedAt
  }
}

/** The alert that an event is about: that which it raises has its id. */
const alertOf = (event: Event): string | undefined => {
  if (categoryOf(event.stream) !== ALERT) return undefined
  return AlertRaised.is(event) ? event.id : textIn(event.data, "alert")
}

export const alertEntities = entities<AlertRow>({
  table: "alerts",
  key: "alert_id",
  keyOf: alertOf,
  fold: foldAlert
})
