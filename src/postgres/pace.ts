/** Of how many statements a process remembers how long they took. */
export const REMEMBERED = 1_000

/** How the server answered the last statements of this process, 1 000 at most. */
export interface Answers {
  /** Of how many it is told; all that follows is undefined where there is none. */
  readonly statements: number
  /** How many of them failed: what a constraint or a lock refused, and what was lost. */
  readonly failed: number
  /** From when a connection was asked to when it answered, in ms: as many percent were faster. */
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** Remembers how long the last statements took. */
export class Pace {
  private readonly took = new Float64Array(REMEMBERED)
  private readonly hasFailed = new Uint8Array(REMEMBERED)
  private count = 0

  note(ms: number, failed: boolean): void {
    const at = this.count % REMEMBERED
    this.took[at] = ms
    this.hasFailed[at] = failed ? 1 : 0
    this.count += 1
  }

  answers(): Answers {
    const statements = Math.min(this.count, REMEMBERED)
    const sorted = this.took.subarray(0, statements).toSorted()
    /** The nearest rank. */
    const quantile = (share: number): number | undefined =>
      sorted[Math.max(0, Math.ceil(share * statements) - 1)]
    return {
      statements,
      failed: this.hasFailed.subarray(0, statements).reduce((sum, one) => sum + one, 0),
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99)
    }
  }
}
