import { Effect, Schema } from "effect"
import { NotAllowed, NotFound, projectionError } from "../../src/projection/error.ts"
import { command, type OperationContext, query } from "../../src/projection/operation.ts"
import { RuleName } from "../alert-rules/events.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { DEFAULT_LIMIT, numbered, Page } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { MAX_NAME_LENGTH, shortText } from "../short-text.ts"
import { asBadAs, Severity } from "../system-events/events.ts"
import { AlertAcknowledged, ClearedWhy } from "./events.ts"

const READ = "alerts:read"
const WRITE = "alerts:write"

const ACKNOWLEDGE = "alerts.acknowledge"

const MAX_NOTE_LENGTH = 2_000

const AlertStatus = Schema.Literals(["open", "cleared"])

/** An alert that was raised. */
export const Alert = Schema.Struct({
  alert: Schema.String,
  /** The position of the event that raised it. */
  id: Schema.Int,
  rule: Schema.String,
  /** Whom it concerns: an agent, a read model, or `fleet`. */
  subject: Schema.String,
  status: AlertStatus,
  severity: Severity,
  kind: Schema.String,
  /** What was found; null where that was beyond what can be told. */
  value: Schema.NullOr(Schema.Finite),
  threshold: Schema.Finite,
  /** Since when its condition had been met, as far as that was known. */
  since: Schema.Date,
  summary: Schema.String,
  ruleVersion: Schema.Int,
  raisedAt: Schema.Date,
  clearedAt: Schema.NullOr(Schema.Date),
  clearedWhy: Schema.NullOr(ClearedWhy),
  clearedValue: Schema.NullOr(Schema.Finite),
  /** In ms. */
  lastedMs: Schema.NullOr(Schema.Finite),
  acknowledgedAt: Schema.NullOr(Schema.Date),
  acknowledgedBy: Schema.NullOr(Schema.String),
  note: Schema.NullOr(Schema.String)
})
export type Alert = typeof Alert.Type

export const list = query({
  name: "alerts.list",
  description:
    "Alerts, the newest first: all, or those that are open or cleared, of a rule, of a subject, as bad as a severity or worse; what comes before an id is the next page.",
  scope: READ,
  input: Schema.Struct({
    status: Schema.optionalKey(AlertStatus),
    rule: Schema.optionalKey(RuleName),
    subject: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
    severity: Schema.optionalKey(Severity),
    ...Page
  }),
  output: Schema.Array(Alert),
  example: { status: "open", severity: "ERROR" },
  run: ({ status = null, rule = null, subject = null, severity, ...page }, context) => {
    const { limit = DEFAULT_LIMIT, before = null } = page
    const severities = severity === undefined ? null : asBadAs(severity)
    const values = [status, rule, severities, subject, before, limit]
    return Effect.map(
      context.query<Alert>("#projections/alerts/list.sql", values, { planned: "anew" }),
      numbered
    )
  }
})

interface Standing {
  readonly stream: string
  readonly subject: string
  readonly version: number
  readonly isCleared: boolean
  readonly isAcknowledged: boolean
}

/** How an alert stands that may be acknowledged. Fails with NotFound or NotAllowed. */
const open = Effect.fnUntraced(function* (alert: string, { query: ask }: OperationContext) {
  const [standing] = yield* ask<Standing>("#projections/alerts/standing.sql", [alert])
  if (standing === undefined) {
    const next = "take the alert of one that alerts.list gives"
    return yield* projectionError(
      new NotFound({ operation: ACKNOWLEDGE, thing: "alert", ids: [alert], next })
    )
  }
  const { isCleared, isAcknowledged } = standing
  if (!isCleared && !isAcknowledged) return standing
  const status = isCleared ? "cleared" : "acknowledged"
  return yield* projectionError(
    new NotAllowed({ operation: ACKNOWLEDGE, subject: `alert ${JSON.stringify(alert)}`, status, allowed: [] })
  )
})

export const acknowledge = command({
  name: ACKNOWLEDGE,
  description:
    "Records that somebody has seen an open alert; it stays open until its condition is over. NotFound where there is no such alert, NotAllowed where it is cleared or acknowledged.",
  scope: WRITE,
  input: Schema.Struct({
    alert: Schema.String.check(Schema.isUUID()),
    by: Schema.optionalKey(shortText(MAX_NAME_LENGTH)),
    note: Schema.optionalKey(shortText(MAX_NOTE_LENGTH))
  }),
  output: Recorded,
  example: { alert: "01890a5d-ac96-774b-bcce-b302099a8057", by: "ada", note: "looking into it" },
  run: ({ alert: given, by, ...note }, context) => {
    const alert = given.toLowerCase()
    const attempt = Effect.gen(function* () {
      const { stream, subject, version } = yield* open(alert, context)
      return yield* context.emit(stream, AlertAcknowledged.make({ alert, subject, ...note }), {
        expected: version,
        ...(by === undefined ? {} : { meta: { actor: by } })
      })
    })
    return Effect.map(whoeverIsFaster(attempt), recorded)
  }
})
