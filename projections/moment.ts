import { Schema } from "effect"

/**
 * What PostgreSQL takes for a time, too: schema/functions/occurred_at.sql has the same. In UTC, the first year and the last may be none of four
 * digits.
 */
const ZONED =
  /^(?!0000|0001|9999)(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/

/** Whether a text is a time; a day that its month has not is none, though a Date would take it for one of the next month. */
const isMoment = (text: string): boolean => {
  const [, year, month, day] = ZONED.exec(text) ?? []
  if (year === undefined) return false
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return date.getUTCDate() === Number(day)
}

/** A time as text: ISO 8601 with a zone, so that it means the same wherever it is read. */
export const Moment = Schema.String.check(
  Schema.makeFilter(
    (text: string) => isMoment(text) || "give a time with a zone, such as 2026-01-31T12:00:00Z",
    {
      identifier: "Moment"
    }
  )
)

/** A time as a caller gives it. */
export const GivenMoment = Schema.Union([Moment, Schema.Date])

/** When the caller says that an event happened; undefined where its data does not say, or says nonsense. */
export const occurredAt = (data: unknown): Date | undefined => {
  if (typeof data !== "object" || data === null || !("occurredAt" in data)) return undefined
  const { occurredAt: said } = data
  return typeof said === "string" && isMoment(said) ? new Date(said) : undefined
}

/** What an event to emit takes of the time that its caller gave, if any. */
export const happened = (moment: Date | string | undefined): { readonly occurredAt?: Date | string } =>
  moment === undefined ? {} : { occurredAt: moment }
