import { Effect } from "effect"
import { type ProjectionReason, type ProjectionError, projectionError } from "./error.ts"

interface Waiter {
  readonly position: number
  readonly settle: (outcome: Effect.Effect<void, ProjectionError>) => void
}

/** Over how long the rate is taken, in ms. */
const RATE_WINDOW_MS = 10_000

interface Folded {
  readonly at: number
  readonly events: number
}

/** How far a projection has come, who waits for it, and how fast it goes. */
export class Progress {
  /** Everything up to here that the projection folds is in its tables, whoever folded it. */
  position = 0
  private readonly waiters = new Set<Waiter>()
  private recent: Array<Folded> = []

  get isAwaited(): boolean {
    return this.waiters.size > 0
  }

  /** Everything up to a position is in the tables. */
  reach(position: number): void {
    this.position = position
    for (const waiter of this.waiters) {
      if (waiter.position <= position) waiter.settle(Effect.void)
    }
  }

  /** Nobody needs to wait any longer. */
  fail(reason: ProjectionReason): void {
    for (const waiter of this.waiters) waiter.settle(Effect.fail(projectionError(reason)))
  }

  /** Until everything up to a position is in the tables. */
  wait(position: number): Effect.Effect<void, ProjectionError> {
    return Effect.callback((resume) => {
      if (position <= this.position) {
        resume(Effect.void)
        return
      }
      const waiter: Waiter = {
        position,
        settle: (outcome) => {
          this.waiters.delete(waiter)
          resume(outcome)
        }
      }
      this.waiters.add(waiter)
      return Effect.sync(() => this.waiters.delete(waiter))
    })
  }

  folded(events: number): void {
    this.recent.push({ at: performance.now(), events })
    this.forget()
  }

  /** Events folded by this process per second, over the last ten seconds. */
  rate(): number {
    this.forget()
    const events = this.recent.reduce((sum, folded) => sum + folded.events, 0)
    return Math.round((events * 10_000) / RATE_WINDOW_MS) / 10
  }

  private forget(): void {
    const since = performance.now() - RATE_WINDOW_MS
    const kept = this.recent.findIndex((folded) => folded.at >= since)
    if (kept !== 0) this.recent = kept === -1 ? [] : this.recent.slice(kept)
  }
}
