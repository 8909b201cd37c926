import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AuditRecords } from "../../src/cli/terminal/audit-record.ts"
import { auditTree } from "../../src/cli/terminal/audit-tree.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import { EventRows } from "../../src/cli/terminal/event-row.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"
import type { AuditEntry, Event } from "../../src/index.ts"
import { isPlain } from "./tidemark.ts"

const event = (position: number, rest: Partial<Event> = {}): Event => ({
  position,
  id: `00000000-0000-7000-8000-${String(position).padStart(12, "0")}`,
  stream: "order-1",
  version: position,
  type: `T${position}`,
  data: {},
  labels: [],
  meta: {},
  recordedAt: new Date(Date.UTC(2026, 2, 1, 9, 30)),
  schemaVersion: 1,
  ...rest
})

/** Entries of a tree by their depths. */
const entries = (depths: ReadonlyArray<number>): ReadonlyArray<AuditEntry> =>
  depths.map((depth, at) => ({
    event: event(at + 1),
    depth,
    cause: depth === 0 ? "none" : "shown",
    isSubject: false
  }))

const drawn = (all: ReadonlyArray<AuditEntry>, width?: number, isComplete = true) =>
  auditTree({ kind: "event", id: "", entries: all, isComplete }, noPaint, width)

const trees = (depths: ReadonlyArray<number>): ReadonlyArray<string> =>
  drawn(entries(depths)).map((line) => line.split("Z  ")[1]!.split("  order-1 ")[0]!)

describe("a tree", () => {
  test("has a line down from each event to the last of what it led to", () => {
    expect(trees([0, 1, 2, 2, 1, 2, 0, 1])).toEqual([
      "T1",
      "├─ T2",
      "│  ├─ T3",
      "│  └─ T4",
      "└─ T5",
      "   └─ T6",
      "T7",
      "└─ T8"
    ])
  })

  test("goes on in depth, and not in width, where it is very deep", () => {
    const chain = trees(Array.from({ length: 500 }, (_, at) => at))
    expect(chain.at(-1)).toMatch(/^ {33}└─ \(499\) T500$/)
  })

  test("says what it cannot show", () => {
    const root = (cause: AuditEntry["cause"]): AuditEntry => ({
      event: event(1, { meta: { causationId: "gone" } }),
      depth: 0,
      cause,
      isSubject: true
    })
    expect(drawn([root("absent")])[0]).toContain("(its cause gone is not in this log)")
    expect(drawn([root("absent")], undefined, false)[0]).toContain("(its cause gone is not shown)")
    expect(drawn([root("circular")])[0]).toContain("(its causes lead back to it)")
  })

  test("fits every terminal, whatever events hold", async () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constant("潮\u001b[2J\u202e".repeat(40)))
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        text,
        fc.nat({ max: 40 }),
        fc.integer({ min: 10, max: 150 }),
        async (actor, reason, cause, depth, width) => {
          const meta = { actor, reason, causationId: cause }
          const odd = event(9, { meta, data: { [actor]: reason }, stream: `order-${"x".repeat(60)}` })
          const lines = [
            ...drawn([{ event: odd, depth, cause: "absent", isSubject: true }], width),
            ...(await new AuditRecords(noPaint, async () => undefined).record(odd, width)).split("\n"),
            new EventRows(noPaint, width, "past").row({ event: odd, at: 0, latencyMs: undefined }),
            new EventRows(noPaint, width, "past").header()
          ]
          for (const line of lines) {
            expect(isPlain(line)).toBe(true)
            if (width >= 20) expect(widthOf(line)).toBeLessThanOrEqual(width)
          }
        }
      ),
      { numRuns: 200 }
    )
  })
})

describe("a record", () => {
  test("names its cause, looked up once, and not for ever", async () => {
    const asked: Array<string> = []
    const records = new AuditRecords(noPaint, async (id) => {
      asked.push(id)
      return id === event(1).id ? event(1) : undefined
    })
    const causedBy = (id: string, position: number) =>
      records.record(event(position, { meta: { causationId: id } }), undefined)
    expect(await causedBy(event(1).id, 2)).toContain("cause  #1 T1, order-1 v1")
    expect(await causedBy(event(1).id.toUpperCase(), 3)).toContain("cause  #1 T1, order-1 v1")
    expect(await causedBy(event(2).id, 4)).toContain("cause  #2 T2, order-1 v2")
    expect(asked).toEqual([event(1).id])
    for (let n = 0; n < 2_000; n++) await causedBy(`gone-${n}`, 10 + n)
    expect(asked).toHaveLength(1_000)
    expect(await causedBy("gone-1999", 5_000)).toMatch(/cause {2}gone-1999$/)
  })
})
