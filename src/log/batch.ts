import { int4Array, int8Array, jsonbArray, textArray, uuidArray } from "../postgres/binary-array.ts"
import type { Placed } from "./event.ts"
import { DuplicateEvent, VersionConflict, type LogReason } from "./error.ts"
import type { Request, RequestPart, Row } from "./request.ts"

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

/** The arguments of append_batch, in its order; one element per event but for the first, which names the streams. */
export const batchColumns = (requests: ReadonlyArray<Request>): ReadonlyArray<Buffer> => {
  const heads = headsOf(requests)
  const headNumbers = new Map(heads.map((stream, index) => [stream, index + 1]))
  const numbers: Array<number> = []
  const headOf: Array<number> = []
  const expected: Array<number | null> = []
  const rows: Array<Row> = []
  for (let number = 0; number < requests.length; number++) {
    for (const part of requests[number]!.parts) {
      const head = headNumbers.get(part.stream)!
      const expectation = expectedColumn(part)
      for (const row of part.rows) {
        numbers.push(number)
        headOf.push(head)
        expected.push(expectation)
        rows.push(row)
      }
    }
  }
  return [
    textArray(heads),
    int4Array(numbers),
    int4Array(headOf),
    int8Array(expected),
    uuidArray(rows.map((row) => row.id)),
    textArray(rows.map((row) => row.type)),
    jsonbArray(rows.map((row) => row.data)),
    textArray(rows.map((row) => labelsColumn(row.labels))),
    jsonbArray(rows.map((row) => row.meta)),
    int4Array(rows.map((row) => row.schemaVersion))
  ]
}

/** What append_lone returns; int8 comes as text. */
export interface LoneRow {
  readonly position: string | null
  readonly version: string | null
  readonly verdict: string | null
  readonly actual: string
}

/** The arguments of append_lone, in its order. */
export const loneColumns = (part: RequestPart): ReadonlyArray<unknown> => {
  const row = part.rows[0]!
  const labels = labelsColumn(row.labels)
  return [row.stream, expectedColumn(part), row.id, row.type, row.data, labels, row.meta, row.schemaVersion]
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text))

/** A lone append as the batch of one that it is. */
export const batchRow = ({ position, version, verdict, actual }: LoneRow): BatchRow => ({
  positions: [numberOrNull(position)],
  versions: [numberOrNull(version)],
  verdicts: verdict === null ? null : [verdict],
  actuals: [Number(actual)]
})

/** Where each part's events came to lie. */
export interface PlacedPart {
  readonly stream: string
  readonly events: ReadonlyArray<Placed>
}

export type Outcome = ReadonlyArray<PlacedPart> | LogReason

export const isPlaced = (outcome: Outcome): outcome is ReadonlyArray<PlacedPart> => Array.isArray(outcome)

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
  let actuals: ReadonlyMap<string, number> | undefined
  const actual = (stream: string): number => {
    actuals ??= new Map(headsOf(requests).map((head, index) => [head, row.actuals[index]!]))
    return actuals.get(stream)!
  }
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
