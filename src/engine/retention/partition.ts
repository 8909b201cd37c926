import { Effect } from "effect"
import { METRIC } from "../../../projections/metrics/events.ts"
import type { TelemetryPartition } from "../../log/telemetry-partitions.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { archive } from "./archive.ts"
import { drop, StillRead } from "./drop.ts"
import type { ArchiveFile } from "./event.ts"
import { DAY_MS, settingOf } from "./policy.ts"
import type { Reader } from "./question.ts"
import type { CategoryStanding, PartitionStanding } from "./report.ts"
import type { Run } from "./retire.ts"
import { isRolledUp, rollUp } from "./rollup.ts"
import type { Steps } from "./steps.ts"

/** What partitions go by. */
export interface Dropping {
  readonly run: Run
  readonly postgres: Postgres["Service"]
  readonly steps: Steps
  readonly categories: ReadonlyArray<CategoryStanding>
  /** Where archives go; undefined where nothing is archived. */
  readonly directory: string | undefined
  /** The id of the log. */
  readonly log: string
}

/** As extend_telemetry names them. */
const NAME = /^telemetry_(\d{1,9})$/

const behind = ({ kind, name, position }: Reader): string =>
  kind === "held event"
    ? `subscription ${name} holds an event of it, at position ${position}, that it could not handle`
    : `${kind} ${name} has come to position ${position} only`

const notOld = (category: string, days: number): string =>
  `it holds events of ${category} that are not ${days} days old yet`

/** Why a category keeps a partition, or undefined. */
const keptBy = (
  { category, keptDays, retiredUpTo }: CategoryStanding,
  { upTo }: TelemetryPartition
): string | undefined => {
  if (keptDays === null)
    return `it holds events of ${category}, which are kept for ever (${settingOf(category)})`
  return retiredUpTo < upTo - 1 ? notOld(category, keptDays) : undefined
}

/** Why a partition that has events of some categories cannot go, or undefined. */
const obstacle = Effect.fnUntraced(function* (
  { run: { questions, settled, now }, categories }: Dropping,
  partition: TelemetryPartition,
  held: ReadonlyArray<CategoryStanding>
): Effect.fn.Return<string | undefined, PostgresError> {
  if (partition.upTo - 1 > settled) return "the log has not come to its end yet"
  const { name, from, upTo } = partition
  const names = held.map(({ category }) => category)
  const declared = categories.map(({ category }) => category)
  const kept = held.map((category) => keptBy(category, partition)).find((why) => why !== undefined)
  if (kept !== undefined) return kept
  const readers = yield* questions.readers(from, upTo - 1, names)
  if (readers.length > 0) return readers.map(behind).join("; ")
  if (names.includes(METRIC) && !(yield* questions.hasRollups))
    return "nobody has summed up its measurements: the read model metric_rollups is not there"
  // Last, since these look through all of it.
  if (yield* questions.holdsOthers(name, declared))
    return "it holds events of a category that is not declared to be telemetry, which only SQL can have put there"
  for (const { category, keptDays } of held) {
    // What was over by a shorter time that was said before is not over by this one.
    const since = new Date(now.getTime() - (keptDays ?? 0) * DAY_MS)
    if (yield* questions.holdsYoung(name, category, since)) return notOld(category, keptDays ?? 0)
  }
  return undefined
})

const heldBy = (
  { run, categories }: Dropping,
  { name }: TelemetryPartition
): Effect.Effect<ReadonlyArray<CategoryStanding>, PostgresError> =>
  Effect.filter(categories, ({ category }) => run.questions.holds(name, category))

const WHY_ROLLED_UP = "what was measured by the hour outlives its measurements"
const WHY_ARCHIVED = "an archive is configured"
const WHY_DROPPED = "all of it is over"

const FAILED = "a step failed"

/** Sums up, archives and drops a partition, or tells why it stays. */
export const dropPartition = Effect.fnUntraced(function* (
  dropping: Dropping,
  partition: TelemetryPartition
): Effect.fn.Return<PartitionStanding, PostgresError> {
  const { run, postgres, steps, directory, log } = dropping
  const { name, from, upTo, bytes } = partition
  const standing = { partition: name, from, upTo, bytes }
  const staying = (why: string): PartitionStanding => ({ ...standing, outcome: "stays", why, archive: null })
  const held = yield* heldBy(dropping, partition)
  const why = yield* obstacle(dropping, partition, held)
  if (why !== undefined) return staying(why)
  const part = NAME.exec(name)?.[1]
  if (part === undefined) return staying("its name is none that Tidemark gave it")
  const names = held.map(({ category }) => category)
  const really = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A | null, E> =>
    run.isDryRun ? Effect.succeed(null) : work

  if (names.includes(METRIC) && !(yield* isRolledUp(postgres, Number(part)))) {
    const work = Effect.asVoid(really(rollUp(postgres, run.log, Number(part), upTo - 1)))
    const done = yield* steps.take("roll up", name, WHY_ROLLED_UP, Effect.as(work, true), () => null)
    if (done === undefined) return staying(FAILED)
  }

  let file: ArchiveFile | null = null
  if (directory !== undefined && names.length > 0) {
    const archiving = { directory, log, partition, categories: names, now: run.now }
    const work = Effect.map(really(archive(postgres, archiving)), (written) => ({ written }))
    const done = yield* steps.take(
      "archive",
      name,
      WHY_ARCHIVED,
      work,
      ({ written }) => written?.events ?? null
    )
    if (done === undefined) return staying(FAILED)
    file = done.written
  }

  const work = really(drop(run.log, postgres.schema, partition, names, file)).pipe(
    Effect.as(true),
    Effect.mapError((error) =>
      error instanceof StillRead ? new Error(error.readers.map(behind).join("; ")) : error
    )
  )
  const done = yield* steps.take("drop", name, WHY_DROPPED, work, () => null)
  if (done === undefined) return staying(FAILED)
  return { ...standing, outcome: run.isDryRun ? "would be dropped" : "dropped", why: null, archive: file }
})
