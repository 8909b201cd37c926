import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../vitals/interval.ts"

// What came by SQL was checked by nobody, and what was redacted says nothing: each field is taken where it is what it should be.

/** What an event's data has under a name; undefined where it says nothing. */
const fieldIn = (data: unknown, name: string): unknown =>
  typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined

export const textIn = (data: unknown, name: string): string | undefined => {
  const said = fieldIn(data, name)
  return typeof said === "string" ? said : undefined
}

/** An object of JSON. */
export const factsIn = (data: unknown, name: string): unknown => {
  const said = fieldIn(data, name)
  return typeof said === "object" && said !== null && !Array.isArray(said) ? said : undefined
}

/** Texts, each once. */
export const textsIn = (data: unknown, name: string): ReadonlyArray<string> | undefined => {
  const said = fieldIn(data, name)
  return Array.isArray(said) && said.every((one) => typeof one === "string") ? [...new Set(said)] : undefined
}

/** How often an agent promises to beat, in ms. */
export const intervalIn = (data: unknown): number | undefined => {
  const said = fieldIn(data, "heartbeatIntervalMs")
  return Number.isSafeInteger(said) && Number(said) >= MIN_INTERVAL_MS && Number(said) <= MAX_INTERVAL_MS
    ? Number(said)
    : undefined
}

/** A position in the log. */
export const positionIn = (data: unknown, name: string): number | undefined => {
  const said = fieldIn(data, name)
  return Number.isSafeInteger(said) && Number(said) >= 0 ? Number(said) : undefined
}
