const MS_PER_SECOND = 1000
const MS_PER_MINUTE = 60 * MS_PER_SECOND
const MS_PER_HOUR = 60 * MS_PER_MINUTE
const MS_PER_DAY = 24 * MS_PER_HOUR
const MINUTES_PER_HOUR = 60

/** One decimal below ten, none above. */
const short = (value: number): string => (value < 9.95 ? value.toFixed(1) : value.toFixed(0))

/** A delay in ms, as in `1.8 ms`; in seconds where it is that long. */
export const latency = (ms: number): string =>
  ms < MS_PER_SECOND ? `${short(ms)} ms` : `${short(ms / MS_PER_SECOND)} s`

/** How long ago, in its largest unit: `12 ms`, `3.4 s`, `12 m`, `5 h`, `3 d`. */
export const age = (ms: number): string => {
  const past = Math.max(0, ms)
  if (past < MS_PER_MINUTE) return latency(past)
  if (past < MS_PER_HOUR) return `${Math.floor(past / MS_PER_MINUTE)} m`
  if (past < MS_PER_DAY) return `${Math.floor(past / MS_PER_HOUR)} h`
  return `${Math.floor(past / MS_PER_DAY)} d`
}

/** How long something has been running: `0:07`, `12:30`, `3:04:05`. */
export const elapsed = (ms: number): string => {
  const total = Math.floor(ms / MS_PER_SECOND)
  const two = (value: number): string => String(value).padStart(2, "0")
  const minutes = Math.floor(total / MINUTES_PER_HOUR)
  const secondsText = two(total % MINUTES_PER_HOUR)
  return minutes < MINUTES_PER_HOUR
    ? `${minutes}:${secondsText}`
    : `${Math.floor(minutes / MINUTES_PER_HOUR)}:${two(minutes % MINUTES_PER_HOUR)}:${secondsText}`
}

const THOUSAND = 1000
const MILLION = THOUSAND * THOUSAND

/** Events per second: `2.4/s`, `310/s`, `46k/s`. */
export const rate = (perSecond: number): string => {
  if (perSecond < THOUSAND) return `${short(perSecond)}/s`
  return perSecond < MILLION ? `${short(perSecond / THOUSAND)}k/s` : `${short(perSecond / MILLION)}M/s`
}

const BYTES_PER_STEP = 1024
const BYTE_UNITS = ["kB", "MB", "GB", "TB", "PB"]

/** A size on disk: `0 kB`, `2.4 MB`, `310 GB`. */
export const size = (bytes: number): string => {
  let value = bytes / BYTES_PER_STEP
  let step = 0
  while (value >= BYTES_PER_STEP && step < BYTE_UNITS.length - 1) {
    value /= BYTES_PER_STEP
    step += 1
  }
  return `${step === 0 ? Math.round(value) : short(value)} ${BYTE_UNITS[step]}`
}

/** `1 event`, `2 events`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** When, in UTC: `2026-03-01 09:30:00.000Z`. */
export const moment = (date: Date): string => date.toISOString().replace("T", " ")
