import { Effect } from "effect"
import type { Event } from "../../../src/log/event.ts"
import type { Filter } from "../../../src/log/filter.ts"
import { EXTENT_EVENTS, type Holder, type Pages } from "../../../src/log/page.ts"
import type { Portion } from "../../../src/log/page-size.ts"

/** Which rules the writers and the reader of a simulated log keep. */
export interface Kept {
  /** S1: a writer holds the lock before it draws. */
  readonly lockFirst: boolean
  /** S2: how many numbers a session takes from the sequence at a time. */
  readonly cache: number
}

export const allRules: Kept = { lockFirst: true, cache: 1 }

/** What a writer does next; each number chooses among those who are in the state for it. */
export type Action =
  | { readonly kind: "begin" }
  | { readonly kind: "draw"; readonly who: number }
  | { readonly kind: "commit" | "rollback" | "prepare"; readonly who: number }

interface Writer {
  readonly backend: number
  readonly number: number
  locked: boolean
  prepared: boolean
  readonly drawn: Array<number>
}

/** Every third event is of a type of its own. */
export const typeAt = (position: number): string => (position % 3 === 0 ? "Rare" : "Common")

const eventAt = (position: number): Event => ({
  position,
  id: String(position),
  stream: "s-1",
  version: position,
  type: typeAt(position),
  data: {},
  labels: [],
  meta: {},
  recordedAt: new Date(0),
  schemaVersion: 1
})

const portion = (positions: ReadonlyArray<number>, limit: number): Portion => {
  const events = positions.slice(0, limit).map(eventAt)
  return { events, count: events.length, last: events.at(-1)?.position ?? 0, isFull: events.length === limit }
}

/** A log in memory whose writers act between the statements of its reader, as they do on a server. */
export class SimulatedLog {
  readonly committed: Array<number> = []
  /** How often the reader asked for the holders. */
  holdersAsked = 0
  recorded = 0
  private readonly kept: Kept
  private writers: Array<Writer> = []
  private sequence = 0
  private begun = 0
  /** Numbers that a session took and has not used yet, by backend. */
  private readonly cached = new Map<number, Array<number>>()
  private betweenStatements: () => void = () => undefined

  constructor(kept: Kept = allRules) {
    this.kept = kept
  }

  /** Runs before each statement of the reader. */
  onStatement(act: () => void): void {
    this.betweenStatements = act
  }

  act(action: Action): void {
    if (action.kind === "begin") {
      this.begun += 1
      this.writers.push({
        backend: this.freeBackend(),
        number: this.begun,
        locked: false,
        prepared: false,
        drawn: []
      })
      return
    }
    const able = this.writers.filter((one) => action.kind !== "draw" || !one.prepared)
    const writer = able[action.who % Math.max(1, able.length)]
    if (writer === undefined) return
    if (action.kind === "draw") this.draw(writer)
    else if (action.kind === "prepare") writer.prepared = writer.prepared || writer.drawn.length > 0
    else this.end(writer, action.kind === "commit")
  }

  append(count: number): ReadonlyArray<number> {
    this.act({ kind: "begin" })
    const writer = this.writers.at(-1)!
    for (let drawn = 0; drawn < count; drawn += 1) this.draw(writer)
    this.end(writer, true)
    return writer.drawn
  }

  /** Removes an event, as retention does with a partition. */
  drop(position: number): void {
    this.committed.splice(this.committed.indexOf(position), 1)
  }

  endAll(): void {
    for (const writer of [...this.writers]) this.end(writer, true)
  }

  /** The reader's queries. */
  readonly pages: Pages = {
    above: (after: number, limit: number) =>
      this.statement((seen) =>
        portion(
          seen.filter((one) => one > after),
          limit
        )
      ),
    between: (after: number, upTo: number, limit: number, { types }: Filter) =>
      this.statement((seen) =>
        portion(
          seen.filter((one) => one > after && one <= upTo && (types?.includes(typeAt(one)) ?? true)),
          limit
        )
      ),
    extent: (after: number, types: ReadonlyArray<string> = []) =>
      this.statement((seen) => {
        const ahead = seen.filter((one) => one > after).slice(0, EXTENT_EVENTS)
        const contiguous = ahead.filter((one, nth) => one === after + nth + 1).at(-1)
        const wanted = ahead.some((one) => one <= (contiguous ?? 0) && types.includes(typeAt(one)))
        return { contiguous, highest: ahead.at(-1) ?? 0, seen: ahead.length, wanted }
      }),
    highestPosition: () => this.statement((seen) => seen.at(-1) ?? 0),
    lockHolders: () =>
      this.statement(() => {
        this.holdersAsked += 1
        return this.holders()
      }),
    settledPosition: () => this.statement(() => this.recorded)
  } as unknown as Pages

  private statement<A>(answer: (seen: ReadonlyArray<number>) => A): Effect.Effect<A> {
    return Effect.sync(() => {
      this.betweenStatements()
      return answer(this.committed.toSorted((a, b) => a - b))
    })
  }

  /** A prepared transaction is no longer its backend's, which begins another. */
  private freeBackend(): number {
    const busy = new Set(this.writers.filter(({ prepared }) => !prepared).map(({ backend }) => backend))
    let backend = 1
    while (busy.has(backend)) backend += 1
    return backend
  }

  private draw(writer: Writer): void {
    if (this.kept.lockFirst) writer.locked = true
    const cached = this.cached.get(writer.backend) ?? []
    if (cached.length === 0)
      for (let count = 0; count < this.kept.cache; count += 1) cached.push((this.sequence += 1))
    this.cached.set(writer.backend, cached)
    writer.drawn.push(cached.shift()!)
  }

  private end(writer: Writer, commit: boolean): void {
    this.writers = this.writers.filter((one) => one !== writer)
    if (commit) this.committed.push(...writer.drawn)
  }

  private holders(): ReadonlyArray<Holder> {
    return this.writers
      .filter(({ locked }) => locked)
      .map(({ backend, number, prepared }) =>
        prepared ? { holder: `-1/${number}`, pid: null } : { holder: `${backend}/${number}`, pid: backend }
      )
  }
}
