import { setImmediate } from "node:timers/promises"
import { type Engine, OutcomeUnknown, Unavailable } from "../../src/index.ts"
import { deferred, inTime } from "../support/eventually.ts"
import type { History, Meant, Place } from "../support/history.ts"
import type { Random } from "../support/random.ts"
import { meant, toEmit } from "./scene.ts"

export type LoadOptions = {
  readonly random: Random
  readonly callers: number
  /** Streams that the callers share. */
  readonly streams: number
}

/** Declare it with `await using`, so that it ends with its scenario, however that ends. */
export type Load = AsyncDisposable & {
  readonly acknowledged: number
  /** How often a caller was told that the outcome is unknown; it then sends the same again. */
  readonly unknown: number
  /** Resolves when so many emits were acknowledged since the start. */
  readonly reaches: (count: number, within?: number) => Promise<void>
  /** Ends the callers after the emit that each is at; rejects with what an emit failed with that it may not. */
  readonly stop: () => Promise<void>
}

/** Callers who emit without pause, each its next after the last was answered, and who note in a history what they know. */
export const startLoad = (
  engine: Engine,
  history: History,
  { random, callers, streams }: LoadOptions
): Load => {
  const goals: Array<{ readonly count: number; readonly reached: () => void }> = []
  let acknowledged = 0
  let unknown = 0
  let over = false

  const acknowledge = (places: ReadonlyArray<Place>) => {
    history.acknowledged(places)
    acknowledged += 1
    for (const { count, reached } of goals) if (acknowledged >= count) reached()
  }

  const stream = () => `order-${random.between(1, streams)}`

  const append = async (events: ReadonlyArray<Meant>): Promise<ReadonlyArray<Place>> => {
    const names = [...new Set(events.map((event) => event.stream))]
    if (names.length === 1) return (await engine.emit(names[0]!, toEmit(events))).events
    const parts = names.map((name) => ({
      stream: name,
      events: toEmit(events.filter((event) => event.stream === name))
    }))
    return (await engine.emitAll(parts)).flatMap((part) => part.events)
  }

  /** As the error's message tells callers to: what may have happened is sent again, unchanged. */
  const sendUntilKnown = async (events: ReadonlyArray<Meant>): Promise<void> => {
    for (;;) {
      try {
        return acknowledge(await append(events))
      } catch (error) {
        if (error instanceof Unavailable) {
          history.refused(events[0]!.id)
          // An engine that says no at once must not be asked without end.
          return void (await setImmediate())
        }
        if (!(error instanceof OutcomeUnknown)) throw error
        unknown += 1
      }
    }
  }

  const caller = async () => {
    while (!over) {
      const first = stream()
      const second = random.chance(0.2) ? stream() : first
      const events = meant(first, random.between(1, 4))
      const all = second === first ? events : [...events, ...meant(second, random.between(1, 2))]
      history.sent(all)
      await sendUntilKnown(all)
    }
  }

  const failed = deferred<never>()
  const ended = Promise.all(Array.from({ length: callers }, caller))
  ended.catch(failed.reject)

  const stop = async () => {
    over = true
    await ended
  }

  return {
    get acknowledged() {
      return acknowledged
    },
    get unknown() {
      return unknown
    },
    reaches: async (count, within) => {
      const { promise, resolve } = deferred()
      goals.push({ count, reached: resolve })
      if (acknowledged >= count) resolve()
      const wait = { what: `${count} acknowledgements`, ...(within === undefined ? {} : { within }) }
      await inTime(Promise.race([promise, failed.promise]), wait, () => acknowledged)
    },
    stop,
    [Symbol.asyncDispose]: () => stop().catch(() => undefined)
  }
}
