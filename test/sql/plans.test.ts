import { randomUUID } from "node:crypto"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { testDatabase } from "../support/database.ts"
import { type Explained, explained as session, type Look, REPEATS } from "./explained.ts"

// What the server really does for the statements of a log that nobody has analysed.
// One session had its plans made when the log was empty and keeps them; the other meets the log as it is.

const db = testDatabase()

const EVENTS = 50_000
const STREAMS = 5_000
const BEATS = 5_000

/** The tables that hold rows. */
const FULL = /^(?:events|streams|telemetry_0)$/

const explained = (): Promise<Explained> => session(db.url, FULL)

let n = 0
/** A stream of the log that no other call gave. */
const old = (): string => `order-${String((n += 1)).padStart(5, "0")}`
const fresh = (): string => `fresh-${(n += 1)}`

const lone = (stream: string, id: string = randomUUID()): ReadonlyArray<unknown> => [
  stream,
  null,
  id,
  "T",
  "{}",
  "{}",
  "{}",
  1
]

const batch = (
  heads: ReadonlyArray<string>,
  ids: ReadonlyArray<string> = heads.map(() => randomUUID()),
  expected: number | null = null
): ReadonlyArray<unknown> => {
  const each = <A>(one: A) => heads.map(() => one)
  const sorted = heads.toSorted()
  const nth = heads.map((_, at) => at + 1)
  return [sorted, nth, nth, each(expected), ids, each("T"), each("{}"), each("{}"), each("{}"), each(1), 250]
}

const many = (make: () => string, length = 64): ReadonlyArray<string> => Array.from({ length }, make)

/** Ids that were appended by an earlier call, to be sent again. */
const sent = { durable: [randomUUID()], beat: [randomUUID()] }

type Call = readonly [query: string, values: () => ReadonlyArray<unknown>]

const appends: Readonly<Record<string, Call>> = {
  "one event to a stream that is there": ["append_lone", () => lone(old())],
  "one event to a new stream": ["append_lone", () => lone(fresh())],
  "one event that is there already": ["append_lone", () => lone("repeated-1", sent.durable[0])],
  "one event of telemetry": ["append_lone", () => lone("beat-1")],
  "a batch for one stream": ["append_batch", () => batch([old()])],
  "a batch for 64 streams that are there": ["append_batch", () => batch(many(old))],
  "a batch for 64 new streams": ["append_batch", () => batch(many(fresh))],
  "a batch that is there already": ["append_batch", () => batch(["repeated-1"], sent.durable)],
  "a batch of telemetry": ["append_batch", () => batch(["beat-1", "beat-2"])],
  "a batch of telemetry that is there already": ["append_batch", () => batch(["beat-3"], sent.beat)],
  "a batch that is refused": ["append_batch", () => batch(many(fresh), undefined, -1)]
}

const MAX_BYTES = 1_000_000
const nothing = [null, null, null, null, null]
const page = (filter: ReadonlyArray<unknown>) => [0, EVENTS + BEATS, 100, ...filter, MAX_BYTES]

const narrowReads: Readonly<Record<string, Call>> = {
  "a stream": ["read_stream", () => [old(), 1, 1_000, 100, MAX_BYTES]],
  "a stream backwards": ["read_stream_backwards", () => [old(), 1, 1_000, 100, MAX_BYTES]],
  "a page of everything": ["read_page", () => page(nothing)],
  "the tail": ["read_tail", () => [EVENTS + BEATS - 50, EVENTS * 10, 100, MAX_BYTES]],
  "the events at some positions": ["read_positions", () => [[1_001, 50_000, EVENTS]]],
  "how far the tail goes": ["tail_extent", () => [EVENTS + BEATS - 50, 100, ["T"]]],
  "the highest position": ["highest_position", () => []],
  "which heads are free": ["free_heads", () => [many(old)]]
}

const filteredReads: Readonly<Record<string, Call>> = {
  "a page of a stream": ["read_page", () => page([[old()], null, null, null, null])],
  "a page of a type": ["read_page", () => page([null, null, ["Rare"], null, null])],
  "a page of a category": ["read_page", () => page([null, ["beat"], null, null, null])],
  "a page of a partition": ["read_share", () => [...page(nothing), 0, 2]],
  "a page of an agent": ["read_page", () => page([null, null, null, null, "00001"])]
}

/** Of how many events it is looked at whether a subscription wants them. A fifth of a log would be better had by reading all of it. */
const COUNTED = 1_000

const countingReads: Readonly<Record<string, Call>> = {
  "how subscriptions stand": ["subscription_status", () => [null, COUNTED, 10_000]]
}

const plainSql: Readonly<Record<string, string>> = {
  append_events: `select append_events('plain-1', '[{"type": "T"}]')`,
  read_stream: "select * from read_stream('order-00001')",
  "read_stream backwards": "select * from read_stream('order-00001', backwards => true)",
  stream_version: "select stream_version('order-00001')",
  "read_log at the end": `select * from read_log(${EVENTS + BEATS - 50}, 100)`,
  "read_log from the start": "select * from read_log(0, 100)",
  settle: "select settle()"
}

const call = async (session: Explained, [name, values]: Call): Promise<void> => {
  const { text } = statement(name, "tidemark")
  for (let nth = 0; nth < REPEATS; nth++) await session.query(text, values(), name)
}

const everything = async (session: Explained): Promise<void> => {
  for (const one of Object.values({ ...appends, ...narrowReads, ...countingReads, ...filteredReads }))
    await call(session, one)
  for (const text of Object.values(plainSql)) await session.query(text)
}

const early = { session: undefined as Explained | undefined }
const late = { session: undefined as Explained | undefined }

beforeAll(async () => {
  // Nobody analyses it, as in the first minute of a log, or where autovacuum is behind.
  await db.query("alter table tidemark.events set (autovacuum_enabled = off)")
  await db.query("alter table tidemark.streams set (autovacuum_enabled = off)")
  await db.query("alter table tidemark.telemetry_0 set (autovacuum_enabled = off)")
  await db.query("select tidemark.declare_category('beat', true)")
  await db.query(
    `insert into tidemark.subscriptions (name, filter, partitions)
     values ('of all', '{}', 4), ('of some', '{"types": ["Rare"], "agent": "00001"}', 4)`
  )
  await db.query(
    `insert into tidemark.subscription_cursors (subscription, partition, position)
     select name, part, 0 from tidemark.subscriptions, generate_series(0, 3) part`
  )
  early.session = await explained()
  await everything(early.session)
  await db.query("select setval('tidemark.log_position', 100000)")
  await db.query(
    `insert into tidemark.events (id, stream, version, type, data)
     select gen_random_uuid(), 'order-' || lpad((n % ${STREAMS})::text, 5, '0'), 1000 + n / ${STREAMS},
       case when n % 1000 = 0 then 'Rare' else 'T' end, '{}'
     from generate_series(1, ${EVENTS}) n`
  )
  await db.query(
    `insert into tidemark.streams (stream, version, telemetry)
     select 'order-' || lpad(n::text, 5, '0'), 2000, false from generate_series(0, ${STREAMS - 1}) n on conflict do nothing`
  )
  await db.query(
    `insert into tidemark.telemetry (id, stream, version, type, data)
     select gen_random_uuid(), 'beat-4', n, 'T', '{}' from generate_series(1, ${BEATS}) n`
  )
  late.session = await explained()
})

afterAll(async () => {
  await early.session?.end()
  await late.session?.end()
})

/** One event each for so many streams: a fifth of those there are. */
const LARGE_BATCH = 1_000

/** What a statement of 64 events may look at, and no more, however long the log is. */
const FEW_ROWS = 400

const looksAt = async (session: Explained, work: () => Promise<void>): Promise<ReadonlyArray<Look>> => {
  session.looks()
  await work()
  return session.looks()
}

describe.each([
  ["made when it was empty", early],
  ["made as it is", late]
])("with plans %s, a log that was never analysed is not read from end to end for", (_, whose) => {
  const thrifty = async (work: (session: Explained) => Promise<void>, most = FEW_ROWS) => {
    const looks = await looksAt(whose.session!, () => work(whose.session!))
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.filter(({ node, rows }) => node === "Seq Scan" || rows > most)).toEqual([])
  }

  test.each(Object.entries(appends))("%s", (_, one) => thrifty((session) => call(session, one)))

  test("a batch for as many streams as there can be", () =>
    thrifty(
      (session) => call(session, ["append_batch", () => batch(many(old, LARGE_BATCH))]),
      2 * LARGE_BATCH
    ))

  test.each(Object.entries(narrowReads))("%s", (_, one) => thrifty((session) => call(session, one)))

  test.each(Object.entries(countingReads))("%s", (_, one) =>
    thrifty((session) => call(session, one), COUNTED + FEW_ROWS)
  )

  test.each(Object.entries(plainSql))("%s", (_, text) => thrifty((session) => session.query(text)))

  test.each(Object.entries(filteredReads))("%s, by an index", async (_, one) => {
    const looks = await looksAt(whose.session!, () => call(whose.session!, one))
    expect(looks.length).toBeGreaterThan(0)
    expect(looks.filter(({ node }) => node === "Seq Scan")).toEqual([])
  })
})

/** A value in a condition, where a plan for all values has a parameter or a column. */
const VALUE = /'|[=<>] \(?-?\d/

describe("in a session that has just begun, plans are made once for all values:", () => {
  // A plan for the values at hand holds them, and costs more than the append.
  test.each<[string, Call]>([
    ["append_lone", appends["one event to a stream that is there"]!],
    ["append_batch", appends["a batch for 64 streams that are there"]!],
    ["append_batch of telemetry", appends["a batch of telemetry that is there already"]!],
    ["tail_extent", narrowReads["how far the tail goes"]!]
  ])("%s", async (_, [name, values]) => {
    const session = await explained()
    await session.query(statement(name, "tidemark").text, values())
    const asked = session.looks().flatMap((look) => (look.asked === "" ? [] : [look.asked]))
    await session.end()
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter((one) => VALUE.test(one))).toEqual([])
  })
})

describe("what queries share as a function costs no call for each event:", () => {
  test.each([
    ["is_wanted", "tidemark.is_wanted(stream, type, labels, meta, null, array['order'], null, null, 'a-1')"],
    ["partition_of", "tidemark.partition_of(stream, 8) = 3"]
  ])("%s becomes part of the query", async (name, condition) => {
    const plan = await db.query<{ "QUERY PLAN": string }>(
      `explain (verbose) select position from tidemark.event_rows where ${condition}`
    )
    expect(plan.map((line) => line["QUERY PLAN"]).join("\n")).not.toContain(name)
  })
})
