import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { InvalidArgument, logError, Unavailable } from "../error.ts"
import type { Event } from "../event.ts"
import { upcastEvent } from "../recorded.ts"
import type { ReplayError, ReplayParts } from "../replay/replay.ts"
import { forest, type Link } from "./forest.ts"
import { Links } from "./links.ts"
import {
  type Audit,
  type AuditEntry,
  type AuditOptions,
  type AuditSubject,
  limitOf,
  type Reading,
  readingsOf
} from "./subject.ts"

/** How often an audit begins anew where the server came to be another one meanwhile. */
const TRIES = 3

export interface AuditParts extends ReplayParts {
  readonly postgres: Postgres["Service"]
}

/** The trees of causes and effects that a subject belongs to. */
export const audit = (
  parts: AuditParts,
  subject: AuditSubject,
  options: AuditOptions = {}
): Effect.Effect<Audit, ReplayError> =>
  Effect.gen(function* () {
    const readings = readingsOf(subject)
    if (readings instanceof InvalidArgument) return yield* logError(readings)
    const limit = limitOf(options)
    if (limit instanceof InvalidArgument) return yield* logError(limit)
    for (let tries = 0; tries < TRIES; tries++) {
      const gathered = yield* parts.feed.sure(gather(parts, readings, limit))
      if (gathered !== undefined) return yield* shown(parts, gathered)
    }
    const detail = `another server answered than before, ${TRIES} times in a row`
    return yield* logError(new Unavailable({ detail }))
  })

/** Events that are tied together. */
interface Ties {
  readonly links: ReadonlyArray<Link>
  readonly isComplete: boolean
}

interface Gathered extends Ties {
  readonly reading: Reading
  readonly subjects: ReadonlySet<number>
  readonly events: ReadonlyMap<number, Event>
}

const gather = Effect.fnUntraced(function* (
  { postgres, feed }: AuditParts,
  readings: ReadonlyArray<Reading>,
  limit: number
): Effect.fn.Return<Gathered, PostgresError> {
  const links = new Links(postgres, yield* feed.settled)
  let reading = readings.at(-1)!
  let seeds: ReadonlyArray<Link> = []
  for (const one of readings) {
    seeds = yield* seedsOf(links, one, limit + 1)
    reading = one
    if (seeds.length > 0) break
  }
  const ties = yield* tiesOf(links, seeds, limit, reading.kind === "agent" || reading.kind === "stream")
  const events = yield* links.events(ties.links.map(({ position }) => position))
  return {
    reading,
    ...ties,
    subjects: new Set(seeds.map(({ position }) => position)),
    events: new Map(events.map((event) => [event.position, event]))
  }
})

/** What the subject itself is: an event, the first of a piece of work, or the newest of a stream or an agent. */
const seedsOf = (
  links: Links,
  { kind, id }: Reading,
  most: number
): Effect.Effect<ReadonlyArray<Link>, PostgresError> => {
  switch (kind) {
    case "event":
      return links.upwards([id], 1)
    case "correlation":
      return links.ofCorrelation(id, most)
    case "stream":
      return links.ofStream(id, most)
    case "agent":
      return links.ofAgent(id, most)
  }
}

/**
 * All that the seeds are tied to, so many events at most. Of a stream or an agent the newest trees are wanted whole: where they are too
 * many events, half of the seeds are tried, and half of these.
 */
const tiesOf = Effect.fnUntraced(function* (
  links: Links,
  seeds: ReadonlyArray<Link>,
  limit: number,
  isNewestFirst: boolean
): Effect.fn.Return<Ties, PostgresError> {
  let taken = Math.min(seeds.length, limit)
  for (;;) {
    const ties = yield* tiedTo(links, seeds.slice(0, taken), limit)
    if (ties.isComplete || !isNewestFirst || taken === 1)
      return { ...ties, isComplete: ties.isComplete && taken === seeds.length }
    taken = Math.floor(taken / 2)
  }
})

const tiedTo = Effect.fnUntraced(function* (
  links: Links,
  seeds: ReadonlyArray<Link>,
  limit: number
): Effect.fn.Return<Ties, PostgresError> {
  if (seeds.length === 0) return { links: [], isComplete: true }
  const above = yield* links.upwards(
    seeds.map(({ id }) => id),
    limit + 1
  )
  if (above.length > limit) return { links: above.slice(0, limit), isComplete: false }
  const ids = above.map(({ id }) => id)
  const first = above.reduce((least, { position }) => Math.min(least, position), Number.MAX_SAFE_INTEGER)
  const left = limit - above.length
  const below = yield* links.downwards(ids, first, left + 1)
  const isComplete = below.length <= left
  return { links: [...above, ...below.slice(0, left)], isComplete }
})

/** What retention took meanwhile, or what is too much to hold, is left out. */
const shown = Effect.fnUntraced(function* (
  { types }: AuditParts,
  { reading, links, subjects, events, isComplete }: Gathered
): Effect.fn.Return<Audit, ReplayError> {
  const there = links.filter(({ position }) => events.has(position))
  const entries: Array<AuditEntry> = []
  for (const { link, depth, cause } of forest(there)) {
    const event = yield* upcastEvent(types, events.get(link.position)!)
    entries.push({ event, depth, cause, isSubject: subjects.has(link.position) })
  }
  return { ...reading, entries, isComplete: isComplete && there.length === links.length }
})
