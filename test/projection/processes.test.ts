import { describe, expect, it } from "vitest"
import { until } from "../support/eventually.ts"
import { Counted, counters, entries, scene } from "./scene.ts"

const { db, start } = scene()

const STREAMS = 8

describe("several processes with the same projection", () => {
  it("fold every event once between them", async () => {
    const both = await Promise.all([start(), start()])
    await Promise.all(
      both.map(async (one) => {
        await one.project(counters({ name: "shared" }))
        await one.project(entries({ name: "shared_rows" }))
      })
    )
    const positions = await Promise.all(
      Array.from({ length: 400 }, (_, at) =>
        both[at % 2]!.emit(`shared-${at % STREAMS}`, Counted.make({ by: 1 }))
      )
    )
    const last = Math.max(...positions)
    for (const one of both) {
      await one.reaches("shared", last)
      await one.reaches("shared_rows", last)
    }
    expect(
      await db.query(
        "select sum(total)::integer as total, sum(events)::integer as events from tidemark.shared"
      )
    ).toEqual([{ total: 400, events: 400 }])
    expect(await db.query("select count(*)::integer from tidemark.shared_rows")).toEqual([{ count: 400 }])
  })

  it("leave the work to one of them while it gets on, and the other takes over when it is gone", async () => {
    const both = await Promise.all([start(), start()])
    await Promise.all(both.map((one) => one.project(counters({ name: "followed" }))))
    await until(async () => {
      const last = await both[0]!.emit("followed-1", Counted.make({ by: 1 }))
      for (const one of both) await one.reaches("followed", last)
      return both.some((one) => one.status("followed").follows)
    })
    const leader = both.find((one) => !one.status("followed").follows)!
    const follower = both.find((one) => one !== leader)!
    await leader.close()
    const last = await follower.emit("followed-1", Counted.make({ by: 0 }))
    await follower.reaches("followed", last)
    await until(() => !follower.status("followed").follows)
    const [row] = await db.query<{ events: number }>(
      "select events from tidemark.followed where id = 'followed-1'"
    )
    const [log] = await db.query<{ count: number }>(
      "select count(*)::integer from tidemark.log_events where stream = 'followed-1'"
    )
    expect(row!.events).toBe(log!.count)
  })

  it("make the tables once when they begin at the same time", async () => {
    const all = await Promise.all([start(), start(), start()])
    await Promise.all(all.map((one) => one.project(entries({ name: "together" }))))
    const position = await all[0]!.emit("together-1", Counted.make({ by: 1 }))
    for (const one of all) await one.reaches("together", position)
    expect(
      await db.query("select count(*)::integer from tidemark.together where stream = 'together-1'")
    ).toEqual([{ count: 1 }])
  })
})

describe("a connection that ends in the middle of a batch", () => {
  it("costs no event and doubles none", async () => {
    const one = await start({ name: "shaken" })
    await one.project(counters({ name: "shaken" }))
    await one.project(entries({ name: "shaken_rows" }))
    let emitted = 0
    let last = 0
    for (let round = 0; round < 12; round++) {
      const burst = Array.from({ length: 40 }, (_, at) =>
        one.emit(`shaken-${at % STREAMS}`, Counted.make({ by: 1 }))
      )
      const killing = db.terminate("shaken")
      last = Math.max(last, ...(await Promise.all(burst)))
      emitted += burst.length
      await killing
    }
    await one.reaches("shaken", last)
    await one.reaches("shaken_rows", last)
    expect(
      await db.query("select sum(events)::integer as events from tidemark.shaken where id like 'shaken-%'")
    ).toEqual([{ events: emitted }])
    expect(
      await db.query("select count(*)::integer from tidemark.shaken_rows where stream like 'shaken-%'")
    ).toEqual([{ count: emitted }])
  })

  it("between the fold and the commit leaves neither rows nor a moved cursor", async () => {
    const one = await start({ name: "cut" })
    await one.project(entries({ name: "cut" }))
    await one.reaches("cut", await one.emit("cut-1", Counted.make({ by: 1 })))
    const holder = await db.session()
    // Makes the batch wait right after its first statement, in the transaction that has moved the cursor.
    await holder.query("begin")
    await holder.query("lock table tidemark.cut__1 in access exclusive mode")
    const position = await one.emit("cut-1", Counted.make({ by: 1 }))
    const waiting = "select pid from pg_locks where relation = 'tidemark.cut__1'::regclass and not granted"
    await until(async () => (await holder.query(waiting)).rows.length > 0)
    await holder.query(`select pg_terminate_backend(pid) from (${waiting}) waiting`)
    await until(async () => (await holder.query(waiting)).rows.length > 0)
    await holder.query("commit")
    await one.reaches("cut", position)
    expect(await db.query("select count(*)::integer from tidemark.cut where stream = 'cut-1'")).toEqual([
      { count: 2 }
    ])
  })
})
