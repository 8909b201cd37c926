/** Something to bring from one branch into another. */
export interface Work {
  readonly work: string
  /** The link whose it is; else `options` say how. */
  readonly link: string | undefined
  /** The streams of both branches. */
  readonly source: string
  readonly target: string
  readonly options: unknown
  /** Grows when there is more to bring. */
  readonly version: number
  /** How often it has failed. */
  readonly attempts: number
}

/** Why something could not be brought. */
export interface WorkFailure {
  /** The name of the error. */
  readonly error: string
  readonly message: string
}

/**
 * What has become of work. `away`: the server does not answer, and nobody is at fault. `held`: its link is paused. `stuck`: it cannot be done as things
 * are, and is tried again when one of its branches, or its agent, has changed. `failed`: it is tried again by and by; `isTarget` where it is
 * its target that could not be written.
 */
export type Outcome =
  | { readonly kind: "done" | "away" | "held" }
  | { readonly kind: "stuck"; readonly failure: WorkFailure }
  | { readonly kind: "failed"; readonly failure: WorkFailure; readonly isTarget: boolean }

export const DONE: Outcome = { kind: "done" }

/** What is brought first, where there is more than can be done at once. */
export type Priority = "high" | "normal" | "low"

export const PRIORITIES: ReadonlyArray<Priority> = ["high", "normal", "low"]

export const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority)

export const WORK_STATES = ["waiting", "running", "retrying", "held", "parked"] as const

export type WorkState = (typeof WORK_STATES)[number]

/** Something that is still to be brought, as it stands. */
export interface QueuedWork {
  readonly work: string
  readonly link: string | null
  readonly source: { readonly agent: string; readonly branch: string }
  readonly target: { readonly agent: string; readonly branch: string }
  readonly state: WorkState
  readonly priority: Priority
  readonly attempts: number
  readonly failure: WorkFailure | null
  readonly queuedAt: Date
  /** When it is tried next. */
  readonly dueAt: Date
}

/** A branch into which nothing is brought for a while, since it could not be written again and again. */
export interface BrokenTarget {
  readonly agent: string
  readonly branch: string
  readonly failures: number
  /** When it is tried again, with one thing. */
  readonly openUntil: Date
  readonly failure: WorkFailure
}

/** How much is still to be brought. */
export interface QueueStanding {
  /** Not tried yet … */
  readonly waiting: number
  /** … tried without success, and to be tried again … */
  readonly retrying: number
  /** … of links that are paused … */
  readonly held: number
  /** … and given up until somebody retries it, or what was wrong has changed. */
  readonly parked: number
  /** For how long the oldest that is waiting or retrying has been there, in ms. */
  readonly oldestMs: number
  readonly broken: ReadonlyArray<BrokenTarget>
}
