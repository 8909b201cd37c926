import { describe, expect, test } from "vitest"
import { type Engine, LogRewound } from "../../../src/index.ts"
import { connected, databaseUrl } from "../../support/admin.ts"
import { databaseCopies, withEngine } from "../../support/copies.ts"
import { collector, deferred, inTime, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// Rule S10 where the server stays the same: its identifier and timeline cannot show that a log was put back.

const log = testLog()

const copies = databaseCopies(log.db)

describe("after a copy of the database was put in its place, on the same server,", () => {
  test("a token of an event that was lost is LogRewound, also when others have taken its position", async () => {
    const url = await log.db.fresh()
    const kept = await withEngine(url, (engine) => engine.emit("order-1", { type: "Kept" }))
    const copy = await copies.of(url)
    const lost = await withEngine(url, (engine) => engine.emit("order-1", { type: "Lost" }))
    await copies.swapIn(url, copy)

    await withEngine(url, async (engine) => {
      await expect(engine.subscribe({ from: lost.token }, () => {})).rejects.toBeInstanceOf(LogRewound)
      const instead = await engine.emit("order-1", { type: "Instead" })
      expect(instead.position).toBe(lost.position)
      await expect(engine.subscribe({ from: lost.token }, () => {})).rejects.toBeInstanceOf(LogRewound)
      const heard = collector<string>()
      const subscription = await engine.subscribe({ from: kept.token }, ({ type }) => heard.push(type))
      expect(await heard.reaches(1)).toEqual(["Instead"])
      await subscription.stop()
    })
  })

  test.each([
    ["ends before it", 0],
    ["has gone on past it", 4]
  ])("a running subscription fails with LogRewound where the copy %s", async (_, instead) => {
    const url = await log.db.fresh()
    await withEngine(url, (engine) => engine.emit("order-1", { type: "Kept" }))
    const copy = await copies.of(url)
    await withEngine(url, async (engine) => {
      const subscription = await engine.subscribe({}, () => {})
      const lost = await engine.emit("order-1", [{ type: "Lost" }, { type: "Lost" }])
      await until(() => subscription.position >= lost.position)
      for (const _ of upTo(instead))
        await withEngine(databaseUrl(url, copy), (other) => other.emit("order-1", { type: "Instead" }))
      await copies.swapIn(url, copy)
      await expect(inTime(subscription.done, { within: 20_000 })).rejects.toBeInstanceOf(LogRewound)
      expect(subscription.status().state).toBe("failed")
    })
  })

  /** Makes another log of a copy that nobody has opened yet, in the same epoch and with as many events more. */
  const makeAnother = (copy: string, more: number) =>
    connected(databaseUrl(log.db.url, copy), async (client) => {
      await client.query("update tidemark.log set log_id = gen_random_uuid()")
      await client.query(
        `update tidemark.epochs
         set database_oid = (select oid from pg_database where datname = current_database())`
      )
      for (const n of upTo(more)) {
        const events = JSON.stringify([{ type: "Other", data: { n } }])
        await client.query("select from tidemark.append_events('other-1', $1)", [events])
      }
    })

  test("a running subscription fails with LogRewound where the copy is another log that has every position", async () => {
    const url = await log.db.fresh()
    await withEngine(url, (engine) => engine.emit("order-1", { type: "Kept" }))
    const copy = await copies.of(url)
    await makeAnother(copy, 5)
    await withEngine(url, async (engine) => {
      const heard = collector<string>()
      const subscription = await engine.subscribe({ from: "start" }, ({ type }) => heard.push(type))
      await heard.reaches(1)
      await copies.swapIn(url, copy)
      const failure = await inTime(subscription.done, { within: 20_000 }).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(LogRewound)
      expect((failure as LogRewound).message).toContain("in whose place there is the log")
      expect(heard.items).toEqual(["Kept"])
    })
  })

  test("a subscription that is still catching up fails too, and is given nothing of the other log", async () => {
    const url = await log.db.fresh()
    // Two pages and more.
    const backlog = 2_500
    await withEngine(url, async (engine) => {
      for (let sent = 0; sent < backlog; sent += 500)
        await engine.emit(
          "order-1",
          upTo(500).map(() => ({ type: "Kept" }))
        )
    })
    const copy = await copies.of(url)
    await makeAnother(copy, 5)
    await connected(databaseUrl(url, copy), (client) =>
      client.query(
        `alter table tidemark.events disable trigger user; update tidemark.events set type = 'Other'`
      )
    )
    await withEngine(url, async (engine) => {
      const heard = collector<string>()
      const gate = deferred()
      const subscription = await engine.subscribe({ from: "start" }, async ({ type }) => {
        heard.push(type)
        if (heard.items.length === 10) await gate.promise
      })
      await heard.reaches(10)
      await copies.swapIn(url, copy)
      gate.resolve()
      await expect(inTime(subscription.done, { within: 20_000 })).rejects.toBeInstanceOf(LogRewound)
      expect(new Set(heard.items)).toEqual(new Set(["Kept"]))
    })
  })

  test("one new epoch begins, at the copy's head; a log that is only opened again stays in its own", async () => {
    const url = await log.db.fresh()
    const epoch = (engine: Engine) => engine.status().then((status) => status.epoch)
    const before = await withEngine(url, epoch)
    expect(await withEngine(url, epoch)).toBe(before)
    const { position } = await withEngine(url, (engine) => engine.emit("order-1", { type: "Kept" }))
    const copy = databaseUrl(url, await copies.of(url))
    expect(await withEngine(copy, epoch)).toBe(before + 1)
    expect(await withEngine(copy, epoch)).toBe(before + 1)
    const [last] = await connected(copy, async (client) => {
      const { rows } = await client.query(
        "select after_position from tidemark.epochs order by epoch desc limit 1"
      )
      return rows
    })
    expect(last).toEqual({ after_position: String(position) })
    expect(await withEngine(url, epoch)).toBe(before)
  })

  test("a log whose tables were made again, as by a restore into the same database, enters a new epoch", async () => {
    const url = await log.db.fresh()
    const epoch = (engine: Engine) => engine.status().then((status) => status.epoch)
    const before = await withEngine(url, epoch)
    await connected(url, (client) =>
      client.query(`set search_path = tidemark;
        create table restored (like log including all); insert into restored select * from log;
        alter table log rename to old_log; alter table restored rename to log`)
    )
    expect(await withEngine(url, epoch)).toBe(before + 1)
  })
})
