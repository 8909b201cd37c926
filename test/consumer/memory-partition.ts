import { Effect, Semaphore } from "effect"
import { Rate } from "../../src/base/rate.ts"
import { Cursor } from "../../src/consumer/cursor.ts"
import { type DeliveryParts, PlainDelivery } from "../../src/consumer/delivery.ts"
import { type AnyHandler, Handling } from "../../src/consumer/handling.ts"
import type { Held } from "../../src/consumer/held.ts"
import { type ConsumeOptions, type Settings, settingsOf } from "../../src/consumer/options.ts"
import type { Changes, Place } from "../../src/consumer/places.ts"
import { PlainRetrial } from "../../src/consumer/plain-retrial.ts"
import { Retries } from "../../src/consumer/retries.ts"
import { TransactionalDelivery } from "../../src/consumer/transactional-delivery.ts"
import { TransactionalRetrial } from "../../src/consumer/transactional-retrial.ts"
import type { Event } from "../../src/index.ts"
import type { Portion } from "../../src/log/page-size.ts"

type Row = Pick<Held, "position" | "stream" | "type" | "state" | "attempts" | "errors" | "due_ms">

/** One partition's rows as the SQL changes them, in memory; whatever is to be tried again is due at once. */
export class MemoryPlaces {
  position = 0
  rows = new Map<number, Row>()
  /** Which was written after which. */
  private readonly dueSince = new Map<number, number>()
  private written = 0

  readonly keepIn = (_: unknown, place: Place, to: number, changes: Changes) =>
    this.keep(place, {}, to, changes)

  keep = (place: Place, _: unknown, to: number, { held = [], done = [] }: Changes) =>
    Effect.sync(() => {
      if (place.position !== this.position)
        throw new Error(`not at ${place.position}, but at ${this.position}`)
      this.position = to
      const freed = new Set(done.map((position) => this.rows.get(position)?.stream))
      for (const position of done) this.rows.delete(position)
      const ahead = [...freed].flatMap((stream) => (stream === undefined ? [] : [this.goOn(stream)]))
      for (const one of held) this.set({ ...this.rows.get(one.position), ...one })
      return ahead
    })

  sure = () => Effect.void

  readonly load = () =>
    Effect.sync(() => ({
      owner: PLACE.owner,
      epoch: PLACE.epoch,
      position: this.position,
      head: Number.MAX_SAFE_INTEGER,
      isClean: true,
      begun: undefined
    }))

  readonly heldStreams = (_: Place, most: number) =>
    Effect.sync(() => [...new Set(this.sorted().map(({ stream }) => stream))].slice(0, most))

  readonly retrying = () => Effect.sync(() => this.dueNow().map(({ position }) => ({ position, dueMs: 0 })))

  due = (_: Place, most: number, mostBehind: number) =>
    Effect.sync(() => {
      const due = this.dueNow().slice(0, most)
      const share = Math.floor(mostBehind / Math.max(1, due.length))
      return due.flatMap((row) => [row, ...this.behind(row).slice(0, share)].map(triedOf(row.position)))
    })

  readonly errorsOf = (_: Place, position: number) => Effect.sync(() => this.rows.get(position)?.errors)

  sorted(): ReadonlyArray<Row> {
    return [...this.rows.values()].toSorted((one, other) => one.position - other.position)
  }

  /** What waits, though nothing of its stream that is tried again or parked lies before it. */
  forgotten(): ReadonlyArray<Row> {
    const rows = this.sorted()
    return rows.filter(
      ({ state, stream, position }) =>
        state === "waiting" &&
        !rows.some((row) => row.stream === stream && row.position < position && row.state !== "waiting")
    )
  }

  private dueNow(): ReadonlyArray<Row> {
    const due = this.sorted().filter(({ due_ms }) => due_ms !== null)
    return due.toSorted(
      (one, other) => (this.dueSince.get(one.position) ?? 0) - (this.dueSince.get(other.position) ?? 0)
    )
  }

  private behind({ stream, position }: Row): ReadonlyArray<Row> {
    const others = this.sorted().filter((row) => row.stream === stream && row.position !== position)
    return others.every(({ state }) => state === "waiting") ? others : []
  }

  private set(row: Row): void {
    this.written += 1
    this.dueSince.set(row.position, this.written)
    this.rows.set(row.position, row)
  }

  private goOn(stream: string) {
    const others = this.sorted().filter((row) => row.stream === stream)
    const [first] = others
    const next = others.every(({ state }) => state === "waiting") ? first?.position : undefined
    if (next !== undefined) this.set({ ...first!, state: "retrying", due_ms: 0 })
    return { stream, isHeld: others.length > 0, next }
  }
}

const triedOf =
  (turn: number) =>
  ({ position, stream, type, attempts, errors }: Row) => ({
    position,
    stream,
    type,
    attempts,
    errors,
    isDropped: false,
    turn
  })

const PLACE: Place = { name: "memory", partition: 0, epoch: 1, owner: "me", position: 0 }
const ORIGIN = { id: "log", epoch: 1 }

export const eventAt = (position: number, stream: string, version = 1): Event => ({
  position,
  id: `event-${position}`,
  stream,
  version,
  type: "Numbered",
  data: {},
  labels: [],
  meta: {},
  recordedAt: new Date(0),
  schemaVersion: 1
})

export const memorySettings = (options: Partial<ConsumeOptions>): Settings => {
  const settings = settingsOf({ name: PLACE.name, ...options })
  if (!("retry" in settings)) throw settings
  return settings
}

export interface MemoryOptions {
  readonly settings: Settings
  readonly events: ReadonlyArray<Event>
  readonly handler: AnyHandler
  readonly places?: MemoryPlaces
  readonly parts?: Partial<DeliveryParts>
  /** How many events make up a page of what is tried again; any number by default. */
  readonly pageEvents?: number
  /** There are new events; false by default. */
  readonly hasNew?: () => boolean
  /** What a transaction that comes to nothing takes back beside the rows, as it was when it began. */
  readonly effects?: { readonly save: () => () => void }
}

/** As the server reads the events at some positions: so many at most. */
const portion = (positions: ReadonlyArray<number>, log: ReadonlyArray<Event>, most: number): Portion => {
  const wanted = new Set(positions)
  const all = log.filter(({ position }) => wanted.has(position))
  const events = all.slice(0, most)
  const isFull = events.length === positions.length || events.length < all.length
  return { events, count: events.length, last: events.at(-1)?.position ?? 0, isFull }
}

/** The cursor, delivery and retries of a partition, on rows in memory. */
export const memoryPartition = ({ settings, events, handler, effects, ...given }: MemoryOptions) => {
  const { places = new MemoryPlaces() } = given
  const run = <A>(effect: Effect.Effect<A, unknown>) => Effect.runPromise(effect)
  const rate = new Rate()
  const cursor = new Cursor(
    { place: { ...PLACE, position: places.position }, of: 1, filter: {}, limit: undefined },
    {
      places: places as never,
      identity: { current: () => ORIGIN, sure: Effect.void } as never,
      settings,
      run,
      rate
    }
  )
  const handling = new Handling({
    settings,
    handler,
    types: { upcast: (event: Event) => event } as never,
    telemetry: {} as never,
    isLost: () => false
  })
  const transaction = (use: (tx: unknown) => Effect.Effect<unknown, unknown>) =>
    Effect.suspend(() => {
      const before = { position: places.position, rows: new Map(places.rows) }
      const restore = effects?.save()
      return Effect.tapCause(use({}), () =>
        Effect.sync(() => {
          Object.assign(places, before)
          restore?.()
        })
      )
    })
  const parts: DeliveryParts = {
    cursor,
    handling,
    settings,
    rate,
    ends: () => false,
    halts: () => cursor.holding.nextAt <= performance.now(),
    isLive: () => true,
    inTurn: (work) => work(),
    ...given.parts
  }
  const transactional = {
    ...parts,
    places: places as never,
    log: { transaction } as never,
    fleet: { idleMs: 60_000 } as never,
    run,
    ambient: () => undefined,
    transactions: Semaphore.makeUnsafe(1)
  }
  const [delivery, retrial] = settings.transactional
    ? [new TransactionalDelivery(transactional), new TransactionalRetrial(transactional)]
    : [new PlainDelivery(parts), new PlainRetrial(parts)]
  const at = (positions: ReadonlyArray<number>) =>
    Effect.sync(() => portion(positions, events, given.pageEvents ?? Number.POSITIVE_INFINITY))
  const retries = new Retries({
    cursor,
    retrial,
    places: places as never,
    pages: { at } as never,
    run,
    ends: parts.ends,
    hasNew: given.hasNew ?? (() => false)
  })
  return { places, cursor, handling, delivery, retries, run }
}
