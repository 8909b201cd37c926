import type { Event } from "./event.ts"
import type { Sink } from "./feed.ts"

/** Who is fed, and what all of them want together. A sink that names streams costs a page nothing where it has no event of these. */
export class Sinks implements Iterable<Sink> {
  private readonly all = new Set<Sink>()
  private readonly ofAnyStream = new Set<Sink>()
  private readonly byStream = new Map<string, Set<Sink>>()
  private wanted:
    | { readonly types: ReadonlyArray<string> | undefined; readonly patienceMs: number }
    | undefined

  get size(): number {
    return this.all.size
  }

  [Symbol.iterator](): Iterator<Sink> {
    return this.all[Symbol.iterator]()
  }

  add(sink: Sink): void {
    this.all.add(sink)
    this.wanted = undefined
    if (sink.streams === undefined) this.ofAnyStream.add(sink)
    for (const stream of sink.streams ?? []) {
      const ofStream = this.byStream.get(stream)
      if (ofStream === undefined) this.byStream.set(stream, new Set([sink]))
      else ofStream.add(sink)
    }
  }

  delete(sink: Sink): void {
    this.all.delete(sink)
    this.wanted = undefined
    this.ofAnyStream.delete(sink)
    for (const stream of sink.streams ?? []) {
      const ofStream = this.byStream.get(stream)
      ofStream?.delete(sink)
      if (ofStream?.size === 0) this.byStream.delete(stream)
    }
  }

  /** The types that anybody wants; undefined where somebody wants all. */
  get types(): ReadonlyArray<string> | undefined {
    return this.together.types
  }

  /** The least patient sink decides. */
  get patienceMs(): number {
    return this.together.patienceMs
  }

  /** Offers a stretch to those who may want something of it. */
  hand(events: ReadonlyArray<Event>, settled: number): void {
    for (const sink of this.ofAnyStream) sink.offer(events, settled)
    if (this.byStream.size === 0) return
    const offers = new Map<Sink, Array<Event>>()
    for (const event of events)
      for (const sink of this.byStream.get(event.stream) ?? []) {
        const own = offers.get(sink)
        if (own === undefined) offers.set(sink, [event])
        else own.push(event)
      }
    for (const [sink, own] of offers) sink.offer(own, settled)
  }

  /** Kept until somebody comes or goes: it is asked for at every look. */
  private get together() {
    if (this.wanted !== undefined) return this.wanted
    let patienceMs = Number.POSITIVE_INFINITY
    let isAnyType = false
    const types = new Set<string>()
    for (const sink of this.all) {
      patienceMs = Math.min(patienceMs, sink.patienceMs ?? 0)
      if (sink.types === undefined) isAnyType = true
      for (const type of sink.types ?? []) types.add(type)
    }
    this.wanted = { types: isAnyType ? undefined : [...types], patienceMs }
    return this.wanted
  }
}
