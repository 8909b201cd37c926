/** The same numbers for the same seed. */
export interface Random {
  /** A whole number from 0 up to, not including, `count`. */
  readonly below: (count: number) => number
  readonly oneOf: <A>(choices: ReadonlyArray<A>) => A
}

const STEP = 0x9e3779b9
const RANGE = 2 ** 32

/** Mulberry32: a counter, mixed. */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + STEP) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / RANGE
  }
  const below = (count: number): number => Math.floor(next() * count)
  return { below, oneOf: (choices) => choices[below(choices.length)]! }
}
