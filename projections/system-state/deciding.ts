import { Effect } from "effect"
import type { Json } from "../../src/base/json-value.ts"
import type { Appended, NewEvent } from "../../src/log/event.ts"
import type { OperationContext, OperationError } from "../../src/projection/operation.ts"
import { whoeverIsFaster } from "../outrun.ts"
import { stateStream } from "./key.ts"

/** What a key has now; undefined is nothing, and null is a value. */
export type Standing = Json | undefined

type Decide<Event extends NewEvent | undefined> = (standing: Standing) => Effect.Effect<Event, OperationError>

interface StandingRow {
  readonly version: string
  readonly exists: boolean
  readonly value: Json
}

const standingOf = (stream: string, { query }: OperationContext) =>
  Effect.map(query<StandingRow>("#projections/system-state/standing.sql", [stream]), ([row]) => ({
    version: Number(row?.version ?? 0),
    value: row?.exists === true ? row.value : undefined
  }))

/**
 * Appends what is decided by the value that a key has, as long as nothing has come after that value: else it is decided anew. Fails as the
 * decision does, and with VersionConflict where others were faster a hundred times; undefined where nothing was to be done.
 */
export const decided = <Event extends NewEvent | undefined>(
  key: string,
  context: OperationContext,
  decide: Decide<Event>
): Effect.Effect<Appended | Extract<Event, undefined>, OperationError> => {
  const stream = stateStream(key)
  const attempt = Effect.gen(function* () {
    const { version, value } = yield* standingOf(stream, context)
    const event = yield* decide(value)
    if (event === undefined) return event as Extract<Event, undefined>
    return yield* context.emit(stream, event, { expected: version })
  })
  return whoeverIsFaster(attempt)
}
