import type { Event } from "../../index.ts"
import { streamName, styleOfType } from "./event-row.ts"
import type { Paint } from "./palette.ts"
import { payload } from "./payload.ts"
import { moment } from "./quantity.ts"
import { cut, padEnd, printable } from "./text.ts"

/** So many events are remembered, to say of later ones what caused them. */
const REMEMBERED = 10_000

/** So many causes that were not shown are looked up; of a longer audit the others are told by their ids, or it would take days. */
const LOOKUPS = 1_000

/** Finds an event that is not shown. */
export type FindEvent = (id: string) => Promise<Event | undefined>

const MARGIN = "   "
const LABEL_WIDTH = 7

/** A text of the meta, which callers may fill with anything. */
export const said = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? printable(value) : undefined

/** Events as an auditor reads them: when, who, why, what changed, and what caused it. What was not said is left out. */
export class AuditRecords {
  private readonly paint: Paint
  private readonly find: FindEvent
  private lookups = LOOKUPS
  private readonly remembered = new Map<string, string>()
  private isFirst = true

  constructor(paint: Paint, find: FindEvent) {
    this.paint = paint
    this.find = find
  }

  async record(event: Event, width: number | undefined): Promise<string> {
    const { meta } = event
    const lines: ReadonlyArray<readonly [label: string, text: string | undefined]> = [
      ["who", said(meta.actor)],
      ["why", said(meta.reason)],
      ["what", said(payload(event.data))],
      ["cause", await this.cause(said(meta.causationId))]
    ]
    const gap = this.isFirst ? "" : "\n"
    this.isFirst = false
    this.remember(event.id, nameOf(event))
    return (
      gap +
      [
        this.head(event, width),
        ...lines.flatMap(([label, text]) => (text === undefined ? [] : [this.line(label, text, width)]))
      ].join("\n")
    )
  }

  private head(event: Event, width: number | undefined): string {
    const { position, stream, version, type } = event
    const when = moment(event.recordedAt)
    if (width !== undefined && headText(event).length > width) return cut(headText(event), width)
    return `${this.paint(when, "dim")}  #${position}  ${streamName(this.paint, stream, stream)} v${version}  ${this.paint(type, ...styleOfType(type))}`
  }

  private line(label: string, text: string, width: number | undefined): string {
    const left = width === undefined ? Number.POSITIVE_INFINITY : width - MARGIN.length - LABEL_WIDTH
    return MARGIN + this.paint(padEnd(label, LABEL_WIDTH), "dim") + cut(text, Math.max(1, left))
  }

  private async cause(given: string | undefined): Promise<string | undefined> {
    const id = given?.toLowerCase()
    if (id === undefined) return undefined
    if (!this.remembered.has(id) && this.lookups > 0) {
      this.lookups -= 1
      const found = await this.find(id)
      if (found === undefined) this.remember(id, `${given}, which is not in this log`)
      else this.remember(id, nameOf(found))
    }
    return this.remembered.get(id) ?? given
  }

  private remember(id: string, name: string): void {
    this.remembered.set(id, name)
    if (this.remembered.size <= REMEMBERED) return
    const [oldest] = this.remembered.keys()
    if (oldest !== undefined) this.remembered.delete(oldest)
  }
}

const nameOf = ({ position, type, stream, version }: Event): string =>
  `#${position} ${type}, ${stream} v${version}`

/** Names of streams and types are visible ASCII. */
const headText = ({ recordedAt, position, stream, version, type }: Event): string =>
  `${moment(recordedAt)}  #${position}  ${stream} v${version}  ${type}`
