import { builtIn } from "../../../dist/projections/index.js"
import { quantile } from "../quantile.ts"

/** How far each read model was at one moment. */
export interface Look {
  /** By the database's clock, in ms. */
  readonly at: number
  readonly positions: ReadonlyMap<string, number>
}

export interface Recorded {
  readonly position: number
  readonly type: string
  readonly at: number
}

/** How far one read model was behind at one moment. */
export interface Lag {
  readonly name: string
  /** For how long the oldest event had been there that it had still to fold. */
  readonly ms: number
  /** How many events of its types it had still to fold. */
  readonly events: number
}

const NONE_LEFT = { ms: 0, events: 0 }

/** How many of these have come by a moment, or lie up to a position: they ascend. */
const countUpTo = (ascending: ReadonlyArray<number>, most: number): number => {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! <= most) low = middle + 1
    else high = middle
  }
  return low
}

/** What one read model had still to fold at each look. An event counts from when it was recorded, whether readers could see it yet or not. */
const lagsOf = (
  { name, events }: { readonly name: string; readonly events: ReadonlyArray<{ readonly type: string }> },
  looks: ReadonlyArray<Look>,
  log: ReadonlyArray<Recorded>
): ReadonlyArray<Lag> => {
  const types = new Set(events.map(({ type }) => type))
  const own = log.filter(({ type }) => types.has(type))
  const positions = own.map(({ position }) => position)
  const times = own.map(({ at }) => at).toSorted((a, b) => a - b)
  return looks.map((look) => {
    const folded = countUpTo(positions, look.positions.get(name) ?? 0)
    const recorded = countUpTo(times, look.at)
    if (recorded <= folded) return { name, ...NONE_LEFT }
    return { name, ms: Math.max(0, look.at - own[folded]!.at), events: recorded - folded }
  })
}

/** How far the read models were behind, at each look of the log that is given; by model. */
export const lags = (
  looks: ReadonlyArray<Look>,
  log: ReadonlyArray<Recorded>
): ReadonlyArray<ReadonlyArray<Lag>> => Object.values(builtIn).map((model) => lagsOf(model, looks, log))

/** At each look, of the read model that was furthest behind. */
export const slowest = (models: ReadonlyArray<ReadonlyArray<Lag>>): ReadonlyArray<Lag> =>
  models[0]!.map((_, look) => models.map((all) => all[look]!).reduce((a, b) => (b.ms > a.ms ? b : a)))

export interface Summary {
  readonly name: string
  readonly p50: number
  readonly max: number
  readonly end: number
}

/** How far each read model was behind, in ms, the worst first. */
export const summaries = (models: ReadonlyArray<ReadonlyArray<Lag>>): ReadonlyArray<Summary> =>
  models
    .map((all) => {
      const ms = all.map((lag) => lag.ms)
      return {
        name: all[0]!.name,
        p50: quantile(ms, 0.5),
        max: Math.max(...ms),
        end: ms.at(-1)!
      }
    })
    .toSorted((a, b) => b.max - a.max)
