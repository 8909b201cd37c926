import { setTimeout as pause } from "node:timers/promises"
import type { Engine, NewEvent, Part } from "../../../dist/src/index.js"
import { quantile } from "../quantile.ts"
import type { Stretch } from "./fill.ts"
import { eventAt } from "./mix.ts"
import { changeState } from "./states.ts"

/** How long events gather until they are emitted, as by whatever takes them in for a fleet. */
const TICK_MS = 50

export interface Pace extends Stretch {
  readonly perSecond: number
}

export interface Emitted {
  /** From the first tick until all were acknowledged. */
  readonly perSecond: number
  /** From when an event was due until it was acknowledged, in ms. */
  readonly p50: number
  readonly p99: number
}

/** The events with these numbers, a part for each stream; and the numbers of those that are changes of states. */
const gathered = (numbers: ReadonlyArray<number>) => {
  const streams = new Map<string, Array<NewEvent>>()
  const changes: Array<number> = []
  for (const n of numbers) {
    const placed = eventAt(n)
    if (placed === undefined) changes.push(n)
    else {
      const before = streams.get(placed.stream)
      if (before === undefined) streams.set(placed.stream, [placed.event])
      else before.push(placed.event)
    }
  }
  const parts = [...streams].map(([stream, events]): Part => ({ stream, events }))
  return { parts, changes }
}

/** Emits a stretch of the fleet's events at a steady rate, never waiting for an answer: all that came due since the last tick, as one append. */
export const emitFleet = async (engine: Engine, { first, count, perSecond }: Pace): Promise<Emitted> => {
  const delays: Array<number> = []
  const failures: Array<unknown> = []
  const appends: Array<Promise<unknown>> = []
  const began = performance.now()
  let next = 0
  while (next < count) {
    const due = Math.min(count, Math.floor(((performance.now() - began) * perSecond) / 1000))
    const numbers = Array.from({ length: due - next }, (_, at) => first + next + at)
    const dueAt = began + (next / perSecond) * 1000
    next = due
    const { parts, changes } = gathered(numbers)
    const emits = changes.map((n) => changeState(engine, n))
    if (parts.length > 0) emits.push(engine.emitAll(parts))
    for (const emit of emits) {
      const acknowledged = emit.then(
        () => delays.push(performance.now() - dueAt),
        (error: unknown) => failures.push(error)
      )
      appends.push(acknowledged)
    }
    await pause(TICK_MS)
  }
  await Promise.all(appends)
  if (failures.length > 0) throw failures[0]
  const seconds = (performance.now() - began) / 1000
  return { perSecond: count / seconds, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
}
