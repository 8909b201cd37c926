import { Effect } from "effect"
import type { Run } from "./cursor.ts"
import type { Tried } from "./held.ts"

/** How long an owner is careful after one that ended without a word, in ms: for what that had handled and not written down, and more. */
export const CAREFUL_MS = 5_000

/** How long a careful owner lets another finish first, in ms. */
const TURN_MS = 1_000

/** What an event is said to have failed with whose handling nobody lived to tell of. */
const ENDED =
  "The process that handled it ended without a word, or was taken for gone, before the event was handled"

export const endedSilently = (): Error => new Error(ENDED)

/** Whether its last attempt ended like this: then the next may, too. */
export const hasEndedSilently = ({ errors }: Pick<Tried, "errors">): boolean =>
  errors.at(-1)?.message === ENDED

/**
 * What an owner knows of the one before it. One that ended without a word may have been ended by an event: for a while each is
 * handed over alone, and written down before; whoever comes next knows which it was, and counts that as a failed attempt.
 */
export class Caution {
  /** By performance.now(); 0 where the owner before left in good order. */
  private until = 0
  private suspect: number | undefined

  /** The owner before left no word, and may have been at an event that it had written down. */
  begin(suspect: number | undefined): void {
    this.until = performance.now() + CAREFUL_MS
    this.suspect = suspect
  }

  /** Whether events are to be handed over one by one, where so much is handled. */
  isOn(handled: number): boolean {
    if (this.until === 0) return false
    return performance.now() < this.until || (this.suspect !== undefined && this.suspect > handled)
  }

  /** Whether the owner before ended at this event. */
  suspects(position: number): boolean {
    return this.suspect === position
  }

  /** The same; it is told once. */
  blames(position: number): boolean {
    if (!this.suspects(position)) return false
    this.suspect = undefined
    return true
  }
}

/**
 * Careful owners of an engine hand over one event at a time among them, so that what ends the process is known; but none waits
 * long for a handler of another.
 */
export class Turns {
  private readonly run: Run
  private last: Promise<void> = Promise.resolve()

  constructor(run: Run) {
    this.run = run
  }

  async take<A>(work: () => Promise<A>): Promise<A> {
    const before = this.last
    let end: () => void = () => undefined
    this.last = new Promise((done) => {
      end = done
    })
    await this.run(
      Effect.timeoutOption(
        Effect.promise(() => before),
        TURN_MS
      )
    )
    try {
      return await work()
    } finally {
      end()
    }
  }
}
