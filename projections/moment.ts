import { Schema } from "effect"

const ZONED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/

const isMoment = (text: string): boolean => ZONED.test(text) && !Number.isNaN(Date.parse(text))

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
