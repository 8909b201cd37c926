import { randomInt } from "node:crypto"

/** The variable that replays a run's random choices. */
const wantedSeed = "TIDEMARK_TEST_SEED"

const highestSeed = 2 ** 31

/** The seed of a test: told on the way, and taken from TIDEMARK_TEST_SEED to replay. */
export const seedFor = (test: string): number => {
  const wanted = process.env[wantedSeed]
  const seed = wanted === undefined || wanted === "" ? randomInt(highestSeed) : Number(wanted)
  console.info(`${test}: replay with ${wantedSeed}=${seed}`)
  return seed
}

export type Random = {
  /** From 0 up to, not including, 1. */
  readonly next: () => number
  /** A whole number from `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number
  readonly oneOf: <A>(choices: ReadonlyArray<A>) => A
  /** True in `share` of all cases. */
  readonly chance: (share: number) => boolean
}

/** The same numbers for the same seed, and unlike ones for different seeds: a 32-bit mix of a counter. */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    oneOf: (choices) => choices[between(0, choices.length - 1)]!,
    chance: (share) => next() < share
  }
}
