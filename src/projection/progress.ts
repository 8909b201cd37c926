import { Effect } from "effect"
import { Rate } from "../base/rate.ts"
import { type ProjectionReason, type ProjectionError, projectionError } from "./error.ts"

interface Waiter {
  readonly position: number
  readonly settle: (outcome: Effect.Effect<void, ProjectionError>) => void
}

/** How far a projection has come, who waits for it, and how fast it goes. */
export class Progress {
  /** Everything up to here that the projection folds is in its tables, whoever folded it. */
  position = 0
  private readonly waiters = new Set<Waiter>()
  private readonly recent = new Rate()

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
    this.recent.add(events)
  }

  /** Events folded by this process per second, over the last ten seconds; as if so many more had been folded just now. */
  rate(more = 0): number {
    return this.recent.perSecond(more)
  }
}
