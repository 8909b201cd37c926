/** A day, or a time of a day with its zone; without one, it would mean another time on every machine. */
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?))?$/

/** A month that ends before that day would go on in the next one. */
const isDay = (year: number, month: number, day: number): boolean => {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/** A Date, or ISO text, in ms since the epoch; undefined for what is neither. A day is its beginning in UTC. */
export const instantOf = (given: Date | string): number | undefined => {
  if (given instanceof Date) return Number.isNaN(given.getTime()) ? undefined : given.getTime()
  const match = typeof given === "string" ? INSTANT.exec(given) : null
  if (match === null) return undefined
  const [, year, month, day, time = "00:00", , hours = "+00", minutes = "00"] = match
  if (!isDay(Number(year), Number(month), Number(day))) return undefined
  const ms = Date.parse(`${year}-${month}-${day}T${time}${hours}:${minutes}`)
  return Number.isNaN(ms) ? undefined : ms
}
