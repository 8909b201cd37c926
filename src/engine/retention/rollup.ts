import { Data, Effect } from "effect"
import { type HourlySum, MetricsRolledUp, rollupStream } from "../../../projections/metric-rollups/events.ts"
import type { LogError } from "../../log/error.ts"
import type { EventLog } from "../../log/event-log.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"

/** How many sums are read at a time. */
const SUMS_AT_ONCE = 500

/** How much of an event's data they take at most, in characters, unless one alone takes more. */
const MOST_CHARACTERS = 256 * 1024

/** Where all sums begin: before every agent and every hour. */
const FROM_THE_START = { agent: "", hour: "-infinity", name: "" }

type Place = Pick<HourlySum, "agent" | "hour" | "name">

interface Told {
  readonly version: number
  readonly isLast: boolean
  readonly last: Place | null
}

/** What is summed up is not all of the part. */
export class RollupsBehind extends Data.TaggedError("RollupsBehind")<{ readonly part: number }> {
  override get message(): string {
    return `the read model metric_rollups has not folded all of part ${this.part} of the log: run retention again when it has`
  }
}

/** As many sums as one event holds. */
const firstOf = (sums: ReadonlyArray<HourlySum>): ReadonlyArray<HourlySum> => {
  let characters = 0
  const end = sums.findIndex((sum, at) => {
    characters += JSON.stringify(sum).length
    return at > 0 && characters > MOST_CHARACTERS
  })
  return end === -1 ? sums : sums.slice(0, end)
}

const toldLast = (
  postgres: Postgres["Service"],
  part: number
): Effect.Effect<Told | undefined, PostgresError> =>
  Effect.map(
    postgres.query<Told>(statement("rolled_up", postgres.schema).text, [rollupStream(part)]),
    ({ rows }) => rows[0]
  )

/** Whether the sums of a part of the log are told in it to their end. */
export const isRolledUp = (
  postgres: Postgres["Service"],
  part: number
): Effect.Effect<boolean, PostgresError> =>
  Effect.map(toldLast(postgres, part), (told) => told?.isLast === true)

/**
 * Tells the log what was measured by the hour in a part of it, up to its `last` position, before its measurements go. What was told before a run was
 * cut off is gone on from. Gives the number of sums that were told; fails with RollupsBehind where not all of the part is folded.
 */
export const rollUp = Effect.fnUntraced(function* (
  postgres: Postgres["Service"],
  log: EventLog["Service"],
  part: number,
  last: number
): Effect.fn.Return<number, LogError | PostgresError | RollupsBehind> {
  const { text } = statement("hourly_sums", postgres.schema)
  const folded = statement("rollups_at", postgres.schema)
  const before = yield* toldLast(postgres, part)
  if (before?.isLast === true) return 0
  let version = before?.version ?? 0
  let at: Place = before?.last ?? FROM_THE_START
  let sums = 0
  for (;;) {
    const values = [part, at.agent, at.hour, at.name, SUMS_AT_ONCE]
    const { rows } = yield* postgres.query<HourlySum>(text, values)
    // After what was read: a read model that has gone back meanwhile has not all of the part any more.
    const [standing] = (yield* postgres.query<{ position: number }>(folded.text)).rows
    if (standing === undefined || standing.position < last) return yield* new RollupsBehind({ part })
    const hours = firstOf(rows)
    const isLast = hours.length === rows.length && rows.length < SUMS_AT_ONCE
    yield* log.emit(rollupStream(part), MetricsRolledUp.make({ hours, isLast }), {
      expected: version === 0 ? "none" : version
    })
    sums += hours.length
    if (isLast) return sums
    version += 1
    at = hours.at(-1)!
  }
})
