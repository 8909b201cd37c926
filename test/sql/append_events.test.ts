import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { collector } from "../support/eventually.ts"
import { eventsOf, testLog, traceOf, upTo } from "../log/test-log.ts"

const log = testLog()

const append = (stream: string | null, events: unknown, expected?: string | null) =>
  expected === undefined
    ? log.db.query("select * from tidemark.append_events($1, $2)", [stream, JSON.stringify(events)])
    : log.db.query("select * from tidemark.append_events($1, $2, $3)", [
        stream,
        JSON.stringify(events),
        expected
      ])

const refusal = async (attempt: Promise<unknown>) => {
  const error = (await attempt.then(
    () => ({ code: "none", detail: "null" }),
    (reason: unknown) => reason
  )) as { readonly code: string; readonly detail?: string; readonly hint?: string }
  return { code: error.code, detail: JSON.parse(error.detail ?? "null") as unknown }
}

describe("append_events", () => {
  test("returns a row for each event, with its position, version and id", async () => {
    const stream = log.stream()
    const id = randomUUID()
    const rows = await append(stream, [{ type: "A", id }, { type: "B" }])
    expect(rows).toEqual([
      { position: expect.any(String), version: "1", id },
      { position: String(Number(rows[0]!["position"]) + 1), version: "2", id: expect.any(String) }
    ])
  })

  test("keeps everything of an event, and gives what is left out as the library does", async () => {
    const stream = log.stream()
    const full = {
      type: "A",
      data: { n: [1, null, "ä"] },
      labels: ['a"b', "c\\d", "{e}"],
      meta: { actor: "x" },
      schemaVersion: 2
    }
    await append(stream, [full, { type: "B" }, { type: "C", data: null }])
    expect(await eventsOf(log.engine, stream)).toMatchObject([
      full,
      { data: {}, labels: [], meta: {}, schemaVersion: 1 },
      { data: null }
    ])
  })

  test.each([
    ["any", 0, 1],
    ["any", 2, 3],
    ["none", 0, 1],
    ["0", 0, 1],
    ["exists", 2, 3],
    ["2", 2, 3]
  ])("accepts %s on a stream at version %i", async (expected, before, after) => {
    const stream = log.stream()
    if (before > 0)
      await append(
        stream,
        upTo(before).map(() => ({ type: "Before" }))
      )
    expect(await append(stream, [{ type: "A" }], expected)).toMatchObject([{ version: `${after}` }])
  })

  test.each([
    ["none", 2],
    ["exists", 0],
    ["1", 0],
    ["1", 2],
    ["3", 2]
  ])(
    "raises TM002 for %s on a stream at version %i, with the facts as JSON, and leaves no trace",
    async (expected, before) => {
      const stream = log.stream()
      if (before > 0)
        await append(
          stream,
          upTo(before).map(() => ({ type: "Before" }))
        )
      expect(await refusal(append(stream, [{ type: "A" }], expected))).toEqual({
        code: "TM002",
        detail: { stream, expected, actual: before }
      })
      expect(await traceOf(log.db, stream)).toEqual({ events: before, heads: before === 0 ? 0 : 1 })
    }
  )

  test("returns the first positions when the same append is sent again, whatever it expects", async () => {
    const stream = log.stream()
    const events = [
      { type: "A", id: randomUUID() },
      { type: "B", id: randomUUID(), data: { n: 1 } }
    ]
    const first = await append(stream, events, "none")
    await append(stream, [{ type: "C" }])
    expect(await append(stream, events, "none")).toEqual(first)
    expect(await append(stream, events.slice(1))).toEqual(first.slice(1))
  })

  test("raises TM005 for an id that is taken or stands twice, with the ids as JSON", async () => {
    const stream = log.stream()
    const id = randomUUID()
    await append(stream, [{ type: "A", id }])
    const other = log.stream()
    expect(await refusal(append(stream, [{ type: "B", id }]))).toEqual({
      code: "TM005",
      detail: { stream, ids: [id] }
    })
    expect(await refusal(append(other, [{ type: "A", id }]))).toMatchObject({ code: "TM005" })
    const twice = randomUUID()
    expect(
      await refusal(
        append(other, [
          { type: "A", id: twice },
          { type: "A", id: twice }
        ])
      )
    ).toEqual({
      code: "TM005",
      detail: { stream: other, ids: [twice, twice] }
    })
    expect(await traceOf(log.db, other)).toEqual({ events: 0, heads: 0 })
  })

  test.each<readonly [string, unknown]>([
    ["no array", { type: "A" }],
    ["an empty array", []],
    ["null", null],
    ["an event that is no object", ["A"]],
    ["an event without a type", [{ type: "A" }, { data: {} }]],
    ["a type that is no text", [{ type: 1 }]],
    ["a malformed type", [{ type: "A B" }]],
    ["a type that is too long", [{ type: "A".repeat(129) }]],
    ["labels that are no array", [{ type: "A", labels: "a" }]],
    ["a label that is no text", [{ type: "A", labels: [{ a: 1 }] }]],
    ["an empty label", [{ type: "A", labels: [""] }]],
    ["a label that is too long", [{ type: "A", labels: ["a".repeat(129)] }]],
    ["too many labels", [{ type: "A", labels: upTo(33).map(String) }]],
    ["meta that is no object", [{ type: "A", meta: [1] }]],
    ["an id that is no UUID", [{ type: "A", id: "7" }]],
    ["an id that is no text", [{ type: "A", id: 7 }]],
    ["a schema version that is no number", [{ type: "A", schemaVersion: "2" }]],
    ["a schema version that is no whole number", [{ type: "A", schemaVersion: 1.5 }]],
    ["a schema version of 0", [{ type: "A", schemaVersion: 0 }]],
    ["a schema version that is too large", [{ type: "A", schemaVersion: 3e9 }]]
  ])("raises TM006 for %s", async (_, events) => {
    const stream = log.stream()
    expect(await refusal(append(stream, events))).toEqual({ code: "TM006", detail: { stream } })
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
  })

  test.each([
    null,
    "",
    "order",
    "-1",
    "1order-1",
    "order-ä",
    "order- 1",
    "order-1\n",
    `order-${"1".repeat(250)}`
  ])("raises TM006 for the stream %j", async (stream) => {
    expect(await refusal(append(stream, [{ type: "A" }]))).toEqual({ code: "TM006", detail: { stream } })
  })

  test.each(["", "ANY", "-1", "1.5", " 1", "99999999999999999999", null])(
    "raises TM006 for the expected version %j",
    async (expected) => {
      expect(await refusal(append(log.stream(), [{ type: "A" }], expected))).toEqual({
        code: "TM006",
        detail: { expected }
      })
    }
  )

  test("is part of the transaction that it is called in", async () => {
    const stream = log.stream()
    const session = await log.session()
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "A"}]\')', [stream])
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
    await session.query("rollback")
    expect(await append(stream, [{ type: "A" }], "none")).toMatchObject([{ version: "1" }])
  })

  test("is heard of at once after wake()", async () => {
    const stream = log.stream()
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({ streams: [stream] }, ({ type }) => heard.push(type))
    await append(stream, [{ type: "A" }])
    await log.db.query("select tidemark.wake()")
    expect(await heard.reaches(1, { within: 2_000 })).toEqual(["A"])
    await subscription.stop()
  })

  test("makes the transaction's commit durable where the session had switched that off", async () => {
    const session = await log.session()
    await session.query("set synchronous_commit = off")
    await session.query("begin")
    await session.query('select append_events($1, \'[{"type": "A"}]\')', [log.stream()])
    expect(await session.query("show synchronous_commit")).toEqual([{ synchronous_commit: "local" }])
    await session.query("commit")
    expect(await session.query("show synchronous_commit")).toEqual([{ synchronous_commit: "off" }])
  })

  test.each(["on", "local", "remote_apply"])("leaves synchronous_commit = %s as it is", async (setting) => {
    const session = await log.session()
    await session.query("begin")
    await session.query(`set local synchronous_commit = ${setting}`)
    await session.query('select append_events($1, \'[{"type": "A"}]\')', [log.stream()])
    expect(await session.query("show synchronous_commit")).toEqual([{ synchronous_commit: setting }])
    await session.query("rollback")
  })

  test("leaves the session's lock_timeout as it is", async () => {
    const session = await log.session()
    await session.query("begin")
    await session.query("set local lock_timeout = '7s'")
    await session.query('select append_events($1, \'[{"type": "A"}]\')', [log.stream()])
    expect(await session.query("show lock_timeout")).toEqual([{ lock_timeout: "7s" }])
    await session.query("rollback")
  })
})
