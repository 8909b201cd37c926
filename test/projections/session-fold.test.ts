import fc from "fast-check"
import { expect, test } from "vitest"
import { foldSession, type SessionRow } from "../../projections/sessions/fold.ts"
import type { Event } from "../../src/log/event.ts"

// The laws of a session's life, whatever is in its stream and whenever it was recorded.

const TTLS = [1_000, 5_000] as const

/** What the stream has, and how long after the event before, in ms. */
const happening = fc.record({
  after: fc.oneof(fc.constantFrom(0, 999, 1_000, 1_001, 5_000), fc.integer({ min: 0, max: 2_000 })),
  what: fc.constantFrom("create", "touch", "fill", "end", "expire", "nonsense", "redacted")
})

type Happening = typeof happening extends fc.Arbitrary<infer A> ? A : never

const said = (what: Happening["what"], nth: number): Pick<Event, "type" | "data"> => {
  switch (what) {
    case "create":
      return { type: "SessionCreated", data: { user: "u", data: { nth }, ttlMs: TTLS[nth % 2] } }
    case "touch":
      return { type: "SessionTouched", data: {} }
    case "fill":
      return { type: "SessionTouched", data: { data: { nth } } }
    case "end":
      return { type: "SessionEnded", data: {} }
    case "expire":
      return { type: "SessionExpired", data: { expiredAt: "2026-01-31T12:00:00Z" } }
    case "nonsense":
      return { type: "SessionCreated", data: { ttlMs: "soon" } }
    case "redacted":
      return { type: "SessionCreated", data: { redacted: true } }
  }
}

const BEGAN = Date.parse("2026-01-31T12:00:00Z")

const eventsOf = (all: ReadonlyArray<Happening>): ReadonlyArray<Event> => {
  let at = BEGAN
  return all.map(({ after, what }, nth) => {
    at += after
    return {
      position: 10 * (nth + 1),
      id: String(nth),
      stream: "session-s",
      version: nth + 1,
      labels: [],
      meta: {},
      schemaVersion: 1,
      recordedAt: new Date(at),
      ...said(what, nth)
    }
  })
}

/** A row as it comes back from the database. */
const stored = (row: SessionRow | undefined): SessionRow | undefined =>
  row === undefined
    ? undefined
    : { ...row, id: String(row.id), version: String(row.version), ttl_ms: String(row.ttl_ms) }

/** How a session stands, told in another way: by the first creation, the signs of life in time, and the first end. */
const told = (events: ReadonlyArray<Event>) => {
  const first = events.findIndex(
    ({ type, data }) => type === "SessionCreated" && typeof (data as { ttlMs?: unknown }).ttlMs === "number"
  )
  if (first < 0) return undefined
  const { ttlMs, data } = events[first]!.data as { ttlMs: number; data: unknown }
  const session = { status: "active", until: events[first]!.recordedAt.getTime() + ttlMs, data }
  for (const { type, data: more, recordedAt } of events.slice(first + 1)) {
    const at = recordedAt.getTime()
    if (type === "SessionExpired") return { ...session, status: "expired" }
    if (at >= session.until) continue
    if (type === "SessionEnded") return { ...session, status: "ended" }
    if (type !== "SessionTouched") continue
    session.until = at + ttlMs
    session.data = (more as { data?: unknown }).data ?? session.data
  }
  return session
}

test("a session is what its first creation, its signs of life in time and its first end make of it", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), fc.boolean(), (all, isStored) => {
      const events = eventsOf(all)
      let row: SessionRow | undefined
      for (const event of events) row = foldSession(isStored ? stored(row) : row, event)
      const wanted = told(events)
      expect(
        row === undefined
          ? undefined
          : { status: row.status, until: row.expires_at.getTime(), data: row.data }
      ).toEqual(wanted)
    }),
    { numRuns: 2_000 }
  )
})

test("a session that was seen as over at some time is never seen alive after it", () => {
  const isAlive = (row: SessionRow, at: number) => row.status === "active" && row.expires_at.getTime() > at
  fc.assert(
    fc.property(fc.array(happening, { minLength: 1, maxLength: 12 }), (all) => {
      let row: SessionRow | undefined
      let wasOver = false
      for (const event of eventsOf(all)) {
        const at = event.recordedAt.getTime()
        // As somebody sees it who looks just before the event comes, and just after.
        if (row !== undefined) wasOver ||= !isAlive(row, at)
        row = foldSession(row, event)
        if (row !== undefined && wasOver) expect(isAlive(row, at)).toBe(false)
      }
    }),
    { numRuns: 2_000 }
  )
})
