import { Schema } from "effect"
import { clause } from "../base/clause.ts"
import { AccessDenied, Rejected, TransactionEnded } from "../postgres/error.ts"

/** The name of a stream, a type or a label is malformed. */
export class InvalidName extends Schema.TaggedError<InvalidName>()("InvalidName", {
  what: Schema.Literals(["agent", "branch", "category", "label", "stream", "tag", "type"]),
  /** What was given as the name. */
  given: Schema.String,
  rule: Schema.String
}) {
  override get message(): string {
    return `The ${this.what} ${JSON.stringify(this.given)} is malformed: ${clause(this.rule)}. Nothing was done; give one that follows this rule.`
  }
}

/** An event cannot be stored as it is: nothing was appended. */
export class InvalidEvent extends Schema.TaggedError<InvalidEvent>()("InvalidEvent", {
  stream: Schema.String,
  type: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `Event ${JSON.stringify(this.type)} for stream ${JSON.stringify(this.stream)} is not valid: ${clause(this.problem)}. Nothing was appended.`
  }
}

/** The stream is not at the version that the caller expected. */
export class VersionConflict extends Schema.TaggedError<VersionConflict>()("VersionConflict", {
  stream: Schema.String,
  expected: Schema.Union([Schema.Literals(["any", "none", "exists"]), Schema.Int]),
  actual: Schema.Int
}) {
  override get message(): string {
    return `Stream ${JSON.stringify(this.stream)} is at version ${this.actual}, expected was ${this.expected}. Nothing was appended; read the stream again and decide again.`
  }
}

/** An id is in the log already, or stands twice in the request, and is not a retry of the same append. */
export class DuplicateEvent extends Schema.TaggedError<DuplicateEvent>()("DuplicateEvent", {
  stream: Schema.String,
  ids: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `One of the ids ${this.ids.join(", ")} for stream ${JSON.stringify(this.stream)} is taken by another event. Nothing was appended; an id names one event for ever: give a new event a new id, and send a retry unchanged.`
  }
}

/**
 * The append was sent and no answer came before the deadline: it may be in the log, or not. Where `transaction` is true, it was
 * the COMMIT of a caller's transaction: its rows and its events, of all `streams`, are there, or none of them is.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  /** The first stream of those that were appended to. */
  stream: Schema.String,
  ids: Schema.Array(Schema.String),
  detail: Schema.String,
  transaction: Schema.optionalKey(Schema.Boolean),
  streams: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    const detail = clause(this.detail)
    const ids = this.ids.join(", ")
    if (this.transaction !== true)
      return `Whether the append to stream ${JSON.stringify(this.stream)} happened is unknown: ${detail}. Emit the same events again with these ids (${ids}): it is appended once, whichever it was.`
    const streams = (this.streams ?? [this.stream]).map((stream) => JSON.stringify(stream)).join(", ")
    return `Whether the transaction that appends to ${streams} was committed is unknown: ${detail}. Do not emit its events alone: look in these streams for one of its ids (${ids}). If it is there, all of the transaction was committed; if it is not, and the server has ended the lost connection, none of it was: run the transaction again.`
  }
}

/** The append was not made, because the server could not be used before the deadline. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  detail: Schema.String
}) {
  override get message(): string {
    return `The log cannot be used now: ${clause(this.detail)}. Nothing was done; try again.`
  }
}

/** A cursor or token is of another log, or lies beyond the head of this one: the log was restored or replaced. */
export class LogRewound extends Schema.TaggedError<LogRewound>()("LogRewound", {
  position: Schema.Int,
  head: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `Position ${this.position} cannot be resumed from: ${clause(this.detail)} (the head is ${this.head}). Start from a position of this log, and rebuild what was made of the lost events.`
  }
}

/** What is to be gone on from lies before what retention has kept: telemetry that is wanted, too, may be gone. */
export class TokenTooOld extends Schema.TaggedError<TokenTooOld>()("TokenTooOld", {
  position: Schema.Int,
  /** The oldest position that can be gone on from, and a token of it. */
  oldest: Schema.Int,
  token: Schema.String
}) {
  override get message(): string {
    return `Position ${this.position} cannot be gone on from: retention has dropped telemetry up to position ${this.oldest}, and some that comes after yours may have been in it. Go on from ${this.oldest}, of which the token is ${this.token}, or from "start" for what is left; a filter by streams or categories that are durable loses nothing.`
  }
}

/** An old event could not be brought to the current version of its type. */
export class UpcastFailed extends Schema.TaggedError<UpcastFailed>()("UpcastFailed", {
  position: Schema.Int,
  type: Schema.String,
  schemaVersion: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `Event ${this.position} of type ${JSON.stringify(this.type)} could not be brought from schema version ${this.schemaVersion} to the current one: ${clause(this.detail)}. Mend the upcaster; the event is as it was.`
  }
}

/** What an argument is not; `problem` also says what to give. */
export class InvalidArgument extends Schema.TaggedError<InvalidArgument>()("InvalidArgument", {
  problem: Schema.String
}) {
  override get message(): string {
    return `${clause(this.problem)}.`
  }
}

export const LogReason = Schema.Union([
  InvalidName,
  InvalidEvent,
  VersionConflict,
  DuplicateEvent,
  OutcomeUnknown,
  Unavailable,
  LogRewound,
  TokenTooOld,
  UpcastFailed,
  InvalidArgument,
  AccessDenied,
  Rejected,
  TransactionEnded
])
export type LogReason = typeof LogReason.Type

/** What went wrong with the log; `reason` says which of the things that can. */
export class LogError extends Schema.TaggedError<LogError>()("LogError", { reason: LogReason }) {
  override get message(): string {
    return this.reason.message
  }
}

export const logError = (reason: LogReason): LogError => new LogError({ reason })
