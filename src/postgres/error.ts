import { Schema } from "effect"
import { clause } from "../base/clause.ts"
import { ConnectionError, TlsRefused, TlsUnverified } from "./connection-error.ts"
import { OwnSqlState, SqlState, SqlStateClass } from "./sqlstate.ts"

const facts = { detail: Schema.String, sqlState: Schema.optionalKey(Schema.String) }

/** No connection could be made. Nothing was sent. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", facts) {
  override get message(): string {
    return `PostgreSQL cannot be reached: ${clause(this.detail)}. Check that the server runs and that the address is right.`
  }
}

/** The server is there and refuses more connections, starts up or shuts down. Nothing was sent. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", facts) {
  override get message(): string {
    return `PostgreSQL takes no connection now: ${clause(this.detail)}. Try again; if it lasts, raise max_connections or use fewer clients.`
  }
}

/**
 * The connection broke, or no answer came in time, after something was sent: it may have been done. Not so in a transaction of
 * which COMMIT was not sent yet: then `nothingKept` is true.
 */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>()("ConnectionLost", {
  ...facts,
  nothingKept: Schema.optionalKey(Schema.Boolean)
}) {
  override get message(): string {
    const outcome =
      this.nothingKept === true
        ? "COMMIT was not sent, so nothing of the transaction was kept: run it again."
        : "What was under way may have been done: look before trying again."
    return `The connection to PostgreSQL was lost: ${clause(this.detail)}. ${outcome}`
  }
}

/** Signing in, or a right, was refused. */
export class AccessDenied extends Schema.TaggedError<AccessDenied>()("AccessDenied", facts) {
  override get message(): string {
    return `PostgreSQL refused access: ${clause(this.detail)}. Check user, password and grants (schema/roles).`
  }
}

/** The server only reads: a standby, or a read-only session. */
export class ReadOnly extends Schema.TaggedError<ReadOnly>()("ReadOnly", facts) {
  override get message(): string {
    return `PostgreSQL does not take writes here: ${clause(this.detail)}. Connect to the primary.`
  }
}

/** The server is a replica that does not have what another one said is there; it gets there. Nothing was read. */
export class ReplicaBehind extends Schema.TaggedError<ReplicaBehind>()("ReplicaBehind", facts) {
  override get message(): string {
    return `The replica that answers is behind: ${clause(this.detail)}. Try again, or read from the primary.`
  }
}

/** The server cancelled a statement at its time-out; nothing of it was done. */
export class StatementTimeout extends Schema.TaggedError<StatementTimeout>()("StatementTimeout", facts) {
  override get message(): string {
    return `A statement took too long: ${clause(this.detail)}. Nothing was done; try again, or raise statement_timeout.`
  }
}

/** A lock was not free in time; nothing was done. */
export class LockTimeout extends Schema.TaggedError<LockTimeout>()("LockTimeout", facts) {
  override get message(): string {
    return `A lock was not free in time: ${clause(this.detail)}. Nothing was done; another transaction holds it, look in pg_stat_activity.`
  }
}

/** Two transactions waited for each other, or could not be put in an order; nothing was done. */
export class Contention extends Schema.TaggedError<Contention>()("Contention", facts) {
  override get message(): string {
    return `PostgreSQL gave up one of two transactions in each other's way: ${clause(this.detail)}. Nothing was done; try again.`
  }
}

/** A unique key is there already. */
export class UniqueViolation extends Schema.TaggedError<UniqueViolation>()("UniqueViolation", facts) {
  override get message(): string {
    return `A unique key is there already: ${clause(this.detail)}. Nothing of the statement was done; take another key, or change the row that has it.`
  }
}

/** A value that PostgreSQL, or a constraint of its table, does not take. */
export class InvalidData extends Schema.TaggedError<InvalidData>()("InvalidData", facts) {
  override get message(): string {
    return `PostgreSQL does not take a value: ${clause(this.detail)}. Nothing of the statement was done; give a value that the type and the constraints of its column take.`
  }
}

/** The disk of the server is full. */
export class DiskFull extends Schema.TaggedError<DiskFull>()("DiskFull", facts) {
  override get message(): string {
    return `The disk of PostgreSQL is full: ${clause(this.detail)}. Make room; nothing that was acknowledged is lost.`
  }
}

/** COMMIT was answered with ROLLBACK: an earlier statement of the transaction had failed. */
export class RolledBack extends Schema.TaggedError<RolledBack>()("RolledBack", facts) {
  override get message(): string {
    return "The transaction was rolled back at COMMIT, because one of its statements had failed. Nothing of it was kept; let that error end the transaction."
  }
}

/** Something was asked of a transaction that had ended: its connection may be in another caller's hands by now. */
export class TransactionEnded extends Schema.TaggedError<TransactionEnded>()("TransactionEnded", {
  /** What was asked, e.g. `query`. */
  call: Schema.String
}) {
  override get message(): string {
    return `${this.call} was called after its transaction had ended. Nothing of it was done; await everything that belongs to a transaction inside its body.`
  }
}

/** Anything else the server said no to. `data` is the error's DETAIL, JSON where the error is Tidemark's own. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  ...facts,
  data: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const state = this.sqlState === undefined ? "" : ` (SQLSTATE ${this.sqlState})`
    return `PostgreSQL said no: ${clause(this.detail)}${state}. Nothing of the statement was done; mend what it names, and run it again.`
  }
}

export const PostgresReason = Schema.Union([
  Unreachable,
  Busy,
  ConnectionLost,
  AccessDenied,
  ReadOnly,
  ReplicaBehind,
  StatementTimeout,
  LockTimeout,
  Contention,
  UniqueViolation,
  InvalidData,
  DiskFull,
  RolledBack,
  TransactionEnded,
  TlsRefused,
  TlsUnverified,
  Rejected
])
export type PostgresReason = typeof PostgresReason.Type

/** What went wrong between Tidemark and PostgreSQL; `reason` says which of the things that can. */
export class PostgresError extends Schema.TaggedError<PostgresError>()("PostgresError", {
  reason: PostgresReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** The server is away, or has no room: whatever was asked is not at fault. */
export const isServerGone = (error: unknown): boolean =>
  error instanceof PostgresError &&
  (error.reason instanceof ConnectionLost ||
    error.reason instanceof Unreachable ||
    error.reason instanceof Busy)

interface ServerError {
  readonly code?: unknown
  readonly message?: unknown
  readonly detail?: unknown
}

const byState = (
  sqlState: string
): ((known: { detail: string; sqlState: string }) => PostgresReason) | undefined => {
  switch (sqlState) {
    case SqlState.uniqueViolation:
      return (known) => new UniqueViolation(known)
    case SqlState.notNullViolation:
    case SqlState.checkViolation:
      return (known) => new InvalidData(known)
    case SqlState.deadlockDetected:
    case SqlState.serializationFailure:
      return (known) => new Contention(known)
    case SqlState.lockNotAvailable:
      return (known) => new LockTimeout(known)
    case SqlState.queryCanceled:
      return (known) => new StatementTimeout(known)
    case SqlState.adminShutdown:
    case SqlState.crashShutdown:
    case SqlState.databaseDropped:
    case SqlState.idleSessionTimeout:
    case SqlState.idleInTransactionSessionTimeout:
      return (known) => new ConnectionLost(known)
    case SqlState.cannotConnectNow:
    case SqlState.tooManyConnections:
      return (known) => new Busy(known)
    case SqlState.diskFull:
      return (known) => new DiskFull(known)
    case SqlState.readOnlySqlTransaction:
      return (known) => new ReadOnly(known)
    case OwnSqlState.replicaBehind:
      return (known) => new ReplicaBehind(known)
    case SqlState.insufficientPrivilege:
      return (known) => new AccessDenied(known)
    case SqlState.invalidCatalogName:
      return (known) => new Unreachable(known)
  }
  switch (sqlState.slice(0, 2)) {
    case SqlStateClass.connectionException:
      return (known) => new ConnectionLost(known)
    case SqlStateClass.dataException:
      return (known) => new InvalidData(known)
    case SqlStateClass.invalidAuthorization:
      return (known) => new AccessDenied(known)
  }
  return undefined
}

const SQL_STATE = /^[0-9A-Z]{5}$/
const NETWORK_CODE = /^E[A-Z]{3,}/

/** What the socket found out about TLS while it connected; then nothing was sent. */
const tlsReason = (thrown: unknown): TlsRefused | TlsUnverified | undefined => {
  if (!(thrown instanceof ConnectionError)) return undefined
  const { reason } = thrown
  return reason instanceof TlsRefused || reason instanceof TlsUnverified ? reason : undefined
}

/** PgBouncer's words, which come with one SQLSTATE for everything. */
const POOLER_IS_FULL = "no more connections allowed"
const POOLER_REFUSES_SETTING = "unsupported startup parameter"

/** What a protocol error means before anything was sent: whoever is in between would not let the connection through. */
const turnedAway = ({ detail, sqlState }: { detail: string; sqlState: string }): Busy | Unreachable => {
  if (detail.includes(POOLER_IS_FULL)) return new Busy({ detail, sqlState })
  const refused = detail.includes(POOLER_REFUSES_SETTING)
  const remedy = "; connect without it, or name it in the pooler's ignore_startup_parameters"
  return new Unreachable({ detail: refused ? clause(detail) + remedy : detail, sqlState })
}

/**
 * The reason behind an error that pg threw. `sent` says whether a statement was on its way: then a broken connection
 * leaves the outcome unknown, else nothing can have happened.
 */
export const postgresError = (thrown: unknown, sent: boolean): PostgresError => {
  const tls = tlsReason(thrown)
  if (tls !== undefined) return new PostgresError({ reason: tls })
  const error: ServerError =
    typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) }
  const code = typeof error.code === "string" ? error.code : ""
  const message =
    typeof error.message === "string" && error.message !== "" ? error.message : code || "unknown error"
  if (SQL_STATE.test(code) && !NETWORK_CODE.test(code)) {
    const known = { detail: message, sqlState: code }
    if (!sent && code.startsWith(SqlStateClass.connectionException))
      return new PostgresError({ reason: turnedAway(known) })
    const reason = byState(code)
    if (reason !== undefined) return new PostgresError({ reason: reason(known) })
    const data = typeof error.detail === "string" ? { data: error.detail } : {}
    return new PostgresError({ reason: new Rejected({ ...known, ...data }) })
  }
  const known = { detail: message }
  return new PostgresError({ reason: sent ? new ConnectionLost(known) : new Unreachable(known) })
}
