import { printable } from "./text.ts"

/** What the row of an event says beside its data already. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(["occurredAt", "agentId"])

/** Deeper than this, and longer than that many items, a payload is no summary any more. */
const MAX_DEPTH = 2
const MAX_ITEMS = 12
const MAX_STRING = 120
const MAX_LENGTH = 500

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `{ name, value, unit }`, as metrics are, and `{ metric, value, unit }`, as what tells about one is. */
const measured = (fields: Fields): string | undefined => {
  const name = fields["name"] ?? fields["metric"]
  if (typeof name !== "string" || !("value" in fields)) return undefined
  const unit = typeof fields["unit"] === "string" ? fields["unit"] : ""
  return `${name}=${scalar(fields["value"])}${unit}`
}

const MEASURE: ReadonlySet<string> = new Set(["name", "metric", "value", "unit"])

const isMeasure = (value: unknown): value is Fields => isFields(value) && measured(value) !== undefined

const plainWord = /^[^\s"={}[\],]+$/

const scalar = (value: unknown): string => {
  if (typeof value !== "string") return JSON.stringify(value) ?? ""
  const start = value.length > MAX_STRING ? `${value.slice(0, MAX_STRING)}…` : value
  return plainWord.test(start) ? start : JSON.stringify(start)
}

const shown = (value: unknown, depth: number): string => {
  if (Array.isArray(value)) return list(value, depth)
  if (!isFields(value)) return scalar(value)
  if (depth >= MAX_DEPTH) return "{…}"
  return `{${pairs(value, depth)}}`
}

const list = (items: ReadonlyArray<unknown>, depth: number): string => {
  if (items.length > 0 && items.every(isMeasure)) {
    return items.map(measured).join(" ")
  }
  if (depth >= MAX_DEPTH) return `[${items.length}]`
  const more = items.length > MAX_ITEMS ? ",…" : ""
  const first = items.slice(0, MAX_ITEMS).map((item) => shown(item, depth + 1))
  return `[${first.join(",")}${more}]`
}

const pairs = (fields: Fields, depth: number): string => {
  const measure = measured(fields)
  const isSaid = (key: string): boolean =>
    SAID_ELSEWHERE.has(key) || (measure !== undefined && MEASURE.has(key))
  const all = Object.entries(fields).filter(([key, value]) => value !== null && !isSaid(key))
  const more = all.length > MAX_ITEMS ? " …" : ""
  const first = all.slice(0, MAX_ITEMS).map(([key, value]) => pair(key, value, depth))
  return [measure ?? "", ...first].filter((text) => text !== "").join(" ") + more
}

const pair = (key: string, value: unknown, depth: number): string => {
  if (isFields(value) && Object.keys(value).length === 0) return ""
  // A list of measures names its items itself.
  if (Array.isArray(value) && value.length > 0 && value.every(isMeasure)) return list(value, depth)
  return `${key}=${shown(value, depth + 1)}`
}

/** An event's data in one short line, for people; it is not meant to be read back. */
export const payload = (data: unknown): string => {
  const text = isFields(data) ? pairs(data, 0) : shown(data, 0)
  return printable(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text)
}
