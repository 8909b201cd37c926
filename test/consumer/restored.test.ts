import { describe, expect, test } from "vitest"
import { type DurableSubscription, type Engine, open } from "../../src/index.ts"
import { connected, databaseUrl } from "../support/admin.ts"
import { databaseCopies, withEngine } from "../support/copies.ts"
import { testDatabase } from "../support/database.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"

const db = testDatabase()

const copies = databaseCopies(db)

// What these tests do is wait, each for a log of its own, so they wait together.

describe.concurrent("a durable subscription of which the database was restored from a copy", () => {
  test("goes on from where the copy has it, with what came to the copy in the place of what was lost", async () => {
    const url = await db.fresh()
    const heard = collector<string>()
    const subscribe = (engine: Engine): Promise<DurableSubscription> =>
      engine.subscribe({ name: "restored", from: "start", categories: ["order"] }, ({ type }) =>
        heard.push(type)
      )
    await withEngine(url, async (engine) => {
      const subscription = await subscribe(engine)
      await engine.emit("order-1", { type: "Kept" })
      await heard.reaches(1)
      await subscription.stop()
    })
    const copy = await copies.of(url)
    await withEngine(databaseUrl(url, copy), (engine) => engine.emit("order-1", { type: "Instead" }))
    await withEngine(url, async (engine) => {
      await subscribe(engine)
      await engine.emit("order-1", { type: "Lost" })
      await heard.reaches(2)
      await copies.swapIn(url, copy)
      expect(await heard.reaches(3, { within: 20_000 })).toEqual(["Kept", "Lost", "Instead"])
      await until(async () => (await engine.subscription("restored").status()).members === 1)
      await engine.emit("order-1", { type: "After" })
      expect((await heard.reaches(4)).at(-1)).toBe("After")
    })
  })
})

describe.concurrent("a durable subscription of which the log was put back under its hands", () => {
  test("does not pass over what came in the place of the event that its handler was at", async () => {
    const url = await db.fresh()
    const named = new URL(url)
    named.searchParams.set("application_name", "put-back")
    await withEngine(named.href, async (engine) => {
      const heard = collector<string>()
      const gate = deferred()
      const subscription = await engine.subscribe(
        { name: "put-back", categories: ["order"] },
        async ({ type }) => {
          heard.push(type)
          if (type === "Lost") await gate.promise
        }
      )
      const kept = await engine.emit("order-1", { type: "Kept" })
      await until(async () => (await subscription.control.status()).partitions[0]!.position >= kept.position)
      const lost = await engine.emit("order-2", { type: "Lost" })
      await heard.reaches(2)
      await connected(url, async (client) => {
        await client.query("alter table tidemark.events disable trigger user")
        await client.query("delete from tidemark.events where position > $1", [kept.position])
        await client.query("alter table tidemark.events enable trigger user")
        await client.query("delete from tidemark.streams where stream = 'order-2'")
        await client.query("update tidemark.settled set position = $1", [kept.position])
        await client.query("select setval('tidemark.log_position', $1)", [kept.position])
        await client.query("update tidemark.epochs set system_identifier = system_identifier - 1")
      })
      await withEngine(url, async (restored) => {
        const instead = await restored.emit("order-3", { type: "Instead" })
        expect(instead.position).toBe(lost.position)
        await db.terminate("put-back")
        gate.resolve()
        expect(await heard.reaches(3, { within: 20_000 })).toEqual(["Kept", "Lost", "Instead"])
      })
    })
  })
})

describe.concurrent("a durable subscription of which the server does not answer any more", () => {
  test("is stopped within seconds, with its handler at work or not, and what was not written down is handed over again", async () => {
    const url = await db.fresh()
    await withEngine(url, async (other) => {
      const entered = deferred()
      const proxy = await startProxy(url)
      const engine = await open({ database: proxy.url, logger: false })
      const hanging = await engine.subscribe({ name: "cut-off", categories: ["order"] }, () => {
        entered.resolve()
        return new Promise(() => undefined)
      })
      await other.emit("order-1", { type: "A" })
      await entered.promise
      proxy.blackHole()
      const since = performance.now()
      await hanging.stop()
      expect(performance.now() - since).toBeLessThan(9_000)
      proxy.cut()
      await engine.close()
      await proxy.close()
      const heard = collector<number>()
      await other.subscribe({ name: "cut-off", categories: ["order"] }, ({ version }) => heard.push(version))
      expect(await heard.reaches(1)).toEqual([1])
    })
  })

  test("is left to others as soon as the server answers again, while its engine lives", async () => {
    const url = await db.fresh()
    await withEngine(url, async (other) => {
      const proxy = await startProxy(url)
      const engine = await open({ database: proxy.url, logger: false })
      // Another one keeps the engine in the fleet.
      await engine.subscribe({ name: "stays" }, () => undefined)
      const leaving = await engine.subscribe({ name: "leaves", categories: ["order"] }, () => undefined)
      await until(() => leaving.partitions().length === 1)
      proxy.blackHole()
      await leaving.stop()
      proxy.cut()
      await proxy.heal()
      const heard = collector<number>()
      const next = await other.subscribe({ name: "leaves", categories: ["order"] }, ({ version }) =>
        heard.push(version)
      )
      await until(async () => (await next.control.status()).members === 1, { within: 20_000 })
      await other.emit("order-1", { type: "A" })
      expect(await heard.reaches(1, { within: 20_000 })).toEqual([1])
      await engine.close()
      await proxy.close()
    })
  }, 60_000)
})
