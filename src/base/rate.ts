/** Over how long a rate is taken, in ms. */
export const RATE_WINDOW_MS = 10_000

/** How finely it is taken, in ms. */
const STEP_MS = 500

const MS_PER_SECOND = 1_000

/** How much of something happens per second, over the last ten seconds. */
export class Rate {
  private steps: Array<{ readonly at: number; count: number }> = []

  add(count: number): void {
    const now = performance.now()
    const last = this.steps.at(-1)
    if (last !== undefined && now - last.at < STEP_MS) last.count += count
    else this.steps.push({ at: now, count })
    this.forget(now)
  }

  /** To a tenth; as if so much more had happened just now. */
  perSecond(more = 0): number {
    this.forget(performance.now())
    const sum = this.steps.reduce((all, step) => all + step.count, more)
    return Math.round((sum * 10 * MS_PER_SECOND) / RATE_WINDOW_MS) / 10
  }

  private forget(now: number): void {
    const kept = this.steps.findIndex((step) => step.at >= now - RATE_WINDOW_MS)
    if (kept !== 0) this.steps = kept === -1 ? [] : this.steps.slice(kept)
  }
}
