import type { Figure } from "./figure.ts"
import type { Server } from "./server.ts"

/** What a measure works with. */
export interface Bench {
  readonly server: Server
  /** How often each contender has its turn; a figure is the median of its turns. */
  readonly rounds: number
  /** Milliseconds of one turn under load. */
  readonly turn: number
  /** Events in the big log of emit.c64.5M. */
  readonly bigLog: number
  /** Events in the log that rebuild.all folds. */
  readonly fleetLog: number
  /** Tells a waiting human what is going on; never on stdout. */
  note(line: string): void
}

/** One set-up that yields one or more figures. */
export interface Measure {
  readonly figures: ReadonlyArray<string>
  run(bench: Bench): Promise<ReadonlyArray<Figure>>
}
