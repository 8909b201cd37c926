import type { Facts, Setting } from "./facts.ts"

const KILO = 1024
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: KILO,
  "8kB": 8 * KILO,
  MB: KILO ** 2,
  GB: KILO ** 3
}

const SECOND = 1_000
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  min: 60 * SECOND,
  h: 3_600 * SECOND
}

/** In bytes, or as it is where it is less than nothing, which means something of its own. */
const measured = ({ value, unit }: Setting, units: Readonly<Record<string, number>>): number => {
  const number = Number(value)
  return number < 0 ? number : number * (units[unit ?? ""] ?? 1)
}

/** A setting that the advice says it reads, which therefore is there. */
export const settingOf = ({ server }: Facts, name: string): Setting => server.settings[name]!

export const bytesOf = (facts: Facts, name: string): number => measured(settingOf(facts, name), BYTES)

export const millisecondsOf = (facts: Facts, name: string): number =>
  measured(settingOf(facts, name), MILLISECONDS)

export const numberOf = (facts: Facts, name: string): number => Number(settingOf(facts, name).value)

export const isOn = (facts: Facts, name: string): boolean => settingOf(facts, name).value === "on"

/** A size as PostgreSQL takes it, to the megabyte below ten gigabytes: `512MB`, `12GB`. */
export const sizeSetting = (bytes: number): string => {
  const gigabytes = bytes / KILO ** 3
  return Number.isInteger(gigabytes) || gigabytes >= 10
    ? `${Math.round(gigabytes)}GB`
    : `${Math.max(1, Math.round(bytes / KILO ** 2))}MB`
}

/** A time as PostgreSQL takes it: `90s`, `15min`. */
export const timeSetting = (milliseconds: number): string => {
  const seconds = milliseconds / SECOND
  if (!Number.isInteger(seconds)) return `${milliseconds}ms`
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}min` : `${seconds}s`
}
