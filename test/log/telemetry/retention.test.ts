import { beforeAll, describe, expect, test } from "vitest"
import { TokenTooOld } from "../../../src/errors.ts"
import { type Event, LogRewound } from "../../../src/index.ts"
import type { StateChange } from "../../../src/state.ts"
import { collector } from "../../support/eventually.ts"
import { testLog } from "../test-log.ts"

// Retention drops partitions of telemetry whole. Who goes on from before that hears of it, instead of missing events in silence.

const log = testLog()

const WIDTH = 10_000_000
/** Everything after it is still there. */
const OLDEST = WIDTH - 1

const noop = () => undefined

/** Of a durable event, and of telemetry that is gone. */
const before: Array<string> = []
let durable = ""
/** Of a version of a state. */
let watched = ""

beforeAll(async () => {
  await log.db.query("select tidemark.declare_category('beat', true)")
  durable = (await log.engine.emit("order-1", { type: "Made" })).token
  before.push(durable, (await log.engine.emit("beat-1", { type: "Beat" })).token)
  const state = log.engine.state("kept")
  watched = (await state.update({ local: { n: 1 } })).token
  await state.update({ local: { n: 2 } })
  await log.engine.subscribe({ name: "overtaken", from: durable }, noop).then(({ stop }) => stop())
  await log.engine
    .subscribe({ name: "of-orders", categories: ["order"], from: durable }, noop)
    .then(({ stop }) => stop())
  await log.db.query("update tidemark.subscription_cursors set position = 1")
  await log.db.query(`select setval('tidemark.log_position', ${WIDTH + 10})`)
  await log.engine.emit("order-1", { type: "Paid" })
  await log.engine.emit("beat-1", { type: "Beat" })
  await log.db.query("drop table tidemark.telemetry_0")
})

const gathered = async (events: AsyncIterable<Event>): Promise<ReadonlyArray<string>> => {
  const types = []
  for await (const { type } of events) types.push(type)
  return types
}

const refused = { position: expect.any(Number), oldest: OLDEST, token: expect.any(String) }

describe("a token, or a position, from before what retention has dropped", () => {
  test("is refused with the oldest one that can be gone on from, and that is one", async () => {
    for (const from of [...before, 1]) {
      const failed = log.engine.subscribe({ from }, noop)
      await expect(failed).rejects.toBeInstanceOf(TokenTooOld)
      await expect(failed).rejects.toMatchObject(refused)
      await expect(gathered(log.engine.replay({ from }))).rejects.toBeInstanceOf(TokenTooOld)
      await expect(gathered(log.engine.events({ from }))).rejects.toBeInstanceOf(TokenTooOld)
      await expect(log.engine.subscribe({ from, name: "late" }, noop)).rejects.toBeInstanceOf(TokenTooOld)
    }
    const error: TokenTooOld = await log.engine.subscribe({ from: durable }, noop).then(
      () => expect.unreachable(),
      (thrown) => thrown as TokenTooOld
    )
    expect(error.message).toContain(error.token)
    for (const from of [error.token, error.oldest])
      expect(await gathered(log.engine.replay({ from }))).toEqual(["Paid", "Beat"])
  })

  test.each([
    ["telemetry by its category", { categories: ["beat", "order"] }],
    ["telemetry by its stream", { streams: ["beat-1"] }],
    ["types of any category", { types: ["Paid"] }],
    ["an agent, wherever it is named", { agent: "1" }]
  ])("is refused where the filter names %s", async (_, filter) => {
    await expect(log.engine.subscribe({ ...filter, from: durable }, noop)).rejects.toMatchObject(refused)
  })

  test.each([
    ["categories that are durable", { categories: ["order"] }],
    ["streams that are durable", { streams: ["order-1"] }],
    [
      "streams of telemetry, and only durable categories",
      { streams: ["beat-1", "order-1"], categories: ["order"] }
    ]
  ])("is gone on from where the filter names %s: nothing of these is gone", async (_, filter) => {
    expect(await gathered(log.engine.replay({ ...filter, from: durable }))).toEqual(["Paid"])
    const heard = collector<string>()
    const subscription = await log.engine.subscribe({ ...filter, from: durable }, ({ type }) =>
      heard.push(type)
    )
    expect(await heard.reaches(1)).toEqual(["Paid"])
    await subscription.stop()
  })

  test("is no hindrance to a watch: states are durable", async () => {
    const heard = collector<StateChange>()
    await log.engine.state("kept").watch(["/local/n"], heard.push, { from: watched })
    expect((await heard.reaches(1)).map(({ changes }) => changes)).toEqual([
      [{ path: "/local/n", before: 1, after: 2 }]
    ])
  })
})

test("the start is what is left", async () => {
  expect(await gathered(log.engine.replay({ streams: ["order-1", "beat-1"] }))).toEqual([
    "Made",
    "Paid",
    "Beat"
  ])
  expect(await gathered(log.engine.replay({ streams: ["order-1", "beat-1"], from: 0 }))).toHaveLength(3)
})

test("a durable subscription that was overtaken says up to where, and is rewound to what is left", async () => {
  const [all, orders] = ["overtaken", "of-orders"].map((name) => log.engine.subscription(name))
  expect((await all!.status()).partitions).toMatchObject([{ position: 1, droppedUpTo: OLDEST }])
  expect((await orders!.status()).partitions).toMatchObject([{ position: 1, droppedUpTo: undefined }])
  await expect(all!.rewind(durable)).rejects.toBeInstanceOf(TokenTooOld)
  await orders!.rewind(durable)
  await all!.rewind(OLDEST)
  expect((await all!.status()).partitions).toMatchObject([{ position: OLDEST, droppedUpTo: undefined }])
})

test("a token of another log is refused by subscriptions, replays and watches alike", async () => {
  const other = durable.replace(/^tm1\.[0-9a-f]{32}/, `tm1.${"0".repeat(32)}`)
  const state = log.engine.state("of-this-log")
  const { token } = await state.update({ local: { n: 1 } })
  const foreign = token.replace(/^tm1\.[0-9a-f]{32}/, `tm1.${"0".repeat(32)}`)
  await expect(log.engine.subscribe({ from: other }, noop)).rejects.toBeInstanceOf(LogRewound)
  await expect(gathered(log.engine.replay({ from: other }))).rejects.toBeInstanceOf(LogRewound)
  await expect(state.watch(["/local"], noop, { from: foreign })).rejects.toBeInstanceOf(LogRewound)
})

test("a replay that is under way when a partition is dropped ends with TokenTooOld, and one of durable categories goes on", async () => {
  const { token } = await log.engine.emit("beat-2", { type: "Beat" })
  for (let n = 0; n < 3; n++)
    await log.engine.emit(
      "beat-2",
      Array.from({ length: 1_000 }, () => ({ type: "Beat" }))
    )
  for (let n = 0; n < 3; n++)
    await log.engine.emit(
      "order-2",
      Array.from({ length: 1_000 }, () => ({ type: "Made" }))
    )
  await log.db.query(`select setval('tidemark.log_position', ${2 * WIDTH + 10})`)
  await log.engine.emit("beat-2", { type: "Beat" })
  const [all, whole, durable] = [{ from: token }, {}, { from: token, categories: ["order"] }].map((options) =>
    log.engine.replay(options)[Symbol.asyncIterator]()
  )
  expect((await all!.next()).value).toMatchObject({ type: "Beat" })
  expect((await whole!.next()).value).toMatchObject({ type: "Made" })
  expect((await durable!.next()).value).toMatchObject({ type: "Made" })
  await log.db.query("drop table tidemark.telemetry_1")
  const rest = async (events: AsyncIterator<Event>): Promise<number> => {
    let count = 0
    while ((await events.next()).done !== true) count += 1
    return count
  }
  await expect(rest(all!)).rejects.toBeInstanceOf(TokenTooOld)
  await expect(rest(whole!)).rejects.toBeInstanceOf(TokenTooOld)
  expect(await rest(durable!)).toBe(2_999)
  const [{ width }] = (await log.db.query<{ width: string }>(
    "select tidemark.telemetry_width() as width"
  )) as [{ width: string }]
  expect(Number(width)).toBe(WIDTH)
})
