import { afterEach, describe, expect, test } from "vitest"
import { LogRewound } from "../../../src/index.ts"
import { PositionsExhausted, UnsoundSequence } from "../../../src/errors.ts"
import { collector, deferred, inTime, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// Rules S2, S10 and C3: what an engine makes sure of when it opens, and what a cursor or token is worth later.

const log = testLog()

const emit = (type = "Made") => log.engine.emit(log.stream(), { type })

describe("a log whose sequence could break the order", () => {
  afterEach(() => log.db.query("alter sequence tidemark.log_position cache 1 increment 1 no cycle"))

  test.each(["cache 10", "increment 2", "cycle"])("is refused when it opens: %s", async (change) => {
    await log.db.query(`alter sequence tidemark.log_position ${change}`)
    const failure = await log.open().catch((error) => error)
    expect(failure).toBeInstanceOf(UnsoundSequence)
    expect(failure.message).toContain('alter sequence "tidemark".log_position cache 1 increment 1 no cycle')
  })
})

describe("positions", () => {
  test("may leap, and every event is delivered once and in order", async () => {
    const heard = collector<number>()
    const subscription = await log.engine.subscribe({}, ({ position }) => heard.push(position))
    const emitted: Array<number> = []
    for (const leap of [1_000, 2 ** 32, 2 ** 48, 2 ** 48 + 7]) {
      await log.db.query("select setval('tidemark.log_position', $1)", [leap])
      emitted.push((await emit()).position, (await emit()).position)
    }
    expect(await heard.reaches(8)).toEqual(emitted)
    expect(emitted).toEqual([
      1_001,
      1_002,
      2 ** 32 + 1,
      2 ** 32 + 2,
      2 ** 48 + 1,
      2 ** 48 + 2,
      2 ** 48 + 8,
      2 ** 48 + 9
    ])
    expect(subscription.lag).toBe(0)
    await subscription.stop()
  })

  test("past what a JavaScript number holds exactly are refused when a log opens", async () => {
    const { position } = await emit()
    await log.db.query("select setval('tidemark.log_position', $1)", [String(2 ** 53)])
    const failure = await log.open().catch((error) => error)
    expect(failure).toBeInstanceOf(PositionsExhausted)
    expect(failure.message).toContain("Continue in a new log")
    await log.db.query("select setval('tidemark.log_position', $1)", [position])
  })
})

describe("a cursor", () => {
  const from = async (cursor: string | number, engine = log.engine) => {
    const heard = collector<string>()
    const subscription = await engine.subscribe({ from: cursor }, ({ type }) => heard.push(type))
    await emit("Last")
    await heard.first((type) => type === "Last")
    await subscription.stop()
    return heard.items
  }

  test("at the head or below it is resumed from", async () => {
    const { position, token } = await emit("Before")
    await emit("After")
    expect((await from(position))[0]).toBe("After")
    expect((await from(token))[0]).toBe("After")
  })

  test("beyond the head is LogRewound, never a silent wait", async () => {
    const { position } = await emit()
    await from(position)
    const failure = await from(position + 2).catch((error) => error)
    expect(failure).toBeInstanceOf(LogRewound)
    expect(failure).toMatchObject({ position: position + 2, head: position + 1 })
  })

  test("beyond the head of an empty log is LogRewound", async () => {
    const empty = await log.open({ schema: "empty_log" })
    for (const cursor of [1, 2, 1_000]) {
      await expect(empty.subscribe({ from: cursor }, () => {})).rejects.toMatchObject({
        _tag: "LogRewound",
        head: 0
      })
    }
    await (await empty.subscribe({ from: 0 }, () => {})).stop()
  })

  test("of another log is LogRewound, which names both", async () => {
    const other = await log.open({ schema: "other_log" })
    const { token } = await other.emit("order-1", { type: "Elsewhere" })
    const failure = await from(token).catch((error) => error)
    expect(failure).toBeInstanceOf(LogRewound)
    expect(failure.message).toContain((await log.engine.status()).log)
    expect(failure.message).toContain((await other.status()).log)
  })

  test.each(["", "later", "tm1.x.1.1", "-1"])("that is no token is refused as such: %j", async (token) => {
    await expect(from(token)).rejects.toMatchObject({ _tag: "InvalidArgument" })
  })

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "that is no position is refused as such: %d",
    async (position) => {
      await expect(from(position)).rejects.toMatchObject({ _tag: "InvalidArgument" })
    }
  )
})

describe("after a restore, when the log opens on another server or timeline,", () => {
  // Their tokens are of the epoch in which they opened, so each test has an engine of its own.
  const emitBefore = async (type = "Made") => (await log.open()).emit(log.stream(), { type })

  /** As if the data directory had been copied: the log last knew another server than this one. */
  const restore = async () => {
    await log.db.query("update tidemark.epochs set system_identifier = system_identifier - 1")
    return log.open()
  }

  /** A server that is restored has ended every connection to the one before. */
  const disconnect = () => log.db.terminate("tidemark")

  test("it enters a new epoch once, whoever opens it", async () => {
    const { epoch } = await log.engine.status()
    await log.db.query("update tidemark.epochs set system_identifier = system_identifier - 1")
    const engines = await Promise.all(upTo(4).map(() => log.open()))
    for (const engine of engines) expect((await engine.status()).epoch).toBe(epoch + 1)
    expect((await (await log.open()).status()).epoch).toBe(epoch + 1)
  })

  test("an engine that is open hears of it when it connects again", async () => {
    const engine = await log.open()
    const { epoch } = await engine.status()
    const restored = await restore()
    await disconnect()
    await until(async () => (await engine.status()).epoch === epoch + 1)
    const { token } = await engine.emit(log.stream(), { type: "After" })
    await (await restored.subscribe({ from: token }, () => {})).stop()
  })

  test("a live subscription beyond the new head fails with LogRewound, instead of waiting in silence", async () => {
    const kept = await emitBefore()
    const engine = await log.open()
    const subscription = await engine.subscribe({}, () => {})
    const lost = await engine.emit(log.stream(), { type: "Lost" })
    await until(() => subscription.position >= lost.position)
    await log.db.query("alter table tidemark.events disable trigger user")
    await log.db.query("delete from tidemark.events where position > $1", [kept.position])
    await log.db.query("alter table tidemark.events enable trigger user")
    await log.db.query("select setval('tidemark.log_position', $1)", [kept.position])
    const restored = await restore()
    await disconnect()
    await restored.emit(log.stream(), { type: "Instead" })
    await expect(inTime(subscription.done)).rejects.toBeInstanceOf(LogRewound)
    expect(subscription.status().state).toBe("failed")
  })

  test("a live subscription goes on where nothing of what it heard was lost, and catches up as before", async () => {
    const stream = log.stream()
    const engine = await log.open()
    const { epoch } = await engine.status()
    const gate = deferred()
    const heard = collector<number>()
    const subscription = await engine.subscribe({ streams: [stream] }, async ({ version }) => {
      heard.push(version)
      if (version === 2) await gate.promise
    })
    await engine.emit(stream, { type: "Before" })
    await heard.reaches(1)
    await restore()
    await disconnect()
    await until(async () => (await engine.status()).epoch === epoch + 1)
    // More than it buffers, so that it leaves the feed and reads on by itself.
    for (const _ of upTo(5))
      await engine.emit(
        stream,
        upTo(500).map(() => ({ type: "After" }))
      )
    await heard.reaches(2)
    gate.resolve()
    expect(await heard.reaches(2_501)).toEqual(upTo(2_501))
    await subscription.stop()
  })

  test("a token of before means the same up to where the log was then, and is LogRewound beyond", async () => {
    const kept = await emitBefore()
    const lost = await emitBefore("Lost")
    // The backup ended before the last event.
    await log.db.query("alter table tidemark.events disable trigger user")
    await log.db.query("delete from tidemark.events where position = $1", [lost.position])
    await log.db.query("alter table tidemark.events enable trigger user")
    await log.db.query("select setval('tidemark.log_position', $1)", [kept.position])
    const restored = await restore()
    const { position } = await restored.emit(log.stream(), { type: "Instead" })
    expect(position).toBe(lost.position)
    await expect(restored.subscribe({ from: lost.token }, () => {})).rejects.toBeInstanceOf(LogRewound)
    const heard = collector<string>()
    const subscription = await restored.subscribe({ from: kept.token }, ({ type }) => heard.push(type))
    expect(await heard.reaches(1)).toEqual(["Instead"])
    await subscription.stop()
  })

  test("a token of an epoch that this log has not reached is LogRewound: it is of another future", async () => {
    const later = await restore()
    const { token } = await later.emit(log.stream(), { type: "Future" })
    await log.db.query(`
      delete from tidemark.epochs where epoch = (select max(epoch) from tidemark.epochs);
      update tidemark.log set epoch = epoch - 1;
      update tidemark.epochs set system_identifier = (select system_identifier from pg_control_system())
      where epoch = (select epoch from tidemark.log)`)
    const earlier = await log.open()
    await expect(earlier.subscribe({ from: token }, () => {})).rejects.toBeInstanceOf(LogRewound)
  })
})
