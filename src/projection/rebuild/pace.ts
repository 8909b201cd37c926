/** What a rebuild is at. */
export type Phase = "fill" | "index" | "catch up" | "verify" | "swap"

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly projection: string
  readonly phase: Phase
  /** Everything up to here is folded into the new tables. */
  readonly position: number
  /** Where the log, or the live model, was when it was last looked at. */
  readonly target: number
  /** Events of its types that were folded so far. */
  readonly events: number
  /** Events folded per second, from the beginning on. */
  readonly rate: number
  /** How long filling takes from here on at the pace so far, in ms; undefined where that cannot be told. */
  readonly etaMs: number | undefined
}

/** How often at most progress is told, in ms; a new phase is told at once. */
const TELL_MS = 200

const MS_PER_SECOND = 1000

/** Measures how fast a rebuild goes, and tells who wants to know. */
export class Pace {
  events = 0
  target = 0
  private readonly projection: string
  private readonly tell: (progress: RebuildProgress) => void
  private readonly beganAt = performance.now()
  /** Everything up to here was folded, if not saved yet. */
  position = 0
  private phase: Phase = "fill"
  private toldAt = Number.NEGATIVE_INFINITY

  constructor(projection: string, tell: (progress: RebuildProgress) => void) {
    this.projection = projection
    this.tell = tell
  }

  get seconds(): number {
    return (performance.now() - this.beganAt) / MS_PER_SECOND
  }

  get rate(): number {
    return Math.round(this.events / Math.max(this.seconds, 1 / MS_PER_SECOND))
  }

  enter(phase: Phase): void {
    this.phase = phase
    this.say()
  }

  /** So many more events were folded, up to a position. */
  folded(events: number, position: number): void {
    this.events += events
    // Stretches that are folded at once end in any order.
    this.position = Math.max(this.position, position)
    if (performance.now() - this.toldAt >= TELL_MS) this.say()
  }

  /** Goes back to a position: what was folded after it was thrown away. */
  resume(position: number, events: number): void {
    this.events = events
    this.position = position
  }

  private say(): void {
    this.toldAt = performance.now()
    const left = Math.max(0, this.target - this.position)
    const perMs = this.position / Math.max(1, this.toldAt - this.beganAt)
    this.tell({
      projection: this.projection,
      phase: this.phase,
      position: this.position,
      target: this.target,
      events: this.events,
      rate: this.rate,
      etaMs: left === 0 ? 0 : perMs === 0 ? undefined : left / perMs
    })
  }
}
