import { Effect, Exit } from "effect"

interface Waiting<Wanted, Found, E> {
  readonly wanted: Wanted
  readonly resume: (answer: Effect.Effect<Found, E>) => void
}

/** How many questions are under way at once: a slow one does not keep all others waiting. */
const AT_ONCE = 2

/** How much one question asks for at most. */
const MOST = 256

/** Asks one question for all that several callers want at the same time; while it is under way, the next one is gathered. */
export class Gatherer<Wanted, Found, E> {
  private readonly ask: (wanted: ReadonlyArray<Wanted>) => Effect.Effect<ReadonlyArray<Found>, E>
  private waiting: Array<Waiting<Wanted, Found, E>> = []
  private underWay = 0
  private isScheduled = false

  /** @param ask Answers in the order of what is wanted. */
  constructor(ask: (wanted: ReadonlyArray<Wanted>) => Effect.Effect<ReadonlyArray<Found>, E>) {
    this.ask = ask
  }

  one(wanted: Wanted): Effect.Effect<Found, E> {
    return Effect.callback((resume) => {
      const one = { wanted, resume }
      this.waiting.push(one)
      this.schedule()
      return Effect.sync(() => {
        this.waiting = this.waiting.filter((other) => other !== one)
      })
    })
  }

  /** The callers of this turn of the event loop share a question. */
  private schedule(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      while (this.waiting.length > 0 && this.underWay < AT_ONCE) this.send(this.waiting.splice(0, MOST))
    })
  }

  private send(asked: ReadonlyArray<Waiting<Wanted, Found, E>>): void {
    this.underWay += 1
    // By nobody's fiber: whoever gives up waiting does not end it for the others.
    Effect.runFork(this.ask(asked.map(({ wanted }) => wanted))).addObserver((exit) => {
      this.underWay -= 1
      for (const [at, { resume }] of asked.entries())
        resume(Exit.isSuccess(exit) ? Effect.succeed(exit.value[at]!) : Effect.failCause(exit.cause))
      this.schedule()
    })
  }
}
