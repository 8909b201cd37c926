import { AccessDenied, PostgresError, ReadOnly, Rejected } from "../postgres/error.ts"
import { SqlState } from "../postgres/sqlstate.ts"

/** A standby has no cache: what is not written ahead does not come there, and looking is refused, too. */
export const hasNoCache = ({ reason }: PostgresError): boolean =>
  reason instanceof Rejected && reason.sqlState === SqlState.featureNotSupported

/** As it is said of all that a standby does not take. */
export const orReadOnly = (error: PostgresError): PostgresError =>
  hasNoCache(error)
    ? new PostgresError({ reason: new ReadOnly({ detail: "a standby has no cache" }) })
    : error

/** This role, or this server, does not take what was to be written, and will not the next time. */
export const isRefused = (error: PostgresError): boolean =>
  error.reason instanceof AccessDenied || error.reason instanceof ReadOnly || hasNoCache(error)
