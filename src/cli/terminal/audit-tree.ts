import type { Audit, AuditEntry } from "../../index.ts"
import { said } from "./audit-record.ts"
import { streamName, styleOfType } from "./event-row.ts"
import type { Paint } from "./palette.ts"
import { payload } from "./payload.ts"
import { moment } from "./quantity.ts"
import { cut, padStart, widthOf } from "./text.ts"

/** Deeper than this, a tree is not drawn wider but told its depth. */
const MAX_BRANCHES = 12

/** On a terminal that is narrower, times are shown without their day. */
const ROOM_FOR_DAYS = 100
const DAY = "2026-03-01 "

const GAP = "  "
const SUBJECT = "▸ "
const OTHER = "  "

/** Whether an entry is the last one that its cause led to. */
const lastOnes = (entries: ReadonlyArray<AuditEntry>): ReadonlyArray<boolean> => {
  const later: Array<boolean> = []
  const last = entries.map(() => false)
  for (let at = entries.length - 1; at >= 0; at--) {
    const { depth } = entries[at]!
    last[at] = later[depth] !== true
    later.length = depth
    later[depth] = true
  }
  return last
}

/** The lines of a tree to the left of each of its entries. */
const branches = (entries: ReadonlyArray<AuditEntry>): ReadonlyArray<string> => {
  const last = lastOnes(entries)
  const goesOn: Array<boolean> = []
  return entries.map(({ depth }, at) => {
    goesOn[depth] = !last[at]!
    if (depth === 0) return ""
    const end = last[at]! ? "└─ " : "├─ "
    if (depth > MAX_BRANCHES) return `${"   ".repeat(MAX_BRANCHES - 1)}${end}(${depth}) `
    const bars = goesOn.slice(1, depth).map((more) => (more ? "│  " : "   "))
    return bars.join("") + end
  })
}

const whyIsRoot = ({ cause, event }: AuditEntry, isComplete: boolean): string => {
  switch (cause) {
    case "absent":
      return ` (its cause ${said(event.meta.causationId) ?? ""} is not ${isComplete ? "in this log" : "shown"})`
    case "circular":
      return " (its causes lead back to it)"
    default:
      return ""
  }
}

/** Who and why, as far as that was said. */
const byWhom = ({ event: { meta } }: AuditEntry): string => {
  const who = said(meta.actor)
  const why = said(meta.reason)
  const by = who === undefined ? "" : `by ${who}`
  if (why === undefined) return by
  return by === "" ? `because: ${why}` : `${by}: ${why}`
}

const POSITION = "#"

/** What led to what, as lines: the subject's own events are marked. */
export const auditTree = (audit: Audit, paint: Paint, width: number | undefined): ReadonlyArray<string> => {
  const { entries, isComplete } = audit
  const tree = branches(entries)
  const digits = String(highestPosition(entries)).length
  return entries.map((entry, at) => {
    const { event, isSubject } = entry
    const mark = isSubject ? SUBJECT : OTHER
    const position = padStart(POSITION + event.position, digits + POSITION.length)
    const when = moment(event.recordedAt).slice((width ?? ROOM_FOR_DAYS) < ROOM_FOR_DAYS ? DAY.length : 0)
    const stream = `${event.stream} v${event.version}`
    const note = whyIsRoot(entry, isComplete)
    const rest = [byWhom(entry), payload(event.data)].filter((text) => text !== "").join(GAP)
    const plain = mark + [position, when, `${tree[at]!}${event.type}`, stream].join(GAP) + note
    const left = width === undefined ? Number.POSITIVE_INFINITY : width - widthOf(plain)
    if (left < 0) return cut(plain, width!)
    const head = [
      position,
      paint(when, "dim"),
      paint(tree[at]!, "dim") + paint(event.type, ...styleOfType(event.type)),
      streamName(paint, stream, event.stream)
    ].join(GAP)
    const tail = rest === "" || left <= GAP.length ? "" : GAP + cut(rest, left - GAP.length)
    return mark + head + paint(note, "dim") + tail
  })
}

const highestPosition = (entries: ReadonlyArray<AuditEntry>): number =>
  entries.reduce((most, { event }) => Math.max(most, event.position), 0)
