import { Effect, Stream } from "effect"
import { EventLog } from "../../log/event-log.ts"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import { PostgresError, ReadOnly } from "../../postgres/error.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { alone } from "../alone.ts"
import { declareOwn } from "../own-types.ts"
import { whileWanted } from "../rebuilding.ts"
import { MaintenanceUnderWay } from "./error.ts"
import { type Findings, type Left, MAINTENANCE_STREAM, MaintenanceDone, type StepDone } from "./event.ts"
import {
  bloatedIndexes,
  type BloatLimits,
  brokenIndexes,
  DEFAULT_BLOAT_BYTES,
  DEFAULT_BLOAT_SHARE,
  planOf,
  staleTables,
  type Step
} from "./plan.ts"
import { cutForLog, findingsOf } from "./findings.ts"
import { survey, type Survey } from "./survey.ts"
import { done, foretold } from "./work.ts"

/** From here on a transaction is told as a long one, in ms. */
export const DEFAULT_LONG_TRANSACTION_MS = 5 * 60_000

/** How many of the last times are told, unless it is said how many. */
const DEFAULT_HISTORY = 20

/** How long the record of what was interrupted is waited for, in ms. */
const LAST_WORD_MS = 5_000

export interface MaintainOptions {
  /** Does nothing, and tells what it would do. Default: false. */
  readonly dryRun?: boolean
  /** Indexes are built anew of which this share, by estimate, is not needed; above 0, at most 1. Default: 0.5. */
  readonly bloatShare?: number
  /** Smaller indexes are left as they are, in bytes. Default: 10 MiB. */
  readonly bloatBytes?: number
  /** Transactions are told that have been open for longer, in ms. Default: 300 000. */
  readonly longTransactionMs?: number
  /** Gives it up: what is under way is cancelled, and it rejects with the signal's reason. What was done before stays. */
  readonly signal?: AbortSignal
  /** Hears what is begun. */
  readonly onStep?: (step: Pick<StepDone, "kind" | "relation" | "why">) => void
}

export interface MaintenanceReport extends Findings {
  readonly isDryRun: boolean
  /** Where it is recorded; undefined on a dry run, and where `left` says why it is not. */
  readonly recorded:
    | { readonly stream: string; readonly version: number; readonly position: number }
    | undefined
}

/** What was found and done at a time; of each list, the first ones. */
export interface Maintained extends Findings {
  readonly at: Date
  readonly position: number
  readonly version: number
}

interface Wanted extends BloatLimits {
  readonly longMs: number
  readonly onStep: NonNullable<MaintainOptions["onStep"]>
}

const problemOf = ({ bloatShare = 1, bloatBytes = 0, longTransactionMs = 0 }: MaintainOptions) => {
  if (!(bloatShare > 0 && bloatShare <= 1))
    return `bloatShare is ${bloatShare}: give a share above 0, at most 1`
  for (const [name, value] of Object.entries({ bloatBytes, longTransactionMs })) {
    if (!Number.isSafeInteger(value) || value < 0) return `${name} is ${value}: give a whole number from 0`
  }
  return undefined
}

const ignore = (): void => undefined

const wantedOf = (options: MaintainOptions): Wanted => ({
  share: options.bloatShare ?? DEFAULT_BLOAT_SHARE,
  bytes: options.bloatBytes ?? DEFAULT_BLOAT_BYTES,
  longMs: options.longTransactionMs ?? DEFAULT_LONG_TRANSACTION_MS,
  onStep: options.onStep ?? ignore
})

const STANDBY: Left = {
  part: "statistics and indexes",
  why: "the server is a standby, which has those of its primary: maintain that"
}

const foretell = Effect.fnUntraced(function* (wanted: Wanted) {
  const began = performance.now()
  const postgres = yield* Postgres
  const found = yield* survey(postgres, wanted.longMs, [])
  const steps = found.isStandby
    ? []
    : planOf(found, wanted).map((step) => foretold(step, postgres.isPooled()))
  const left = found.isStandby ? [STANDBY] : []
  const report: MaintenanceReport = {
    ...findingsOf(found, { steps, left, tookMs: performance.now() - began, isInterrupted: false }),
    isDryRun: true,
    recorded: undefined
  }
  return report
})

/** One run: what it has done so far, and when it began. */
class Run {
  readonly steps: Array<StepDone> = []
  private readonly began = performance.now()
  private readonly postgres: Postgres["Service"]
  private readonly log: EventLog["Service"]
  private readonly wanted: Wanted
  private readonly ours: ReadonlyArray<number>

  constructor(
    postgres: Postgres["Service"],
    log: EventLog["Service"],
    wanted: Wanted,
    ours: ReadonlyArray<number>
  ) {
    this.postgres = postgres
    this.log = log
    this.wanted = wanted
    this.ours = ours
  }

  get look(): Effect.Effect<Survey, PostgresError> {
    return survey(this.postgres, this.wanted.longMs, this.ours)
  }

  take(steps: ReadonlyArray<Step>): Effect.Effect<void> {
    return Effect.forEach(
      steps,
      (step) => {
        const { kind, relation, why } = step
        this.wanted.onStep({ kind, relation, why })
        return Effect.map(done(this.postgres, step), (told) => void this.steps.push(told))
      },
      { discard: true }
    )
  }

  /** Tells the log. Who may not write to it has done the rest all the same. */
  record(found: Survey, isInterrupted: boolean): Effect.Effect<MaintenanceReport> {
    const tookMs = performance.now() - this.began
    const findings = findingsOf(found, { steps: this.steps, left: [], tookMs, isInterrupted })
    const event = MaintenanceDone.make(cutForLog(findings))
    return Effect.match(this.log.emit(MAINTENANCE_STREAM, event), {
      onSuccess: ({ stream, version, position }) => ({
        ...findings,
        isDryRun: false,
        recorded: { stream, version, position }
      }),
      onFailure: (error) => ({
        ...findings,
        isDryRun: false,
        left: [...findings.left, { part: "the record of it", why: error.message }],
        recorded: undefined
      })
    })
  }

  /** What could be done until somebody gave it up. */
  get lastWord(): Effect.Effect<void> {
    return Effect.ignore(
      Effect.timeoutOption(
        Effect.interruptible(Effect.flatMap(this.look, (found) => this.record(found, true))),
        LAST_WORD_MS
      )
    )
  }
}

const READ_ONLY = "a standby has the statistics and indexes of its primary"

const maintaining = Effect.fnUntraced(function* (
  run: Run,
  wanted: Wanted
): Effect.fn.Return<MaintenanceReport, PostgresError> {
  const first = yield* run.look
  if (first.isStandby) return yield* new PostgresError({ reason: new ReadOnly({ detail: READ_ONLY }) })
  yield* run.take([...brokenIndexes(first.indexes), ...staleTables(first.tables)])
  // Only fresh statistics tell what an index would take.
  const second = yield* run.look
  yield* run.take(bloatedIndexes(second.indexes, wanted))
  return yield* run.record(yield* run.look, false)
})

const underLock = Effect.fnUntraced(function* (wanted: Wanted) {
  const postgres = yield* Postgres
  const log = yield* EventLog
  return yield* alone(
    "lock_maintenance",
    (schema) => new MaintenanceUnderWay({ schema }),
    (connection) =>
      Effect.gen(function* () {
        const { rows } = yield* connection.query<{ pid: number }>("select pg_backend_pid() as pid")
        const run = new Run(postgres, log, wanted, [rows[0]!.pid])
        return yield* Effect.onInterrupt(maintaining(run, wanted), () => run.lastWord)
      })
  )
})

/** Looks after a log, or tells what it would do. */
export const maintainIn = Effect.fnUntraced(function* (
  options: MaintainOptions = {}
): Effect.fn.Return<MaintenanceReport, unknown, Postgres | EventLog> {
  const problem = problemOf(options)
  if (problem !== undefined) return yield* logError(new InvalidArgument({ problem }))
  const wanted = wantedOf(options)
  yield* declared
  if (options.dryRun === true) return yield* whileWanted(foretell(wanted), options.signal)
  return yield* whileWanted(underLock(wanted), options.signal)
})

const declared = declareOwn([MaintenanceDone])

export interface HistoryOptions {
  /** How many at most, the newest first. Default: 20. */
  readonly limit?: number
}

/** What was found and done before, the newest first. */
export const maintenanceHistory = ({ limit = DEFAULT_HISTORY }: HistoryOptions = {}): Effect.Effect<
  ReadonlyArray<Maintained>,
  LogError | PostgresError,
  EventLog
> =>
  Effect.gen(function* () {
    yield* declared
    const log = yield* EventLog
    const events = yield* Stream.runCollect(log.read(MAINTENANCE_STREAM, { backwards: true, limit }))
    return events.filter(MaintenanceDone.is).map(({ data, recordedAt, position, version }): Maintained => ({
      ...data,
      at: recordedAt,
      position,
      version
    }))
  })
