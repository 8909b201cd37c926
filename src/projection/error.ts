import { Schema } from "effect"
import { clause } from "../base/clause.ts"
import { rebuildReasons } from "./rebuild/error.ts"

/** The projection has not read this engine's own writes, or those of a token, in the time that the query would wait. */
export class ProjectionBehind extends Schema.TaggedError<ProjectionBehind>()("ProjectionBehind", {
  projection: Schema.String,
  position: Schema.Int,
  reached: Schema.Int,
  waitedMs: Schema.Finite,
  why: Schema.String
}) {
  override get message(): string {
    return `Projection ${this.projection} is at ${this.reached} and did not reach ${this.position} in ${this.waitedMs} ms: ${clause(this.why)}. The write is safe; query again, or give it more time (readOwnWritesMs).`
  }
}

/** A projection stopped; its tables stay as they were before the event that it stopped at. */
export class ProjectionStopped extends Schema.TaggedError<ProjectionStopped>()("ProjectionStopped", {
  projection: Schema.String,
  /** The event that its fold failed on, where it was one. */
  position: Schema.optionalKey(Schema.Int),
  type: Schema.optionalKey(Schema.String),
  detail: Schema.String
}) {
  override get message(): string {
    const where = this.position === undefined ? "" : ` before event ${this.position} (${this.type})`
    return `Projection ${this.projection} stopped${where}: ${clause(this.detail)}. The log and all other projections go on; mend its fold and open the engine again.`
  }
}

/** What was given to an operation is not what it takes. Nothing was done. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  operation: Schema.String,
  problem: Schema.String,
  example: Schema.String
}) {
  override get message(): string {
    return `${this.operation} cannot take this: ${clause(this.problem)}. Nothing was done; it takes, for example, ${this.example}.`
  }
}

/** A command was to be done only while something has an expected value, and it has another one, or none. Nothing was done. */
export class NotAsExpected extends Schema.TaggedError<NotAsExpected>()("NotAsExpected", {
  operation: Schema.String,
  /** What has another value, such as a key. */
  what: Schema.String,
  /** The value that there is; left out where there is none. It may be a secret, so no message tells it. */
  actual: Schema.optionalKey(Schema.Json)
}) {
  override get message(): string {
    const found =
      "actual" in this && this.actual !== undefined
        ? "another value than was expected"
        : "no value, where one was expected"
    return `${this.operation} found ${found}, for ${JSON.stringify(this.what)}. Nothing was done; decide again by what there is now (actual), and expect that.`
  }
}

/** What an operation is about is not there. Nothing was done. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  operation: Schema.String,
  /** What kind of thing it is, such as `help request`. */
  thing: Schema.String,
  /** Those that are not there. */
  ids: Schema.Array(Schema.String),
  next: Schema.String
}) {
  override get message(): string {
    const ids = this.ids.map((id) => JSON.stringify(id)).join(", ")
    return `${this.operation} found no ${this.thing} ${ids}. Nothing was done: ${clause(this.next)}.`
  }
}

/** The thing that an operation is about is not in a state that allows it. Nothing was done. */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()("NotAllowed", {
  operation: Schema.String,
  /** What it is about, such as `help request "h-1"`. */
  subject: Schema.String,
  /** The state that it is in. */
  status: Schema.String,
  /** What that state allows. */
  allowed: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const allowed = this.allowed.length === 0 ? "nothing" : this.allowed.join(", ")
    return `${this.operation} is not allowed, since ${this.subject} is ${this.status}. Nothing was done; allowed now: ${allowed}.`
  }
}

/** No projection of this name is registered. */
export class UnknownProjection extends Schema.TaggedError<UnknownProjection>()("UnknownProjection", {
  projection: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const known = this.known.length === 0 ? "none" : this.known.join(", ")
    return `There is no projection ${JSON.stringify(this.projection)} here. Register it with project, or take one that is registered: ${known}.`
  }
}

/** The tables in the database were filled by another definition of this projection than the one given. */
export class DefinitionChanged extends Schema.TaggedError<DefinitionChanged>()("DefinitionChanged", {
  projection: Schema.String,
  found: Schema.Int,
  given: Schema.Int
}) {
  override get message(): string {
    const filled =
      this.found === this.given
        ? `another definition of the same version ${this.given}. Give the changed one a higher version, and rebuild`
        : `its version ${this.found}, and this is version ${this.given}. Rebuild`
    return `The tables of projection ${this.projection} were filled by ${filled} them from the log (tidemark rebuild ${this.projection}, or engine.rebuild), or run the code that filled them.`
  }
}

/** A definition contradicts itself, the database, or the rules of folds. */
export class InvalidDefinition extends Schema.TaggedError<InvalidDefinition>()("InvalidDefinition", {
  projection: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `Projection ${JSON.stringify(this.projection)} is not defined well: ${clause(this.problem)}. Nothing of it was made; mend the definition and give it again.`
  }
}

export const ProjectionReason = Schema.Union([
  ProjectionBehind,
  ProjectionStopped,
  InvalidInput,
  NotAsExpected,
  NotAllowed,
  NotFound,
  UnknownProjection,
  DefinitionChanged,
  InvalidDefinition,
  ...rebuildReasons
])
export type ProjectionReason = typeof ProjectionReason.Type

/** What went wrong with a projection or an operation; `reason` says which of the things that can. */
export class ProjectionError extends Schema.TaggedError<ProjectionError>()("ProjectionError", {
  reason: ProjectionReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

export const projectionError = (reason: ProjectionReason): ProjectionError => new ProjectionError({ reason })
