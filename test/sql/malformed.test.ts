import { randomUUID } from "node:crypto"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { InvalidData, Rejected } from "../../src/index.ts"
import { migrate } from "../../src/engine/migration.ts"
import { labelProblem, streamProblem, typeProblem } from "../../src/log/name.ts"
import { openSession, type Session, testLog, upTo } from "../log/test-log.ts"

// Nothing malformed enters the log, by whichever function a writer calls: it would be there for ever.

const log = testLog()
const role = `malforming_${process.pid}`
let writer: Session

beforeAll(async () => {
  await log.db.query(`create role ${role}`)
  await log.db.query("select tidemark.declare_category('beat', true)")
  await migrate({ database: log.db.url, writers: [role] })
  writer = await openSession(log.db.url)
  await writer.query(`set role ${role}`)
})

afterAll(async () => {
  await writer.close()
  await log.db.query(`drop owned by ${role}`)
  await log.db.query(`drop role ${role}`)
})

interface Raw {
  readonly stream?: string | null
  readonly id?: string | null
  readonly type?: string | null
  readonly data?: string | null
  /** As PostgreSQL writes an array. */
  readonly labels?: string | null
  readonly meta?: string | null
  readonly schemaVersion?: number | null
}

const whole = (stream: string, raw: Raw) => ({
  stream,
  id: randomUUID(),
  type: "Made",
  data: "{}",
  labels: "{}",
  meta: "{}",
  schemaVersion: 1,
  ...raw
})

type Append = (stream: string, raw: Raw) => Promise<unknown>

const batch: Append = (given, raw) => {
  const { stream, id, type, data, labels, meta, schemaVersion } = whole(given, raw)
  return writer.query(
    "select * from append_batch(array[$1], '{1}', '{1}', '{null}', array[$2::uuid], array[$3], array[$4::jsonb], array[$5], array[$6::jsonb], array[$7::integer], null)",
    [stream, id, type, data, labels, meta, schemaVersion]
  )
}

const lone: Append = (given, raw) => {
  const { stream, id, type, data, labels, meta, schemaVersion } = whole(given, raw)
  return writer.query("select * from append_lone($1, null, $2, $3, $4, $5, $6, $7)", [
    stream,
    id,
    type,
    data,
    labels,
    meta,
    schemaVersion
  ])
}

const traces = () =>
  log.db.query<{ events: string; heads: string }>(
    "select (select count(*) from tidemark.log_events) as events, (select count(*) from tidemark.streams) as heads"
  )

const REFUSED = expect.stringMatching(/^(TM006|23502)$/)

const many = (count: number, length: number): string =>
  `{${upTo(count).map((n) => `${n}`.padEnd(length, "x"))}}`

const malformed: ReadonlyArray<readonly [string, Raw]> = [
  ["a stream without a category", { stream: "-1" }],
  ["a stream without an id", { stream: "order-" }],
  ["a stream without a dash", { stream: "order" }],
  ["a stream with a space", { stream: "order-a b" }],
  ["a stream with a line break at its end", { stream: "order-1\n" }],
  ["a stream beyond ASCII", { stream: "order-ä" }],
  ["a category of 64 letters", { stream: `${"a".repeat(64)}-1` }],
  ["a stream of 256 characters", { stream: `a-${"x".repeat(254)}` }],
  ["an empty stream", { stream: "" }],
  ["no stream", { stream: null }],
  ["an empty type", { type: "" }],
  ["a type with a space", { type: "Made it" }],
  ["a type with a control character", { type: "Made\u0007" }],
  ["a type with a line break at its end", { type: "Made\n" }],
  ["a type beyond ASCII", { type: "Gemächt" }],
  ["a type of 129 characters", { type: "x".repeat(129) }],
  ["no type", { type: null }],
  ["an empty label", { labels: '{a,""}' }],
  ["a label of a space", { labels: '{" "}' }],
  ["a label with a space before it", { labels: '{b," a"}' }],
  ["a label with an escaped space after it", { labels: "{b,a\\ }" }],
  ["a quoted label with a space after it", { labels: '{"a ","b"}' }],
  ["a quoted label with a space before it", { labels: '{"a"," b"}' }],
  ["a quoted label that is empty", { labels: '{"a","","b"}' }],
  ["33 labels with braces and commas between", { labels: `{"}{","} {","},{",${upTo(30).map(() => "x")}}` }],
  ["a label that looks like the end of one array and the begin of another", { labels: '{"a}\n{b"}' }],
  [
    "33 labels of one letter and one that is long",
    { labels: `{${"y".repeat(50)},${upTo(32).map(() => "x")}}` }
  ],
  ["33 labels of two letters", { labels: `{${upTo(33).map(() => "xy")}}` }],
  [
    "33 labels with spaces between",
    {
      labels: `{ ${upTo(33)
        .map(() => "x")
        .join(" ,")}}`
    }
  ],
  ["33 labels, some of them quoted", { labels: `{${upTo(33).map((n) => (n % 2 === 0 ? "x" : '"x"'))}}` }],
  ["a label with a line break", { labels: '{"a\nb"}' }],
  ["a label with a bell", { labels: "{a\u0007}" }],
  ["a label with a C1 control", { labels: "{a\u0085b}" }],
  ["a label of 129 characters", { labels: many(1, 129) }],
  ["a label of 129 characters among others", { labels: `{a,b,c,d,${"x".repeat(129)}}` }],
  ["33 labels", { labels: many(33, 2) }],
  ["a label that is null", { labels: "{a,NULL}" }],
  ["labels that begin elsewhere than at 1", { labels: "[5:6]={a,b}" }],
  ["labels in two dimensions", { labels: "{{a},{b}}" }],
  ["labels in two dimensions, with spaces", { labels: "{ {a} , {b} }" }],
  ["33 labels of one letter", { labels: many(33, 1).replaceAll(/\d+/g, "x") }],
  ["a label that is null in small letters", { labels: "{a,null}" }],
  ["no labels at all", { labels: null }],
  ["meta that is an array", { meta: "[]" }],
  ["meta that is a text", { meta: '"x"' }],
  ["meta that is null", { meta: "null" }],
  ["no meta", { meta: null }],
  ["no data", { data: null }],
  ["no id", { id: null }],
  ["schema version 0", { schemaVersion: 0 }],
  ["schema version -1", { schemaVersion: -1 }],
  ["no schema version", { schemaVersion: null }]
]

const ways: ReadonlyArray<readonly [string, Append, string]> = [
  ["append_batch", batch, "order"],
  ["append_batch, as telemetry", batch, "beat"],
  ["append_lone", lone, "order"],
  ["append_lone, as telemetry", lone, "beat"]
]

describe.each(ways)("by %s", (name, append, category) => {
  test.each(malformed)("%s is refused, and leaves no trace", async (_, raw) => {
    const stream = log.stream(category)
    if (raw.stream === undefined) await append(stream, {})
    const before = await traces()
    await expect(append(stream, raw)).rejects.toMatchObject({ code: REFUSED })
    expect(await traces()).toEqual(before)
  })

  test("the longest of everything is taken", async () => {
    const stream = `${category}-${"x".repeat(254 - category.length)}${name.length % 10}`.slice(0, 255)
    await append(stream, {
      type: "x".repeat(128),
      labels: many(32, 128),
      data: "null",
      schemaVersion: 2 ** 31 - 1
    })
    await append(stream, { labels: `{"a b","ä","{}","\\\\","\\"",NULLS}` })
    const [row] = await log.db.query(
      "select labels from tidemark.log_events where stream = $1 and version = 2",
      [stream]
    )
    expect(row).toEqual({ labels: ["a b", "ä", "{}", "\\", '"', "NULLS"] })
  })
})

test("a batch is refused for one event that is malformed among others that are not", async () => {
  const before = await traces()
  const refused = writer.query(
    `select * from append_batch('{order-x,order-y}', '{1,2}', '{1,2}', '{null,null}', array[gen_random_uuid(), gen_random_uuid()],
      '{Made,Made}', '{"{}","{}"}', array['{a}', '{"a "}'], '{"{}","{}"}', '{1,1}', null)`
  )
  await expect(refused).rejects.toMatchObject({ code: "TM006", detail: '{"event": 2}' })
  expect(await traces()).toEqual(before)
})

test.each([
  [
    "more heads than events",
    "'{beat-a,beat-b}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'",
    undefined
  ],
  [
    "no heads",
    "'{}', '{1}', '{1}', '{null}', array[gen_random_uuid()], '{T}', '{\"{}\"}', '{\"{}\"}', '{\"{}\"}', '{1}'",
    "TM006"
  ],
  ["a head twice", "'{beat-a,beat-a}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'", "TM006"],
  [
    "a head out of reach",
    "'{beat-a}', '{1}', '{2}', '{null}', array[gen_random_uuid()], '{T}', '{\"{}\"}', '{\"{}\"}', '{\"{}\"}', '{1}'",
    "TM006"
  ],
  [
    "fewer types than ids",
    "'{beat-a}', '{1}', '{1}', '{null}', array[gen_random_uuid()], '{}', '{\"{}\"}', '{\"{}\"}', '{\"{}\"}', '{1}'",
    "23502"
  ]
])(
  "arguments of append_batch that do not fit together end at once, and append nothing: %s",
  async (_, args, code) => {
    const events = "select count(*) from tidemark.log_events"
    const before = await log.db.query(events)
    const appended = writer.query(`select * from append_batch(${args}, null)`)
    if (code === undefined) await appended
    else await expect(appended).rejects.toMatchObject({ code })
    expect(await log.db.query(events)).toEqual(before)
  }
)

test.each([
  [
    "as the library writes them",
    '{"run:42","task:0190c1d2-aaaa-7bbb-8ccc-0123456789ab","tool:web search"}',
    false
  ],
  ["bare", "{run:42,task:9}", false],
  ["none", "{}", false],
  ["beyond ASCII", "{ä}", true]
])("labels %s are looked at one by one only where need be", async (_, labels, odd) => {
  const looked = await log.db.query(
    `select tidemark.looks_odd('{Made,Made}', array[$1, $1], '{"{}","{\\"actor\\": 1}"}', '{1,2}') as odd`,
    [labels]
  )
  expect(looked).toEqual([{ odd }])
})

test("a category that no stream can have is not declared", async () => {
  await expect(log.db.query("select tidemark.declare_category('a b', true)")).rejects.toMatchObject({
    code: "23514"
  })
})

describe("what the library lets through", () => {
  const unit = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(..."abzAZ09_.:-/~!{},\"\\' \u00a0\u2028ä💧") },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }) }
  )
  const text = fc.string({ unit, minLength: 1, maxLength: 20 })
  const label = text.filter((given) => labelProblem(given) === undefined)
  const type = text.filter((given) => typeProblem(given) === undefined)
  const stream = text.map((given) => `order-${given}`).filter((given) => streamProblem(given) === undefined)

  test("the server takes too", async () => {
    const engine = log.engine
    await fc.assert(
      fc.asyncProperty(stream, type, fc.array(label, { maxLength: 32 }), async (to, ofType, labels) => {
        await Promise.all([
          engine.emit(to, { type: ofType, labels }),
          engine.emit(to, { type: ofType, labels })
        ])
        await engine.emit(to, { type: ofType, labels })
      }),
      { numRuns: 50 }
    )
  })
})

describe("through the engine", () => {
  test("a constraint that refuses a value is InvalidData, and what the log raises itself says which it is", async () => {
    const insert = (type: string | null, labels: string) =>
      log.engine.transaction((tx) =>
        tx.query("select tidemark.append_lone('order-raw', null, gen_random_uuid(), $1, '{}', $2, '{}', 1)", [
          type,
          labels
        ])
      )
    const refused = await insert(null, "{}").catch((error) => error)
    expect(refused).toBeInstanceOf(InvalidData)
    expect(refused).toMatchObject({ sqlState: "23502" })
    const category = log.engine.transaction((tx) => tx.query("select tidemark.declare_category('a b', true)"))
    await expect(category).rejects.toMatchObject({ _tag: "InvalidData", sqlState: "23514" })
    const malformedLabel = await insert("T", '{" a"}').catch((error) => error)
    expect(malformedLabel).toBeInstanceOf(Rejected)
    expect(malformedLabel).toMatchObject({ sqlState: "TM006", data: '{"event": 1}' })
  })
})
