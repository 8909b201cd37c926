import { Result } from "effect"
import { encodeJson } from "../base/json.ts"
import { isUuid, uuid } from "../base/uuid.ts"
import { InvalidArgument, InvalidEvent, DuplicateEvent, type LogReason } from "./error.ts"
import type { EventTypes } from "./event-type.ts"
import type { ExpectedVersion, Meta, NewEvent, Part } from "./event.ts"
import { labelProblem, streamProblem, typeProblem } from "./name.ts"

/** How large an event's data may be as JSON, in bytes, unless configured. */
export const DEFAULT_MAX_EVENT_BYTES = 1024 * 1024

export const MAX_LABELS = 32

/** What an integer column holds. */
const MAX_SCHEMA_VERSION = 2 ** 31 - 1

/** How many events one append may hold: it is one statement, and holds back every reader while it runs. */
export const MAX_EVENTS_PER_APPEND = 100_000

/** An event as the append takes it. */
export interface Row {
  readonly id: string
  readonly stream: string
  readonly type: string
  readonly data: string
  readonly labels: ReadonlyArray<string>
  readonly meta: string
  readonly schemaVersion: number
}

export interface RequestPart {
  readonly stream: string
  readonly expected: ExpectedVersion
  readonly rows: ReadonlyArray<Row>
}

/** A checked append: what is sent is decided here, once, ids included, so that every retry is the same. */
export interface Request {
  readonly parts: ReadonlyArray<RequestPart>
  readonly events: number
  readonly bytes: number
  /** The caller gave ids: only then can an id stand in two requests at once. */
  readonly ownIds: boolean
}

export interface RequestRules {
  readonly types: EventTypes
  readonly maxEventBytes: number
}

const EMPTY = "{}"

const withOccurredAt = (data: unknown, occurredAt: Date | string): unknown => {
  const time = new Date(occurredAt ?? Number.NaN)
  if (Number.isNaN(time.getTime())) return "occurredAt is not a time"
  if (Object.prototype.toString.call(data) !== "[object Object]" || "toJSON" in (data as object))
    return "occurredAt needs data that is a plain object"
  return { ...(data as object), occurredAt: time.toISOString() }
}

const eventRow = (stream: string, event: NewEvent, meta: string, rules: RequestRules): Row | LogReason => {
  const invalid = (problem: string): InvalidEvent =>
    new InvalidEvent({ stream, type: String(event.type), problem })

  const wrongName = typeProblem(event.type)
  if (wrongName !== undefined) return wrongName
  if (event.id !== undefined && !(typeof event.id === "string" && isUuid(event.id))) {
    return invalid(`its id ${String(event.id)} is not a UUID in lower case`)
  }
  const labels = event.labels ?? []
  if (!Array.isArray(labels)) return invalid("its labels are not an array")
  if (labels.length > MAX_LABELS) return invalid(`it has ${labels.length} labels, ${MAX_LABELS} is the most`)
  for (const label of labels) {
    const wrong = labelProblem(label)
    if (wrong !== undefined) return wrong
  }
  const schemaVersion = event.schemaVersion ?? rules.types.currentVersion(event.type)
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > MAX_SCHEMA_VERSION)
    return invalid(`its schemaVersion is not a whole number from 1 to ${MAX_SCHEMA_VERSION}`)

  let data: unknown = event.data === undefined ? {} : event.data
  if (event.occurredAt !== undefined) {
    data = withOccurredAt(data, event.occurredAt)
    if (typeof data === "string") return invalid(data)
  }
  const problem = rules.types.problem(event.type, schemaVersion, data)
  if (problem !== undefined) return invalid(`its data is not what the type declares: ${problem}`)
  const json = encodeJson(data)
  if (!("text" in json)) return invalid(`data${json.path} is ${json.problem}`)
  if (json.text.length > rules.maxEventBytes || Buffer.byteLength(json.text) > rules.maxEventBytes) {
    return invalid(
      `its data is larger than ${rules.maxEventBytes} bytes; keep large values elsewhere and put a reference here`
    )
  }
  return { id: event.id ?? uuid(), stream, type: event.type, data: json.text, labels, meta, schemaVersion }
}

const metaText = (meta: Meta | undefined, stream: string, maxBytes: number): string | LogReason => {
  if (meta === undefined) return EMPTY
  const invalid = (problem: string): InvalidEvent => new InvalidEvent({ stream, type: "", problem })
  const json = encodeJson(meta)
  if (!("text" in json)) return invalid(`meta${json.path} is ${json.problem}`)
  if (!json.text.startsWith("{")) return invalid("meta is not an object")
  return json.text.length > maxBytes || Buffer.byteLength(json.text) > maxBytes
    ? invalid(`meta is larger than ${maxBytes} bytes; keep large values elsewhere and put a reference here`)
    : json.text
}

/** The meta of an event that has some of its own: each of its fields goes before that of the append. */
const ownMetaText = (
  own: Meta,
  meta: Meta | undefined,
  stream: string,
  { maxEventBytes }: RequestRules
): string | LogReason => {
  const text = metaText(own, stream, maxEventBytes)
  return typeof text === "string" ? metaText({ ...meta, ...own }, stream, maxEventBytes) : text
}

const expectedProblem = (expected: ExpectedVersion): InvalidArgument | undefined =>
  expected === "any" ||
  expected === "none" ||
  expected === "exists" ||
  (Number.isSafeInteger(expected) && expected >= 0)
    ? undefined
    : new InvalidArgument({
        problem: `The expected version ${String(expected)} is none: give "any", "none", "exists" or a version from 0`
      })

const expectedOf = ({ expected }: Part): ExpectedVersion => (expected === undefined ? "any" : expected)

const isReason = (value: object): value is LogReason => "_tag" in value

/** Checks an append and fixes what will be sent. */
export const makeRequest = (
  parts: ReadonlyArray<Part>,
  meta: Meta | undefined,
  rules: RequestRules
): Result.Result<Request, LogReason> => {
  const streams = parts.length > 1 ? new Set<string>() : undefined
  let ids: Set<string> | undefined
  const checked: Array<RequestPart> = []
  let events = 0
  let bytes = 0
  for (const part of parts) {
    const wrong = streamProblem(part.stream) ?? expectedProblem(expectedOf(part))
    if (wrong !== undefined) return Result.fail(wrong)
    if (streams?.has(part.stream) === true) {
      return Result.fail(
        new InvalidArgument({
          problem: `Stream ${JSON.stringify(part.stream)} stands twice in one append: put its events into one part`
        })
      )
    }
    streams?.add(part.stream)
    const text = metaText(meta, part.stream, rules.maxEventBytes)
    if (typeof text !== "string") return Result.fail(text)
    const given = Array.isArray(part.events)
      ? (part.events as ReadonlyArray<NewEvent>)
      : [part.events as NewEvent]
    const rows: Array<Row> = []
    for (const event of given) {
      if (typeof event !== "object" || event === null) {
        const problem = `An event for stream ${JSON.stringify(part.stream)} is ${String(event)}: give an object with a type`
        return Result.fail(new InvalidArgument({ problem }))
      }
      const own = event.meta === undefined ? text : ownMetaText(event.meta, meta, part.stream, rules)
      if (typeof own !== "string") return Result.fail(own)
      const row = eventRow(part.stream, event, own, rules)
      if (isReason(row)) return Result.fail(row)
      if (event.id !== undefined) {
        ids ??= new Set()
        if (ids.has(row.id)) return Result.fail(new DuplicateEvent({ stream: part.stream, ids: [row.id] }))
        ids.add(row.id)
      }
      rows.push(row)
      events += 1
      bytes += row.data.length + row.meta.length
    }
    if (rows.length === 0) {
      return Result.fail(
        new InvalidArgument({
          problem: `There is no event for stream ${JSON.stringify(part.stream)}: an append needs at least one`
        })
      )
    }
    checked.push({ stream: part.stream, expected: expectedOf(part), rows })
  }
  if (checked.length === 0)
    return Result.fail(
      new InvalidArgument({ problem: "There is nothing to append: give at least one event" })
    )
  if (events > MAX_EVENTS_PER_APPEND) {
    return Result.fail(
      new InvalidArgument({
        problem: `One append holds ${MAX_EVENTS_PER_APPEND} events at most, not ${events}: send several`
      })
    )
  }
  return Result.succeed({ parts: checked, events, bytes, ownIds: ids !== undefined })
}
