import { Effect } from "effect"
import { clause } from "../../base/clause.ts"
import type { RetentionStep, RetentionStepKind } from "./report.ts"

/** What is about to be done. */
export type Begun = Pick<RetentionStep, "kind" | "subject" | "why">

interface Failing {
  readonly message: string
}

/** What a run has done so far. */
export class Steps {
  readonly taken: Array<RetentionStep> = []
  private readonly isDryRun: boolean
  private readonly onStep: (step: Begun) => void

  constructor(isDryRun: boolean, onStep: (step: Begun) => void) {
    this.isDryRun = isDryRun
    this.onStep = onStep
  }

  /** Does it, or says on a dry run that it would; undefined where it failed, which is told. `eventsOf`: of how many events it was. */
  take<A, E extends Failing, R>(
    kind: RetentionStepKind,
    subject: string,
    why: string,
    work: Effect.Effect<A, E, R>,
    eventsOf: (done: A) => number | null
  ): Effect.Effect<A | undefined, never, R> {
    const begun = { kind, subject, why }
    return Effect.suspend(() => {
      const began = performance.now()
      const tell = (rest: Pick<RetentionStep, "outcome" | "problem" | "events">): void => {
        this.taken.push({ ...begun, ...rest, tookMs: performance.now() - began })
      }
      this.onStep(begun)
      return Effect.match(work, {
        onSuccess: (done) => {
          tell({ outcome: this.isDryRun ? "would" : "done", problem: null, events: eventsOf(done) })
          return done
        },
        onFailure: (error) => {
          tell({ outcome: "failed", problem: clause(error.message), events: null })
          return undefined
        }
      })
    })
  }
}
