import { Effect, Schedule } from "effect"
import { EventLog } from "../../log/event-log.ts"
import type { LogError } from "../../log/error.ts"
import { retirementStream, TelemetryRetired } from "../../log/retired.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { DAY_MS } from "./policy.ts"
import type { Category, Questions } from "./question.ts"

/** How much telemetry is over at a time, in events: read models delete as many rows at most in one transaction. */
const EVENTS_AT_ONCE = 200_000

/** How long read models are waited for before the next is, in ms, and how often they are looked at. */
const FOLDED_MS = 10_000
const LOOK_MS = 50

/** What is said of a category. */
export interface Retired {
  readonly upTo: number
  /** How many events became over. */
  readonly events: number
}

/** Where a run of retention stands. */
export interface Run {
  readonly questions: Questions
  readonly log: EventLog["Service"]
  readonly isDryRun: boolean
  /** By the database's clock, when it began. */
  readonly now: Date
  /** How many positions a partition takes. */
  readonly width: number
  /** Up to where the log was settled then. */
  readonly settled: number
}

/** Whether a partition ends after a position, up to and with another. */
const endsWithin = (after: number, upTo: number, width: number): boolean =>
  Math.floor((upTo + 1) / width) > Math.floor((after + 1) / width)

/** Where nobody folds, nobody is waited for. */
const folded = ({ questions }: Run, position: number): Effect.Effect<void> =>
  questions.folded.pipe(
    Effect.repeat({
      until: (least) => least === undefined || least >= position,
      schedule: Schedule.spaced(LOOK_MS)
    }),
    Effect.timeoutOption(FOLDED_MS),
    Effect.ignore
  )

/**
 * Says in the log what of a category is over: everything up to the first telemetry that was recorded in its last `keptDays`. What it was recorded by, the
 * database's clock, may go back, and positions do not.
 */
export const retire = Effect.fnUntraced(function* (
  run: Run,
  { category, retiredUpTo }: Category,
  keptDays: number
): Effect.fn.Return<Retired, LogError | PostgresError> {
  const { questions, log, settled, isDryRun, width } = run
  const before = new Date(run.now.getTime() - keptDays * DAY_MS)
  const say = (upTo: number) =>
    log.emit(
      retirementStream(category),
      TelemetryRetired.make({ upTo, recordedBefore: before.toISOString(), keptDays })
    )
  let said = retiredUpTo
  let at = retiredUpTo
  let events = 0
  for (;;) {
    const page = yield* questions.page(at, settled, EVENTS_AT_ONCE, before, category)
    at = page.newer === null ? (page.isAll ? settled : page.last!) : page.newer - 1
    events += page.events
    const isEnd = page.isAll || page.newer !== null
    // What was looked through is said, so that no later run looks again; where there was nothing to look at, a log that rests is not to grow by that.
    if (!isDryRun && at > said && (page.seen > 0 || endsWithin(said, at, width))) {
      const { position } = yield* say(at)
      said = at
      if (!isEnd) yield* folded(run, position)
    }
    if (isEnd) return { upTo: Math.max(at, retiredUpTo), events }
  }
})
