import { randomUUID } from "node:crypto"
import { pino } from "pino"
import { afterEach } from "vitest"
import {
  type Engine,
  type Event,
  type NewEvent,
  open,
  type OpenOptions,
  type Subscription
} from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import { collector, until, type Wait } from "../support/eventually.ts"
import type { History, Meant, Seen } from "../support/history.ts"

/** The events of these tests carry a text, so that what comes back can be compared with what was sent. */
export const newEvent = (id: string, content: string): NewEvent => ({
  type: "happened",
  id,
  data: { content }
})

export const seen = ({ position, id, stream, version, data }: Event): Seen => ({
  position,
  id,
  stream,
  version,
  content: (data as { content: string }).content
})

/** Fresh events for a stream, as their caller means them. */
export const meant = (stream: string, count = 1): ReadonlyArray<Meant> =>
  Array.from({ length: count }, () => {
    const id = randomUUID()
    return { id, stream, content: `${stream} ${id}` }
  })

export const toEmit = (events: ReadonlyArray<Meant>): ReadonlyArray<NewEvent> =>
  events.map(({ id, content }) => newEvent(id, content))

/** The whole log, as a query beside every engine sees it. */
export const wholeLog = (url: string, schema = "tidemark"): Promise<ReadonlyArray<Seen>> =>
  connected(url, async (client) => {
    const { rows } = await client.query<Seen>(
      `select position::float8 as position, id, stream, version::float8 as version, data ->> 'content' as content
       from ${schema}.log_events order by position`
    )
    return rows
  })

/** `url` with a name that its connections bear in pg_stat_activity, and other parameters. */
export const named = (url: string, name: string, more: Readonly<Record<string, string>> = {}): string => {
  const changed = new URL(url)
  changed.searchParams.set("application_name", name)
  for (const [key, value] of Object.entries(more)) changed.searchParams.set(key, value)
  // To libpq a plus is a plus.
  return changed.href.replaceAll("+", "%20")
}

/** What an engine logs, by message. */
export const logBook = () => {
  const lines: Array<{ readonly level: number; readonly msg: string }> = []
  const logger = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) })
  return {
    logger,
    warnings: (about: RegExp) => lines.filter(({ level, msg }) => level >= 40 && about.test(msg))
  }
}

export type Reader = {
  readonly subscription: Subscription
  readonly events: ReadonlyArray<Seen>
  /** Resolves when it was given the event. */
  readonly given: (id: string, wait?: Wait) => Promise<Seen>
  readonly reaches: (count: number, wait?: Wait) => Promise<unknown>
}

/** Subscribes from a position, and notes what comes in a history. */
export const startReader = async (
  engine: Engine,
  history: History,
  name = "reader",
  from: "start" | number = "start"
): Promise<Reader> => {
  const note = history.reads(name, from === "start" ? 0 : from)
  const given = collector<Seen>()
  const subscription = await engine.subscribe({ from }, (event) => {
    note(seen(event))
    given.push(seen(event))
  })
  return {
    subscription,
    events: given.items,
    given: (id, wait) => given.first((event) => event.id === id, { what: `the delivery of ${id}`, ...wait }),
    reaches: (count, wait) => given.reaches(count, { what: `${count} deliveries`, ...wait })
  }
}

/** Emits one last event and waits until the reader has it: then it was given everything that came before. */
export const readToEnd = async (
  engine: Engine,
  history: History,
  ...readers: ReadonlyArray<Reader>
): Promise<void> => {
  const events = meant("marker-end")
  history.sent(events)
  const { events: places } = await engine.emit("marker-end", toEmit(events))
  history.acknowledged(places)
  for (const reader of readers) await reader.given(events[0]!.id, { within: 20_000 })
}

/** Opens engines, and closes them after each test. */
export const engines = () => {
  const opened: Array<Engine> = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((engine) => engine.close()))
  })
  return async (options: OpenOptions): Promise<Engine> => {
    const engine = await open({ logger: false, ...options })
    opened.push(engine)
    return engine
  }
}

/** Waits until NOTIFY is known to arrive at an engine. */
export const hearing = (engine: Engine): Promise<unknown> =>
  until(async () => (await engine.status()).wake.mode === "listening", { what: "LISTEN to be in force" })
