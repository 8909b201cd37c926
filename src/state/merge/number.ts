import type { NumberStrategy } from "./rule.ts"

/** Both differences are added to the base before anything else, so that the sum is the same whichever side is ours. */
const counted = (base: number, ours: number, theirs: number): number | undefined => {
  const sum = base + (ours - base + (theirs - base))
  const numbers = [base, ours, theirs, sum]
  const exact = numbers.slice(0, -1).every(Number.isInteger)
    ? numbers.every(Number.isSafeInteger)
    : Number.isFinite(sum)
  return exact ? sum : undefined
}

/**
 * Merges numbers that both sides changed. Undefined where a counter cannot be had: it overflows, or its whole numbers
 * leave what a double counts one by one.
 */
export const mergeNumbers = (
  strategy: NumberStrategy,
  base: number,
  ours: number,
  theirs: number
): number | undefined => {
  switch (strategy) {
    case "counter":
      return counted(base, ours, theirs)
    case "max":
      return Math.max(ours, theirs)
    case "min":
      return Math.min(ours, theirs)
  }
}
