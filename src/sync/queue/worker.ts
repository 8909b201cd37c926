import { Effect, Schedule } from "effect"
import { Bell } from "../../base/bell.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { WorkQueue } from "./queue.ts"
import type { Outcome, Work, WorkFailure } from "./work.ts"

/** How much is taken on at once. */
const AT_ONCE = 256

/** How long to wait before looking again at most, in ms: others put work into the queue, too. */
const LOOK_MS = 1_000

/** How long to wait where the server does not answer, in ms. */
const AWAY_MS = 500

/** How often it is said that work is still being done, in ms: well before it is free. */
const EXTEND_MS = 3_000

/** How often it is tried to say what has become of work. */
const SAID_TRIES = 120

/** How often work may fail before it is parked. */
export const ATTEMPTS = 8

/** The longest wait before the second try, in ms, doubling … */
const RETRY_FIRST_MS = 1_000

/** … up to this. */
const RETRY_LONGEST_MS = 300_000

/** How long to wait before another try, in ms, when so many have failed: spread, so that what failed together is not tried together. */
export const retryDelayMs = (failures: number): number =>
  Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)

/** Does work: what has become of each, by its id. What has no outcome is done. */
export type Perform = (works: ReadonlyArray<Work>) => Effect.Effect<ReadonlyMap<string, Outcome>>

/** Does what is due, and has what fails tried again. */
export class Worker {
  private readonly queue: WorkQueue
  private readonly perform: Perform
  private readonly bell = new Bell()

  constructor(queue: WorkQueue, perform: Perform) {
    this.queue = queue
    this.perform = perform
  }

  /** There may be something to do. */
  wake(): void {
    this.bell.ring()
  }

  /** Goes on until it is interrupted. */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.suspend(() =>
      Effect.catch(this.turn, () =>
        // It will answer by and by; what was taken on is free again after a while.
        Effect.sleep(AWAY_MS)
      )
    )
  )

  private get turn(): Effect.Effect<void, PostgresError> {
    const { queue, bell } = this
    return Effect.gen({ self: this }, function* () {
      const works = yield* queue.claim(AT_ONCE)
      if (works.length > 0) return yield* this.work(works)
      const next = yield* queue.next
      yield* bell.wait(Math.min(next ?? LOOK_MS, LOOK_MS))
    })
  }

  private work(works: ReadonlyArray<Work>): Effect.Effect<void, PostgresError> {
    // Whoever closes leaves to others what he has not done.
    const performed = Effect.onInterrupt(this.perform(works), () =>
      Effect.ignore(this.queue.release(works, false, 0))
    )
    const done = Effect.flatMap(performed, (outcomes) =>
      // Unsaid, all of it would be done again, and not before it is free.
      Effect.retry(this.said(works, outcomes), { schedule: Schedule.spaced(AWAY_MS), times: SAID_TRIES })
    )
    return Effect.raceFirst(done, this.extended(works))
  }

  /** Says that work is still being done, until it is interrupted. */
  private extended(works: ReadonlyArray<Work>): Effect.Effect<never> {
    // A query that is interrupted costs its connection.
    const extend = Effect.uninterruptible(Effect.ignore(this.queue.extend(works)))
    return Effect.forever(Effect.andThen(Effect.sleep(EXTEND_MS), extend))
  }

  /** What has become of work is written down; twice is as well as once. */
  private said(
    works: ReadonlyArray<Work>,
    outcomes: ReadonlyMap<string, Outcome>
  ): Effect.Effect<void, PostgresError> {
    const { queue } = this
    return Effect.gen({ self: this }, function* () {
      const kindOf = ({ work }: Work): Outcome["kind"] => outcomes.get(work)?.kind ?? "done"
      yield* queue.finish(works.filter((work) => kindOf(work) === "done"))
      yield* queue.release(
        works.filter((work) => kindOf(work) === "held"),
        true,
        0
      )
      yield* queue.release(
        works.filter((work) => kindOf(work) === "away"),
        false,
        AWAY_MS
      )
      for (const work of works) yield* this.failed(work, outcomes.get(work.work))
      yield* this.broken(works, outcomes)
    })
  }

  /** What cannot be written is told of once, however much was to be brought there. */
  private broken(
    works: ReadonlyArray<Work>,
    outcomes: ReadonlyMap<string, Outcome>
  ): Effect.Effect<void, PostgresError> {
    const failures = new Map<string, WorkFailure>()
    for (const { work, target } of works) {
      const outcome = outcomes.get(work)
      if (outcome?.kind === "failed" && outcome.isTarget) failures.set(target, outcome.failure)
    }
    return Effect.forEach([...failures], ([target, failure]) => this.queue.breaks({ target }, failure), {
      discard: true
    })
  }

  private failed(work: Work, outcome: Outcome | undefined): Effect.Effect<void, PostgresError> {
    if (outcome === undefined || !("failure" in outcome)) return Effect.void
    const { queue } = this
    const { failure } = outcome
    const failures = work.attempts + 1
    const isOver = outcome.kind === "stuck" || failures >= ATTEMPTS
    return queue.fail(work, failure, isOver ? undefined : retryDelayMs(failures))
  }
}
