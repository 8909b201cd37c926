import type { Event } from "../../index.ts"
import { hueOf, type Paint, type Style } from "./palette.ts"
import { payload } from "./payload.ts"
import { age, latency, moment } from "./quantity.ts"
import { cut, cutMiddle, padEnd, padStart, printable } from "./text.ts"

/** How an event came to us. */
export interface Arrival {
  readonly event: Event
  /** When it was handed to us, in ms since the epoch. */
  readonly at: number
  /** From emit to callback, in ms; undefined where that says nothing, since the event was there before. */
  readonly latencyMs: number | undefined
  /** Taken from the event's recording by the server's clock, because another process emitted it. */
  readonly isEstimate?: boolean
  /** Shown only for where the log goes on. */
  readonly isPast?: boolean
}

const MARGIN = " "
const GAP = "  "
const LEAST_POSITION_WIDTH = 8
const AGE_WIDTH = 6
const LATENCY_WIDTH = 7
const TIME_WIDTH = 24
/** Without its day. */
const CLOCK_WIDTH = 13

/** Streams and types get a share of the width, the data what is left; where that is too little, a column is dropped. */
const STREAM = { share: 0.2, least: 14, most: 34 }
const TYPE = { share: 0.15, least: 12, most: 24 }
const LEAST_DATA_WIDTH = 16

/** What the columns are laid out for where nothing is cut. */
const UNLIMITED_BASIS = 120

/** Good and bad news stand out, by the endings that such types have. */
const BAD_NEWS = /(?:Crossed|Failed|Crashed|Lost|Rejected|Error)$/
const GOOD_NEWS = /(?:Cleared|Recovered|Resolved)$/

type Column = "position" | "age" | "latency" | "time" | "stream" | "type" | "data"

/** `live`: how long ago, and how late it came; `past`: when. */
export type Tense = "live" | "past"

/** The columns that are shown, in order, with their widths. */
type Layout = ReadonlyMap<Column, number>

const shareOf = (width: number, { share, least, most }: typeof STREAM): number =>
  Math.round(Math.min(most, Math.max(least, width * share)))

const WHEN: Readonly<Record<Tense, ReadonlyArray<readonly [Column, number]>>> = {
  live: [
    ["age", AGE_WIDTH],
    ["latency", LATENCY_WIDTH]
  ],
  past: [["time", TIME_WIDTH]]
}

const layoutFor = (width: number | undefined, positionWidth: number, tense: Tense): Layout => {
  const basis = width ?? UNLIMITED_BASIS
  const layout = new Map<Column, number>([
    ["position", positionWidth],
    ...WHEN[tense],
    ["stream", shareOf(basis, STREAM)],
    ["type", shareOf(basis, TYPE)]
  ])
  if (width === undefined) return layout.set("data", Number.POSITIVE_INFINITY)
  const taken = (): number =>
    [...layout.values()].reduce((sum, column) => sum + column + GAP.length, MARGIN.length)
  if (tense === "past" && width - taken() < LEAST_DATA_WIDTH) layout.set("time", CLOCK_WIDTH)
  for (const column of ["age", "latency", "time"] as const)
    if (width - taken() < LEAST_DATA_WIDTH) layout.delete(column)
  if (width < taken()) layout.delete("type")
  if (width < taken()) layout.delete("position")
  return layout.set("data", Math.max(0, width - taken()))
}

const RIGHT_ALIGNED: ReadonlySet<Column> = new Set<Column>(["position", "age", "latency"])

/** Lays events out as rows of a given width; undefined cuts nothing. */
export class EventRows {
  private readonly paint: Paint
  private readonly width: number | undefined
  private positionWidth = LEAST_POSITION_WIDTH
  private readonly tense: Tense
  private layout: Layout

  constructor(paint: Paint, width: number | undefined, tense: Tense = "live") {
    this.paint = paint
    this.width = width
    this.tense = tense
    this.layout = layoutFor(width, this.positionWidth, tense)
  }

  /** The names of the columns. */
  header(): string {
    return this.line((column, width) => this.paint(this.cell(column, column, width), "dim"))
  }

  row({ event, at, latencyMs, isEstimate = false, isPast = false }: Arrival): string {
    this.makeRoomFor(String(event.position).length)
    const delay = latencyMs === undefined ? "" : `${isEstimate ? "~" : ""}${latency(latencyMs)}`
    const texts: Readonly<Record<Column, () => string>> = {
      position: () => String(event.position),
      age: () => age(at - event.recordedAt.getTime()),
      latency: () => delay,
      time: () => moment(event.recordedAt).slice(-(this.layout.get("time") ?? 0)),
      stream: () => event.stream,
      type: () => event.type,
      data: () => payload(event.data)
    }
    return this.line((column, width) => {
      const text = this.cell(column, texts[column](), width)
      return isPast ? this.paint(text, "dim") : this.coloured(column, text, event)
    })
  }

  private makeRoomFor(digits: number): void {
    if (digits <= this.positionWidth) return
    this.positionWidth = digits
    this.layout = layoutFor(this.width, digits, this.tense)
  }

  private line(cellOf: (column: Column, width: number) => string): string {
    const cells = [...this.layout].map(([column, width]) => cellOf(column, width))
    return (MARGIN + cells.join(GAP)).trimEnd()
  }

  private cell(column: Column, text: string, width: number): string {
    if (RIGHT_ALIGNED.has(column)) return padStart(text, width)
    if (column === "data") return cut(text, width)
    const name = printable(text)
    return padEnd(this.width === undefined ? name : cutMiddle(name, width), width)
  }

  private coloured(column: Column, text: string, event: Event): string {
    switch (column) {
      case "data":
        return text
      case "type":
        return this.paint(text, ...styleOfType(event.type))
      case "stream":
        return streamName(this.paint, text, event.stream)
      default:
        return this.paint(text, "dim")
    }
  }
}

/** The name of a stream as it is shown, its category in its colour. */
export const streamName = (paint: Paint, shown: string, stream: string): string => {
  const dash = shown.indexOf("-")
  const hue = hueOf(stream.slice(0, stream.indexOf("-")))
  return dash === -1 ? paint(shown, hue) : paint(shown.slice(0, dash), hue) + shown.slice(dash)
}

/** Good and bad news stand out. */
export const styleOfType = (type: string): ReadonlyArray<Style> => {
  if (BAD_NEWS.test(type)) return ["bold", "red"]
  return GOOD_NEWS.test(type) ? ["bold", "green"] : ["bold"]
}
