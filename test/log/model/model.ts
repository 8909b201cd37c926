import type { ExpectedVersion } from "../../../src/index.ts"

/** An event as a program emits it: the same id is always the same event, unless a program lies about it. */
export interface ModelEvent {
  readonly id: string
  readonly type: string
  readonly n: number
}

export interface ModelPart {
  readonly stream: string
  readonly events: ReadonlyArray<ModelEvent>
  readonly expected: ExpectedVersion
}

export type Append = ReadonlyArray<ModelPart>

export interface ModelRecorded extends ModelEvent {
  readonly stream: string
  readonly version: number
}

export type Answer =
  | { readonly tag: "appended"; readonly versions: ReadonlyArray<ReadonlyArray<number>> }
  | { readonly tag: "conflict"; readonly stream: string; readonly actual: number }
  | { readonly tag: "duplicate" }

const met = (expected: ExpectedVersion, version: number): boolean => {
  if (expected === "any") return true
  if (expected === "none") return version === 0
  return expected === "exists" ? version > 0 : version === expected
}

/** The log as its rules say it is: one append after the other, in memory. */
export class ModelLog {
  /** In the order of positions. */
  readonly recorded: Array<ModelRecorded> = []
  private readonly byId = new Map<string, number>()

  version(stream: string): number {
    return this.recorded.filter((event) => event.stream === stream).length
  }

  append(parts: Append): Answer {
    const wanted = parts.flatMap(({ stream, events }) => events.map((event) => ({ stream, event })))
    const ids = wanted.map(({ event }) => event.id)
    if (new Set(ids).size < ids.length) return { tag: "duplicate" }
    const known = ids.map((id) => this.byId.get(id))
    if (known.some((at) => at !== undefined)) return this.again(parts, known)
    const unmet = parts.find(({ stream, expected }) => !met(expected, this.version(stream)))
    if (unmet !== undefined)
      return { tag: "conflict", stream: unmet.stream, actual: this.version(unmet.stream) }
    const versions = parts.map(({ stream, events }) =>
      events.map((event) => {
        const version = this.version(stream) + 1
        this.byId.set(event.id, this.recorded.length)
        this.recorded.push({ ...event, stream, version })
        return version
      })
    )
    return { tag: "appended", versions }
  }

  /** Ids that are there: the same append, which returns its first places, or a duplicate. */
  private again(parts: Append, known: ReadonlyArray<number | undefined>): Answer {
    let last = -1
    let nth = 0
    const versions: Array<Array<number>> = []
    for (const { stream, events } of parts) {
      const places: Array<number> = []
      for (const event of events) {
        const at = known[nth]
        nth += 1
        if (at === undefined || at < last) return { tag: "duplicate" }
        last = at
        const there = this.recorded[at]!
        const before = places.at(-1)
        const same = there.stream === stream && there.type === event.type && there.n === event.n
        if (!same || (before !== undefined && there.version !== before + 1)) return { tag: "duplicate" }
        places.push(there.version)
      }
      versions.push(places)
    }
    return { tag: "appended", versions }
  }
}
