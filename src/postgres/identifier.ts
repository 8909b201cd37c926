import { Effect, Schema } from "effect"
import { clause } from "../base/clause.ts"

/** PostgreSQL cuts longer names, silently: two names could become one. In bytes. */
export const identifierMaxBytes = 63
/** What names derived from a checked one may add: `tidemark_` before a channel or role, `__<generation>_<index>` behind a table. */
export const derivedMaxBytes = 23
/** The longest name that is accepted, in bytes, and, since only ASCII is, in characters. */
export const nameMaxBytes = identifierMaxBytes - derivedMaxBytes

const shape = new RegExp(`^[a-z_][a-z0-9_]{0,${nameMaxBytes - 1}}$`)
const reserved = /^(?:pg_|information_schema$)/

/** A name of a schema, table or role that needs no quotes, is not PostgreSQL's own and leaves room for derived names. */
export type Identifier = string & { readonly Identifier: unique symbol }

export class InvalidIdentifier extends Schema.TaggedError<InvalidIdentifier>()("InvalidIdentifier", {
  /** What it was to name, e.g. `schema`. */
  kind: Schema.String,
  given: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return (
      `${JSON.stringify(this.given.slice(0, identifierMaxBytes))} cannot name a ${this.kind}: ${clause(this.problem)}. Use a ` +
      `lower-case letter or _, then up to ${nameMaxBytes - 1} lower-case letters, digits or _, e.g. "tidemark".`
    )
  }
}

const problemOf = (name: string): string | undefined => {
  if (reserved.test(name)) return "PostgreSQL keeps this name for itself"
  if (shape.test(name)) return undefined
  return Buffer.byteLength(name) > nameMaxBytes
    ? `it is longer than ${nameMaxBytes} bytes`
    : "it has other characters"
}

/** Checks a name before it goes into SQL; fails with {@link InvalidIdentifier}. `kind` is for the message. */
export const identifier = (kind: string, name: string): Effect.Effect<Identifier, InvalidIdentifier> => {
  const problem = problemOf(name)
  return problem === undefined
    ? Effect.succeed(name as Identifier)
    : Effect.fail(new InvalidIdentifier({ kind, given: name, problem }))
}

/** Any name as SQL takes it literally. Still quote checked names: `user` and `order` have the shape and are keywords. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
