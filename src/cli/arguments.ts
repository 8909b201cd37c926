import { InvalidArgumentError } from "commander"

/** Node's timers hold no longer delay than 2^31 - 1 ms. */
const LONGEST_SECONDS = 2_147_483

/** A number of seconds, above 0. */
export const seconds = (text: string): number => {
  const value = Number(text)
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0 || value > LONGEST_SECONDS) {
    throw new InvalidArgumentError(`Give a number of seconds above 0, at most ${LONGEST_SECONDS}.`)
  }
  return value
}

/** A whole number from 1. */
export const count = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Give a whole number from 1.")
  }
  return value
}

/** A whole number from 0. */
export const wholeNumber = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("Give a whole number from 0.")
  }
  return value
}

/** `start`, `now`, a position or a token; whether a token is one, the log says. */
export const from = (text: string): string | number => {
  if (!/^\d+$/.test(text)) return text
  const position = Number(text)
  if (!Number.isSafeInteger(position)) throw new InvalidArgumentError("No log has a position that high.")
  return position
}

/** Adds to what was given before; commas separate, too. */
export const names = (text: string, before: ReadonlyArray<string> = []): ReadonlyArray<string> => [
  ...before,
  ...text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
]

/** Adds to what was given before; the text may hold commas. */
export const one = (text: string, before: ReadonlyArray<string> = []): ReadonlyArray<string> => [
  ...before,
  text
]

const SIZE_UNITS: Readonly<Record<string, number>> = { MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 }

/** A size as PostgreSQL writes it, in bytes: `16GB`. */
export const memorySize = (text: string): number => {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB)$/.exec(text) ?? []
  const bytes = Math.round(Number(number) * (SIZE_UNITS[unit] ?? 0))
  if (bytes < 1 || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError("Give a size with its unit: 512MB, 16GB.")
  return bytes
}
