import { Schema } from "effect"
import type { Event } from "../src/log/event.ts"
import type { EventType } from "../src/log/event-type.ts"

const checks = new WeakMap<object, (data: unknown) => boolean>()

const checkOf = (schema: Schema.Codec<unknown, unknown>): ((data: unknown) => boolean) => {
  const known = checks.get(schema)
  if (known !== undefined) return known
  const check = Schema.is(schema)
  checks.set(schema, check)
  return check
}

/**
 * What an event of a type says; undefined where it is of another, or does not say what the type declares: what came by SQL was not checked, and
 * what was redacted says nothing. Neither is to stop a read model.
 */
export const said = <Data>(type: EventType<string, Data>, event: Event): Data | undefined =>
  type.is(event) && checkOf(type.schema as Schema.Codec<unknown, unknown>)(event.data)
    ? event.data
    : undefined
