import { DuplicateEvent, VersionConflict } from "./error.ts"
import type { ExpectedVersion } from "./event.ts"
import type { Request, RequestPart } from "./request.ts"

const EMPTY: Request = { parts: [], events: 0, bytes: 0, ownIds: false }

/** What is expected of a stream before the draft, and how many events the draft adds to it. */
interface Share {
  part: number
  expected: ExpectedVersion
  events: number
}

/**
 * The emits of one transaction, gathered into one append in the order in which they were made. What a later emit expects of
 * a stream is brought back to what it means before the first, since that is what the append compares.
 */
export class Draft {
  private parts: Array<RequestPart> = []
  private shares = new Map<string, Share>()
  private ids = new Set<string>()
  private request: Request = EMPTY

  get isEmpty(): boolean {
    return this.parts.length === 0
  }

  /** Adds a checked request; returns why it cannot be where it contradicts what was emitted before. */
  add(request: Request): VersionConflict | DuplicateEvent | undefined {
    const repeated = this.repeatedId(request)
    if (repeated !== undefined) return repeated
    for (const part of request.parts) {
      const conflict = this.addPart(part)
      if (conflict !== undefined) return conflict
    }
    this.request = {
      parts: this.parts,
      events: this.request.events + request.events,
      bytes: this.request.bytes + request.bytes,
      ownIds: this.request.ownIds || request.ownIds
    }
    return undefined
  }

  /** The append so far; the draft begins anew. */
  take(): Request {
    const { request } = this
    this.parts = []
    this.shares = new Map()
    this.ids = new Set()
    this.request = EMPTY
    return request
  }

  /** Only a caller's own id can stand in two emits; once in the log, the append itself would find it. */
  private repeatedId(request: Request): DuplicateEvent | undefined {
    if (!request.ownIds) return undefined
    for (const { stream, rows } of request.parts) {
      const twice = rows.find((row) => this.ids.has(row.id))
      if (twice !== undefined) return new DuplicateEvent({ stream, ids: [twice.id] })
    }
    for (const { rows } of request.parts) for (const row of rows) this.ids.add(row.id)
    return undefined
  }

  private addPart(part: RequestPart): VersionConflict | undefined {
    const share = this.shares.get(part.stream)
    if (share === undefined) {
      this.shares.set(part.stream, {
        part: this.parts.length,
        expected: part.expected,
        events: part.rows.length
      })
      this.parts.push(part)
      return undefined
    }
    const before = expectedBefore(part.expected, share)
    if (before === "contradiction") {
      return new VersionConflict({
        stream: part.stream,
        expected: part.expected,
        actual: share.events + known(share.expected)
      })
    }
    share.expected = before
    share.events += part.rows.length
    this.parts[share.part] = { ...this.parts[share.part]!, expected: before }
    this.parts.push({ ...part, expected: "any" })
    return undefined
  }
}

const known = (expected: ExpectedVersion): number => (typeof expected === "number" ? expected : 0)

const expectedBefore = (expected: ExpectedVersion, share: Share): ExpectedVersion | "contradiction" => {
  if (expected === "any" || expected === "exists") return share.expected
  if (expected === "none") return "contradiction"
  const before = expected - share.events
  switch (share.expected) {
    case "any":
      return before < 0 ? "contradiction" : before
    case "exists":
      return before < 1 ? "contradiction" : before
    case "none":
      return before === 0 ? "none" : "contradiction"
    default:
      return before === share.expected ? before : "contradiction"
  }
}
