import { Effect, Layer } from "effect"
import { warningOnce } from "../../src/base/warn-once.ts"
import { EventLog } from "../../src/log/event-log.ts"
import { type LogError, VersionConflict } from "../../src/log/error.ts"
import type { NewEvent } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { Projections } from "../../src/projection/projections.ts"
import { asking } from "../asking.ts"
import { AgentLost, AgentRanLate, AgentRecovered, healthLabels, healthStream } from "./events.ts"
import { vitals } from "./vitals.ts"
import type { HealthState } from "./interval.ts"

/** How often the watchdog looks while anything happens, in ms, unless configured: so much later than due an agent is late. */
const LOOK_EVERY_MS = 1_000

/** How many agents are judged at a time. */
const AT_ONCE = 500

/** An agent that the watchdog has to look at by now. */
interface Due {
  readonly agent: string
  readonly health: HealthState
  readonly intervalMs: number
  readonly heard: number
  /** It gave a sign of life after the one upon which it was judged. */
  readonly isHeard: boolean
  readonly lastBeatAt: Date | null
  readonly dueAt: Date
  readonly version: number
  readonly missed: number
}

/** What is to be said of an agent that is due: one step at a time, so that nobody is lost who was not late. */
const verdict = ({ health: was, isHeard, intervalMs, heard, lastBeatAt, missed }: Due): NewEvent => {
  const judged = { intervalMs, heard, lastBeatAt: lastBeatAt?.toISOString() ?? null }
  if (was === "healthy" || was === "unknown")
    return AgentRanLate.make({ ...judged, missed }, { labels: healthLabels("late") })
  return isHeard
    ? AgentRecovered.make({ ...judged, was }, { labels: healthLabels("healthy") })
    : AgentLost.make({ ...judged, missed }, { labels: healthLabels("lost") })
}

/** What is asked of the read model. */
interface Questions {
  readonly due: (position: number, last: Due | undefined) => Effect.Effect<ReadonlyArray<Due>, PostgresError>
  /** In how many ms the next agent is due. */
  readonly soonest: Effect.Effect<number, PostgresError>
}

const questions = (postgres: Postgres["Service"]): Questions => {
  const ask = asking(postgres)
  const due = ask<Due>("#projections/vitals/due.sql")
  const soonest = ask<{ readonly inMs: number | null }>("#projections/vitals/soonest.sql")
  return {
    due: (position, last) => due(position, AT_ONCE, last?.dueAt ?? "-infinity", last?.agent ?? ""),
    soonest: Effect.map(soonest(), ([row]) => row?.inMs ?? Number.POSITIVE_INFINITY)
  }
}

/** Judges agents by when they were last heard of, as long as this engine is the one that folds the read model which tells. */
class Watchdog {
  private readonly questions: Questions
  private readonly emit: EventLog["Service"]["emit"]
  private readonly projections: Projections["Service"]
  /** How far the read model was at the last look, and when the next agent is due, by performance.now(). */
  private seen = -1
  private nextAt = 0
  private readonly quietly = warningOnce("the health of agents cannot be judged now")

  constructor(asked: Questions, log: EventLog["Service"], projections: Projections["Service"]) {
    this.questions = asked
    this.emit = log.emit
    this.projections = projections
  }

  /** A look. What fails is tried again at the next one. */
  readonly look: Effect.Effect<void> = Effect.suspend(() => {
    const standing = this.projections.status().find(({ name }) => name === vitals.name)
    const isOwn = standing !== undefined && !standing.follows && standing.state !== "stopped"
    if (!isOwn || (standing.position === this.seen && performance.now() < this.nextAt)) return Effect.void
    return Effect.asVoid(this.quietly(this.judgeAll(standing.position)))
  })

  private readonly judgeAll = Effect.fnUntraced(
    { self: this },
    function* (position: number): Effect.fn.Return<void, LogError | PostgresError> {
      let last: Due | undefined
      for (;;) {
        const found: ReadonlyArray<Due> = yield* this.questions.due(position, last)
        yield* Effect.forEach(found, (one) => this.judge(one), { concurrency: AT_ONCE, discard: true })
        if (found.length < AT_ONCE) break
        last = found.at(-1)
      }
      this.nextAt = performance.now() + (yield* this.questions.soonest)
      this.seen = position
    }
  )

  /** Where anybody else has said something of it meanwhile, another watchdog among them, it is looked at again when that is folded. */
  private judge(due: Due): Effect.Effect<void, LogError> {
    return this.emit(healthStream(due.agent), verdict(due), { expected: due.version }).pipe(
      Effect.asVoid,
      Effect.catch((error) => (error.reason instanceof VersionConflict ? Effect.void : Effect.fail(error)))
    )
  }
}

/** Makes a watchdog's look: each judges those agents that are due. What fails is tried again at the next one. */
export const watchdogLook = Effect.gen(function* () {
  return new Watchdog(questions(yield* Postgres), yield* EventLog, yield* Projections).look
})

/**
 * Watches the agents of the fleet as long as the engine is there. Of all engines the one does it that folds the read model of their health; that of
 * two which both take themselves for that one only one is heard, the versions of the agents' streams see to.
 */
export const watchdog = (
  everyMs = LOOK_EVERY_MS
): Layer.Layer<never, never, Postgres | EventLog | Projections> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const look = yield* watchdogLook
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(everyMs), look)))
    })
  )
