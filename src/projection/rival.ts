/** How soon to look whether another process got further, in ms: doubling while it did not. */
const FIRST_LOOK_MS = 25
const LONGEST_LOOK_MS = 250

/** … and where somebody waits for it. */
const HURRIED_LOOK_MS = 5

/** How long another process may leave events unfolded before this one takes over, in ms. */
const PATIENCE_MS = 1_000

/**
 * Another process that folds the same projection. As long as it gets on, this one only looks now and then, instead of
 * folding every batch a second time for nothing.
 */
export class Rival {
  private readonly patienceMs: number
  private since = performance.now()
  private interval = FIRST_LOOK_MS

  constructor(patienceMs: number = PATIENCE_MS) {
    this.patienceMs = patienceMs
  }

  /** It got further, or had nothing to do. */
  gotOn(): void {
    this.since = performance.now()
    this.interval = FIRST_LOOK_MS
  }

  /** It left events unfolded for too long. */
  get isGone(): boolean {
    return performance.now() - this.since >= this.patienceMs
  }

  /** When to look again, in ms. */
  nextLookMs(isHurried: boolean): number {
    if (isHurried) return HURRIED_LOOK_MS
    const { interval } = this
    this.interval = Math.min(LONGEST_LOOK_MS, interval * 2)
    return interval
  }
}
