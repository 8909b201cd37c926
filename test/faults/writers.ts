import { setTimeout as pause } from "node:timers/promises"
import type { Engine } from "../../src/index.ts"
import type { History, Meant, Place } from "../support/history.ts"
import type { Random } from "../support/random.ts"
import { meant, toEmit } from "./scene.ts"
import { openSession, type Session } from "./session.ts"

export type WriterOptions = {
  /** Its number among all writers of the scenario. */
  readonly number: number
  readonly url: string
  readonly engine: Engine
  readonly history: History
  readonly random: Random
  /** How many transactions it makes. */
  readonly transactions: number
}

/** Writes for as many transactions as it was told, each its own way, and notes what became of them. */
export type Writer = (options: WriterOptions) => Promise<void>

const rollbackShare = 0.15
const slowShare = 0.15
const slowestMs = 40

/** Some transactions think before they end, with their positions drawn and their lock held. */
const linger = async ({ chance, between }: Random) => {
  if (chance(slowShare)) await pause(between(1, slowestMs))
}

/** A transaction in plain SQL: `write` puts the events somewhere and says where they came to lie. */
const sqlWriter =
  (
    write: (session: Session, events: ReadonlyArray<Meant>) => Promise<ReadonlyArray<Place>>,
    ways: Ways
  ): Writer =>
  async (options) => {
    const { url, history, random, transactions } = options
    await using session = await openSession(url)
    for (let count = 1; count <= transactions; count += 1) {
      const events = meant(ways.stream(options), random.between(1, 5))
      history.sent(events)
      await session.query("begin")
      const places = await write(session, events)
      await linger(random)
      const kept = !random.chance(rollbackShare)
      await ways.end(session, kept, `${options.number}-${count}`, random)
      if (kept) history.acknowledged(places)
      else history.refused(events[0]!.id)
    }
  }

type Ways = {
  readonly stream: (options: WriterOptions) => string
  readonly end: (session: Session, kept: boolean, name: string, random: Random) => Promise<void>
}

const plainly = async (session: Session, kept: boolean) => {
  await session.query(kept ? "commit" : "rollback")
}

const inTwoPhases = async (session: Session, kept: boolean, name: string, random: Random) => {
  const id = `'settled-tail-${process.pid}-${name}'`
  await session.query(`prepare transaction ${id}`)
  await linger(random)
  await session.query(`${kept ? "commit" : "rollback"} prepared ${id}`)
}

const placesOf = (
  rows: ReadonlyArray<{ readonly id: string; readonly position: string; readonly version: string }>
): ReadonlyArray<Place> =>
  rows.map(({ id, position, version }) => ({ id, position: Number(position), version: Number(version) }))

const byFunction = async (session: Session, events: ReadonlyArray<Meant>) =>
  placesOf(
    await session.query("select id, position, version from tidemark.append_events($1, $2::jsonb)", [
      events[0]!.stream,
      JSON.stringify(toEmit(events))
    ])
  )

/** The owner may insert past the functions; then only the guard trigger keeps the order. The stream is nobody else's. */
const byInsert = (table: string) => async (session: Session, events: ReadonlyArray<Meant>) =>
  placesOf(
    await session.query(
      `insert into tidemark.${table} (id, stream, version, type, data)
       select (event.value ->> 'id')::uuid, $1, event.nth + (
           select coalesce(max(version), 0) from tidemark.log_events where stream = $1
         ), event.value ->> 'type', event.value -> 'data'
       from jsonb_array_elements($2::jsonb) with ordinality as event (value, nth) order by event.nth
       returning id, position, version`,
      [events[0]!.stream, JSON.stringify(toEmit(events))]
    )
  )

const shared: Ways["stream"] = ({ random }) => `order-${random.between(1, 30)}`
const own: Ways["stream"] = ({ number }) => `raw-${number}`

export const functionWriter = sqlWriter(byFunction, { stream: shared, end: plainly })
export const preparedWriter = sqlWriter(byFunction, { stream: shared, end: inTwoPhases })
export const insertWriter = sqlWriter(byInsert("events"), { stream: own, end: plainly })
export const preparedInsertWriter = sqlWriter(byInsert("events"), { stream: own, end: inTwoPhases })
export const partitionWriter = sqlWriter(byInsert("telemetry_0"), { stream: own, end: plainly })

/** A caller's transaction through the engine, in which the caller writes as well. */
export const transactionWriter: Writer = async ({ engine, history, random, transactions }) => {
  const stopped = new Error("the caller changed its mind")
  for (let count = 0; count < transactions; count += 1) {
    const events = meant(`order-${random.between(1, 30)}`, random.between(1, 3))
    const more = meant(`item-${random.between(1, 30)}`)
    const all = [...events, ...more]
    history.sent(all)
    try {
      const places = await engine.transaction(async (tx) => {
        await tx.query("insert into unrelated (text) values ($1)", [events[0]!.id])
        for (const part of [events, more]) tx.emit(part[0]!.stream, toEmit(part))
        const flushed = await tx.flush()
        await linger(random)
        if (random.chance(rollbackShare)) throw stopped
        return flushed.flatMap((part) => part.events)
      })
      history.acknowledged(places)
    } catch (error) {
      if (error !== stopped) throw error
      history.refused(events[0]!.id)
    }
  }
}

/** Emits through the engine's batches. */
export const emitWriter: Writer = async ({ engine, history, random, transactions }) => {
  for (let count = 0; count < transactions; count += 1) {
    const events = meant(`order-${random.between(1, 30)}`, random.between(1, 3))
    history.sent(events)
    history.acknowledged((await engine.emit(events[0]!.stream, toEmit(events))).events)
    if (random.chance(slowShare)) await pause(random.between(1, slowestMs))
  }
}
