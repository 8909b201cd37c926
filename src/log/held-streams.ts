import { Effect, Semaphore } from "effect"
import { type Delivery, late, type Waiting } from "./delivery.ts"

/** How many streams that somebody's transaction holds may be waited for at once, each on a connection of its own. */
const LANES_APART = 2

/** How long one of them is waited for, in ms, before the next has its turn. */
const TURN_MS = 1_000

const HELD = "somebody's transaction held the stream until the deadline"

export interface HeldStreamsRules {
  readonly delivery: Delivery
  readonly isPending: (waiting: Waiting) => boolean
  readonly settle: (waiting: Waiting, outcome: ReturnType<typeof late>) => void
}

/** The streams that somebody's transaction holds: waited for in turns, so that none that is held for long starves the others. */
export class HeldStreams {
  private readonly rules: HeldStreamsRules
  private readonly waiting = new Set<Waiting>()
  private readonly lanes = Semaphore.makeUnsafe(LANES_APART)

  constructor(rules: HeldStreamsRules) {
    this.rules = rules
  }

  get size(): number {
    return this.waiting.size
  }

  get names(): ReadonlyArray<string> {
    return [...new Set([...this.waiting].flatMap((one) => one.request.parts.map((part) => part.stream)))]
  }

  /** Ends when all of a batch that shares its streams are settled, in their order. */
  wait(batch: ReadonlyArray<Waiting>): Effect.Effect<void> {
    for (const one of batch) this.waiting.add(one)
    return Effect.ensuring(
      this.takeTurns(batch),
      Effect.sync(() => {
        for (const one of batch) this.waiting.delete(one)
      })
    )
  }

  private pending(batch: ReadonlyArray<Waiting>): ReadonlyArray<Waiting> {
    return batch.filter((one) => this.rules.isPending(one))
  }

  private takeTurns(batch: ReadonlyArray<Waiting>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (let left = this.pending(batch); left.length > 0; left = this.pending(left)) yield* this.turn(left)
    })
  }

  /** Whose time is up before the turn comes is told so then; whose time is up during the turn is told by its delivery. */
  private turn(batch: ReadonlyArray<Waiting>): Effect.Effect<void> {
    let begun = false
    const delivered = this.lanes.withPermits(1)(
      Effect.suspend(() => {
        begun = true
        const left = this.pending(batch)
        return left.length === 0 ? Effect.void : this.rules.delivery.deliver(left, turnMs(left))
      })
    )
    const expired = Effect.gen({ self: this }, function* () {
      for (let left = this.pending(batch); left.length > 0; left = this.pending(left)) {
        yield* Effect.sleep(untilFirstDeadline(left))
        if (begun) return yield* Effect.never
        for (const one of left) if (one.deadline <= Date.now()) this.rules.settle(one, late(one, HELD))
      }
    })
    return Effect.raceFirst(delivered, expired)
  }
}

const untilFirstDeadline = (batch: ReadonlyArray<Waiting>): number =>
  Math.max(1, Math.min(...batch.map((one) => one.deadline)) - Date.now())

const turnMs = (batch: ReadonlyArray<Waiting>): number => Math.min(TURN_MS, untilFirstDeadline(batch))
