import { Effect, Schema } from "effect"
import { isSameJson } from "../../src/base/json-value.ts"
import type { Meta } from "../../src/log/event.ts"
import { NotAsExpected, projectionError } from "../../src/projection/error.ts"
import { command, query } from "../../src/projection/operation.ts"
import { GivenMoment, happened } from "../moment.ts"
import { Recorded, recorded } from "../recorded.ts"
import { decided } from "./deciding.ts"
import { SystemStateRemoved, SystemStateSet } from "./events.ts"
import { Key, MAX_KEY_LENGTH, stateStream } from "./key.ts"

const READ = "system_state:read"
const WRITE = "system_state:write"

const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000

/** How many changes of a key are told, and at most. */
const HISTORY_LIMIT = 100
const MAX_HISTORY = 1_000

/** By the order of bytes, no key that begins with a prefix comes after the prefix and as many of these as a key holds. */
const LAST_CHARACTER = "\u{10ffff}"

/** Before every key. */
const BEFORE_ALL = ""

const upTo = (limit: number) =>
  Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: limit })))

const Who = Schema.NonEmptyString.check(Schema.isMaxLength(255))

/** Who does it, when, and why. */
const Circumstances = {
  by: Schema.optionalKey(Who),
  reason: Schema.optionalKey(Schema.NonEmptyString),
  occurredAt: Schema.optionalKey(GivenMoment)
}

/** A key of the fleet's global state, as it is now. */
export const SystemState = Schema.Struct({
  key: Schema.String,
  value: Schema.Json,
  /** Grows with every change of the key. */
  version: Schema.Int,
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  updatedBy: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type SystemState = typeof SystemState.Type

/** A change of a key. */
export const SystemStateChange = Schema.Struct({
  version: Schema.Int,
  removed: Schema.Boolean,
  /** What it was set to; null where it was removed, and where that was redacted. */
  value: Schema.Json,
  by: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date,
  position: Schema.Int
})
export type SystemStateChange = typeof SystemStateChange.Type

/** PostgreSQL's client gives a bigint as text. */
const counted = <Row extends { readonly version: number }>(row: Row): Row => ({
  ...row,
  version: Number(row.version)
})

const circumstances = ({ by, reason }: { readonly by?: string; readonly reason?: string }): Meta => ({
  ...(by === undefined ? {} : { actor: by }),
  ...(reason === undefined ? {} : { reason })
})

export const set = command({
  name: "system_state.set",
  description: "Gives a key of the global state a value, whatever it had before.",
  scope: WRITE,
  input: Schema.Struct({ key: Key, value: Schema.Json, ...Circumstances }),
  output: Recorded,
  example: { key: "mode", value: "maintenance", by: "operator", reason: "a new disk" },
  run: ({ key, value, occurredAt, ...who }, { emit }) =>
    Effect.map(
      emit(stateStream(key), SystemStateSet.make({ key, value }, happened(occurredAt)), {
        meta: circumstances(who)
      }),
      recorded
    )
})

export const compareAndSet = command({
  name: "system_state.compareAndSet",
  description:
    "Gives a key a value if it has the expected one, or, where none is expected, no value; fails with NotAsExpected, which tells the value that there is.",
  scope: WRITE,
  input: Schema.Struct({
    key: Key,
    /** Left out: the key has no value. */
    expected: Schema.optional(Schema.Json),
    value: Schema.Json,
    ...Circumstances
  }),
  output: Recorded,
  example: { key: "leader", value: "billing-7", by: "billing-7" },
  run: ({ key, expected, value, occurredAt, ...who }, context) => {
    const event = {
      ...SystemStateSet.make({ key, value }, happened(occurredAt)),
      meta: circumstances(who)
    }
    const appended = decided(key, context, (actual) =>
      isSameJson(actual, expected)
        ? Effect.succeed(event)
        : Effect.fail(
            projectionError(
              new NotAsExpected({
                operation: "system_state.compareAndSet",
                what: key,
                ...(actual === undefined ? {} : { actual })
              })
            )
          )
    )
    return Effect.map(appended, recorded)
  }
})

export const remove = command({
  name: "system_state.remove",
  description: "Removes a key from the global state; null, and nothing is recorded, where it has no value.",
  scope: WRITE,
  input: Schema.Struct({ key: Key, ...Circumstances }),
  output: Schema.NullOr(Recorded),
  example: { key: "mode", by: "operator", reason: "back to normal" },
  run: ({ key, occurredAt, ...who }, context) => {
    const event = { ...SystemStateRemoved.make({ key }, happened(occurredAt)), meta: circumstances(who) }
    const appended = decided(key, context, (actual) =>
      Effect.succeed(actual === undefined ? undefined : event)
    )
    return Effect.map(appended, (one) => (one === undefined ? null : recorded(one)))
  }
})

export const get = query({
  name: "system_state.get",
  description: "One key of the global state with who set it, when and why; null where it has no value.",
  scope: READ,
  input: Schema.Struct({ key: Key }),
  output: Schema.NullOr(SystemState),
  example: { key: "mode" },
  run: ({ key }, context) =>
    Effect.map(context.query<SystemState>("#projections/system-state/get.sql", [key]), ([row]) =>
      row === undefined ? null : counted(row)
    )
})

export const all = query({
  name: "system_state.all",
  description:
    "The keys that have a value, by key, or those that begin with a prefix; what comes after a key is the next page.",
  scope: READ,
  input: Schema.Struct({
    prefix: Schema.optionalKey(Key),
    limit: upTo(MAX_LIMIT),
    after: Schema.optionalKey(Key)
  }),
  output: Schema.Array(SystemState),
  example: { prefix: "feature." },
  run: ({ prefix = "", limit = DEFAULT_LIMIT, after = BEFORE_ALL }, context) => {
    const last = prefix + LAST_CHARACTER.repeat(MAX_KEY_LENGTH)
    return Effect.map(
      context.query<SystemState>("#projections/system-state/all.sql", [prefix, last, after, limit]),
      (rows) => rows.map((row) => counted(row))
    )
  }
})

export const history = query({
  name: "system_state.history",
  description:
    "Who gave a key which value, or removed it, when and why, the newest first; what comes before a version is the next page.",
  scope: READ,
  input: Schema.Struct({
    key: Key,
    limit: upTo(MAX_HISTORY),
    before: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  }),
  output: Schema.Array(SystemStateChange),
  example: { key: "mode", limit: 10 },
  run: ({ key, limit = HISTORY_LIMIT, before = null }, context) =>
    Effect.map(
      context.query<SystemStateChange>("#projections/system-state/history.sql", [
        stateStream(key),
        before,
        limit
      ]),
      (rows) => rows.map((row) => ({ ...counted(row), position: Number(row.position) }))
    )
})
