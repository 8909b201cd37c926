import type { Placed } from "./event.ts"
import { DuplicateEvent, VersionConflict, type LogReason } from "./error.ts"
import type { Request, RequestPart } from "./request.ts"

/** The arguments of append_batch, in its order. */
export type BatchColumns = [
  heads: Array<string>,
  requests: Array<number>,
  headNumbers: Array<number>,
  expected: Array<number | null>,
  ids: Array<string>,
  types: Array<string>,
  data: Array<string>,
  labels: Array<string>,
  meta: Array<string>,
  schemaVersions: Array<number>
]

/** What append_batch returns. */
export interface BatchRow {
  readonly positions: ReadonlyArray<number | null>
  readonly versions: ReadonlyArray<number | null>
  readonly verdicts: ReadonlyArray<string> | null
  /** By head. */
  readonly actuals: ReadonlyArray<number>
}

const MUST_EXIST = -1
const NOTHING_YET = 0
const NO_LABELS = "{}"

const expectedColumn = (part: RequestPart): number | null => {
  switch (part.expected) {
    case "any":
      return null
    case "none":
      return NOTHING_YET
    case "exists":
      return MUST_EXIST
    default:
      return part.expected
  }
}

const labelsColumn = (labels: ReadonlyArray<string>): string =>
  labels.length === 0
    ? NO_LABELS
    : `{${labels.map((label) => `"${label.replace(/["\\]/g, "\\$&")}"`).join(",")}}`

/** The streams of a batch, each once. Names are ASCII, so that this order is PostgreSQL's collation "C" as well. */
const headsOf = (requests: ReadonlyArray<Request>): Array<string> => {
  const streams = new Set<string>()
  for (const request of requests) for (const part of request.parts) streams.add(part.stream)
  return [...streams].toSorted()
}

/** Requests as columns, one array per argument, in the order of their events. */
export const batchColumns = (requests: ReadonlyArray<Request>): BatchColumns => {
  const heads = headsOf(requests)
  const headNumbers = new Map(heads.map((stream, index) => [stream, index + 1]))
  const columns: BatchColumns = [heads, [], [], [], [], [], [], [], [], []]
  const [, request, head, expected, id, type, data, labels, meta, schemaVersion] = columns
  for (let index = 0; index < requests.length; index++) {
    for (const part of requests[index]!.parts) {
      const expectation = expectedColumn(part)
      const number = headNumbers.get(part.stream)!
      for (const row of part.rows) {
        request.push(index)
        head.push(number)
        expected.push(expectation)
        id.push(row.id)
        type.push(row.type)
        data.push(row.data)
        labels.push(labelsColumn(row.labels))
        meta.push(row.meta)
        schemaVersion.push(row.schemaVersion)
      }
    }
  }
  return columns
}

/** Where each part's events came to lie. */
export interface PlacedPart {
  readonly stream: string
  readonly events: ReadonlyArray<Placed>
}

export type Outcome = ReadonlyArray<PlacedPart> | LogReason

const refusal = (request: Request, verdict: string, actual: (stream: string) => number): LogReason => {
  const first = request.parts[0]!
  if (verdict === "duplicate") {
    return new DuplicateEvent({
      stream: first.stream,
      ids: request.parts.flatMap((part) => part.rows.map((row) => row.id))
    })
  }
  const unmet = request.parts.find((part) => {
    const expected = expectedColumn(part)
    return (
      expected !== null &&
      (expected === MUST_EXIST ? actual(part.stream) === 0 : actual(part.stream) !== expected)
    )
  })
  const { stream, expected } = unmet ?? first
  return new VersionConflict({ stream, expected, actual: actual(stream) })
}

/** What became of each request of a batch. */
export const batchOutcomes = (requests: ReadonlyArray<Request>, row: BatchRow): ReadonlyArray<Outcome> => {
  const actual = (stream: string): number => row.actuals[headsOf(requests).indexOf(stream)]!
  let at = 0
  return requests.map((request) => {
    const verdict = row.verdicts === null ? "appended" : row.verdicts[at]!
    const placed = request.parts.map((part): PlacedPart => ({
      stream: part.stream,
      events: part.rows.map((event) => {
        const place = { id: event.id, position: row.positions[at]!, version: row.versions[at]! }
        at += 1
        return place
      })
    }))
    return verdict === "appended" || verdict === "repeated" ? placed : refusal(request, verdict, actual)
  })
}
