import { Effect } from "effect"
import { MetricsRolledUp } from "../../../projections/metric-rollups/events.ts"
import { EventLog } from "../../log/event-log.ts"
import { InvalidArgument, logError } from "../../log/error.ts"
import { LogIdentity } from "../../log/identity.ts"
import { TelemetryRetired } from "../../log/retired.ts"
import { telemetryStatus } from "../../log/telemetry-partitions.ts"
import { PostgresError, ReadOnly } from "../../postgres/error.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { alone } from "../alone.ts"
import { declareOwn } from "../own-types.ts"
import { whileWanted } from "../rebuilding.ts"
import { RetentionUnderWay } from "./error.ts"
import { TelemetryDropped } from "./event.ts"
import { type Dropping, dropPartition } from "./partition.ts"
import { daysProblem, FOR_EVER, type KeptDays, keptDaysOf, RetentionPolicy } from "./policy.ts"
import { type Category, Questions } from "./question.ts"
import type { CategoryStanding, PartitionStanding, RetentionReport } from "./report.ts"
import { retire, type Run } from "./retire.ts"
import { type Begun, Steps } from "./steps.ts"

export interface RetainOptions extends KeptDays {
  /** Does nothing, and tells what it would do. Default: false. */
  readonly dryRun?: boolean
  /** The directory that partitions are archived in before they go; false for none. Default: as the engine is configured, which is none. */
  readonly archiveDirectory?: string | false
  /** Gives it up; it rejects with the signal's reason. What was done before stays. */
  readonly signal?: AbortSignal
  /** Hears what is begun. */
  readonly onStep?: (step: Begun) => void
}

const ignore = (): void => undefined

const said = (days: KeptDays): KeptDays =>
  Object.fromEntries(Object.entries(days).filter(([, value]) => value !== undefined))

/** What a call asks for, and where it does not say, what the engine is configured with. */
const policyOf = (options: RetainOptions, configured: RetentionPolicy): RetentionPolicy => {
  const { heartbeatDays, metricDays, systemLogDays, telemetryDays, archiveDirectory } = options
  const { archiveDirectory: directory, ...days } = configured
  const kept = { ...days, ...said({ heartbeatDays, metricDays, systemLogDays, telemetryDays } as KeptDays) }
  const chosen = archiveDirectory ?? directory ?? false
  return chosen === false ? kept : { ...kept, archiveDirectory: chosen }
}

/** Says of each category what of it is over. */
const retireAll = (
  run: Run,
  steps: Steps,
  categories: ReadonlyArray<Category>,
  policy: RetentionPolicy
): Effect.Effect<ReadonlyArray<CategoryStanding>> =>
  Effect.forEach(categories, (one): Effect.Effect<CategoryStanding> => {
    const { category, retiredUpTo } = one
    const keptDays = keptDaysOf(category, policy)
    if (keptDays === FOR_EVER) return Effect.succeed({ category, keptDays: null, retiredUpTo })
    const why = `recorded more than ${keptDays} days ago`
    const retired = steps.take("retire", category, why, retire(run, one, keptDays), ({ events }) => events)
    return Effect.map(retired, (done) => ({ category, keptDays, retiredUpTo: done?.upTo ?? retiredUpTo }))
  })

/** Drops what is over from the oldest end on: nothing that stays is older than what goes. */
const dropAll = Effect.fnUntraced(function* (dropping: Dropping, isStandby: boolean) {
  const { settled } = dropping.run
  const { partitions } = yield* telemetryStatus(dropping.postgres, settled, isStandby)
  const standings: Array<PartitionStanding> = []
  for (const partition of partitions) {
    const { name, from, upTo, bytes } = partition
    if (from > settled) break
    const first = standings.find(({ outcome }) => outcome === "stays")
    standings.push(
      first === undefined
        ? yield* dropPartition(dropping, partition)
        : {
            partition: name,
            from,
            upTo,
            bytes,
            outcome: "stays",
            why: `it comes after ${first.partition}, which stays`,
            archive: null
          }
    )
  }
  return standings
})

const applying = Effect.fnUntraced(function* (policy: RetentionPolicy, isDryRun: boolean, steps: Steps) {
  const began = performance.now()
  const postgres = yield* Postgres
  const log = yield* EventLog
  const identity = (yield* LogIdentity).current()
  const questions = new Questions(postgres, postgres.schema)
  const { now, width } = yield* questions.clock
  const run: Run = { questions, log, isDryRun, now, width, settled: yield* log.settled }
  const categories = yield* retireAll(run, steps, yield* questions.categories(run.settled), policy)
  const dropping = { run, postgres, steps, categories, directory: policy.archiveDirectory, log: identity.id }
  const partitions = yield* dropAll(dropping, identity.standby)
  const report: RetentionReport = {
    isDryRun,
    tookMs: performance.now() - began,
    categories,
    partitions,
    steps: steps.taken
  }
  return report
})

const READ_ONLY = "a standby drops what its primary drops"

const underLock = Effect.fnUntraced(function* (policy: RetentionPolicy, steps: Steps) {
  if ((yield* LogIdentity).current().standby)
    return yield* new PostgresError({ reason: new ReadOnly({ detail: READ_ONLY }) })
  return yield* alone(
    "lock_retention",
    (schema) => new RetentionUnderWay({ schema }),
    () => applying(policy, false, steps)
  )
})

const declared = declareOwn([TelemetryRetired, TelemetryDropped, MetricsRolledUp])

/** Applies retention to a log, or tells what it would do. */
export const retainIn = Effect.fnUntraced(function* (
  options: RetainOptions = {}
): Effect.fn.Return<RetentionReport, unknown, Postgres | EventLog | LogIdentity> {
  const policy = policyOf(options, yield* RetentionPolicy)
  const problem = daysProblem(policy)
  if (problem !== undefined) return yield* logError(new InvalidArgument({ problem }))
  yield* declared
  const { dryRun = false, onStep = ignore, signal } = options
  const steps = new Steps(dryRun, onStep)
  return yield* whileWanted(dryRun ? applying(policy, true, steps) : underLock(policy, steps), signal)
})
