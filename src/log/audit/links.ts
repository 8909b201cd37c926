import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { Event } from "../event.ts"
import { sizeOf } from "../event-size.ts"
import { PAGE_BYTES, PAGE_EVENTS } from "../page-size.ts"
import { type EventRow, portionOf } from "../recorded.ts"
import { idIn } from "../replay/criteria.ts"
import type { Link } from "./forest.ts"

/** How many events of the log one query looks at: some 20 ms of the server's time. */
const STRETCH_EVENTS = 20_000

/** How much an audit holds of what events carry, in bytes. */
export const AUDIT_BYTES = 64 * 1024 * 1024

interface LinkRow {
  readonly position: string
  readonly id: string
  readonly cause: string | null
}

interface StretchRow {
  /** Where the stretch ends; null where there was nothing to look at. */
  readonly edge: string | null
  readonly position: string | null
  readonly id: string
  readonly cause: string | null
}

interface Looked {
  readonly edge: number | undefined
  readonly links: ReadonlyArray<Link>
}

const linkOf = ({ position, id, cause }: StretchRow | LinkRow): Link => ({
  position: Number(position),
  id,
  cause: cause ?? undefined
})

const numberIn = (text: string | null): number | undefined => (text === null ? undefined : Number(text))

/** Those that known events led to, directly or not, in order of position; again as long as effects lie before their causes. */
export const effectsOf = (known: ReadonlySet<string>, links: ReadonlyArray<Link>): ReadonlyArray<Link> => {
  const found = new Map<string, Link>()
  const isNew = ({ id, cause }: Link): boolean =>
    cause !== undefined && (known.has(cause) || found.has(cause)) && !known.has(id) && !found.has(id)
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const link of links) if (isNew(link)) found.set(link.id, link)
  }
  return [...found.values()].toSorted((one, other) => one.position - other.position)
}

/**
 * Finds what is tied together in the settled part of the log. Ids have an index, causes and correlations none: these are
 * looked for stretch by stretch (docs/decisions/003).
 */
export class Links {
  private readonly postgres: Postgres["Service"]
  private readonly upTo: number

  constructor(postgres: Postgres["Service"], upTo: number) {
    this.postgres = postgres
    this.upTo = upTo
  }

  /** Events by their ids and all that led to them, the nearest first; so many at most. */
  upwards(ids: ReadonlyArray<string>, most: number): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    const { text, name } = statement("links_upwards", this.postgres.schema)
    return Effect.map(this.postgres.query<LinkRow>(text, [ids, this.upTo, most], { name }), ({ rows }) =>
      rows.map(linkOf)
    )
  }

  /** What events led to, directly or not, and behind a position, where effects lie; the first ones, so many at most. */
  downwards(
    ids: ReadonlyArray<string>,
    after: number,
    most: number
  ): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    const known = new Set(ids)
    return this.forwards(after, most, (from, left) =>
      Effect.gen({ self: this }, function* () {
        const { edge, hit } = yield* this.firstEffect(from, known)
        if (edge === undefined || hit === undefined) return { edge, links: [] }
        const links = effectsOf(known, yield* this.between(hit, edge)).slice(0, left)
        for (const { id } of links) known.add(id)
        return { edge, links }
      })
    )
  }

  /** The first events of a piece of work. */
  ofCorrelation(correlation: string, most: number): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    return this.forwards(0, most, (after, left) =>
      this.stretch("links_of_correlation", [
        after,
        this.upTo,
        correlation,
        idIn(correlation),
        STRETCH_EVENTS,
        left
      ])
    )
  }

  /** The newest events of a stream, the newest first; it has an index. */
  ofStream(stream: string, most: number): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    const { text, name } = statement("links_of_stream", this.postgres.schema)
    return Effect.map(this.postgres.query<LinkRow>(text, [stream, this.upTo, most], { name }), ({ rows }) =>
      rows.map(linkOf)
    )
  }

  /** The newest events that concern an agent, the newest first. */
  ofAgent(agent: string, most: number): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    return Effect.gen({ self: this }, function* () {
      const found: Array<Link> = []
      for (let upTo = this.upTo; upTo > 0 && found.length < most;) {
        const values = [upTo, agent, STRETCH_EVENTS, most - found.length]
        const { edge, links } = yield* this.stretch("links_of_agent", values)
        for (const link of links) found.push(link)
        upTo = (edge ?? 1) - 1
      }
      return found
    })
  }

  /** Events by their positions, until they are AUDIT_BYTES. */
  events(positions: ReadonlyArray<number>): Effect.Effect<ReadonlyArray<Event>, PostgresError> {
    const { text, name } = statement("events_at", this.postgres.schema)
    const wanted = positions.toSorted((one, other) => one - other)
    return Effect.gen({ self: this }, function* () {
      const events: Array<Event> = []
      let bytes = 0
      for (let at = 0; at < wanted.length && bytes < AUDIT_BYTES;) {
        const asked = wanted.slice(at, at + PAGE_EVENTS)
        const { rows } = yield* this.postgres.query<EventRow>(text, [asked, PAGE_BYTES], {
          name,
          arrays: true
        })
        for (const event of portionOf(rows, asked.length).events) {
          events.push(event)
          bytes += sizeOf(event)
        }
        // Fewer than were asked for: cut by their size, or taken out of the log by retention meanwhile.
        const isCut = rows.at(-1)?.at(-1) === true
        const last = events.at(-1)?.position ?? 0
        at = isCut ? wanted.findIndex((position) => position > last) : at + asked.length
        if (at === -1) break
      }
      return events
    })
  }

  /** Where the stretch behind a position ends, and where in it the first effect of known events is. */
  private firstEffect(
    after: number,
    known: ReadonlySet<string>
  ): Effect.Effect<{ edge: number | undefined; hit: number | undefined }, PostgresError> {
    const { text, name } = statement("first_effect", this.postgres.schema)
    const values = [after, this.upTo, [...known], STRETCH_EVENTS]
    return Effect.map(
      this.postgres.query<{ edge: string | null; hit: string | null }>(text, values, { name }),
      ({ rows: [row] }) => ({ edge: numberIn(row!.edge), hit: numberIn(row!.hit) })
    )
  }

  private between(first: number, last: number): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    const { text, name } = statement("links_between", this.postgres.schema)
    return Effect.map(this.postgres.query<LinkRow>(text, [first, last], { name }), ({ rows }) =>
      rows.map(linkOf)
    )
  }

  /** Stretch after stretch, until there are enough. */
  private forwards(
    after: number,
    most: number,
    look: (after: number, left: number) => Effect.Effect<Looked, PostgresError>
  ): Effect.Effect<ReadonlyArray<Link>, PostgresError> {
    return Effect.gen({ self: this }, function* () {
      const found: Array<Link> = []
      for (let from = after; from < this.upTo && found.length < most;) {
        const { edge, links } = yield* look(from, most - found.length)
        for (const link of links) found.push(link)
        from = edge ?? this.upTo
      }
      return found
    })
  }

  private stretch(query: string, values: ReadonlyArray<unknown>): Effect.Effect<Looked, PostgresError> {
    const { text, name } = statement(query, this.postgres.schema)
    return Effect.map(this.postgres.query<StretchRow>(text, values, { name }), ({ rows }) => {
      return {
        edge: numberIn(rows[0]?.edge ?? null),
        links: rows.filter(({ position }) => position !== null).map(linkOf)
      }
    })
  }
}
