import { expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { open } from "../../src/index.ts"
import { connected, quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { collector, until } from "../support/eventually.ts"

const db = testDatabase()

test("a writer's role works on durable subscriptions, and changes them", async () => {
  const url = await db.fresh()
  const role = `tidemark_consumer_${process.pid}`
  await db.query(`create role ${quoted(role)} login password 'secret'`)
  try {
    await (await open({ database: url, logger: false })).close()
    await migrate({ database: url, writers: [role] })
    const signedIn = new URL(url)
    signedIn.username = role
    signedIn.password = "secret"
    const engine = await open({ database: signedIn.href, logger: false })
    const heard = collector<number>()
    const subscription = await engine.subscribe(
      { name: "written", retry: { attempts: 1 } },
      ({ version }) => {
        heard.push(version)
        if (version === 2) throw new Error("no")
      }
    )
    await engine.emit("order-1", [{ type: "A" }, { type: "B" }])
    await heard.reaches(2)
    const { control } = subscription
    await until(async () => (await control.parked()).length === 1)
    expect(await control.drop("all", { reason: "tried" })).toBe(1)
    await control.change({ partitions: 3 })
    await until(async () => (await control.status()).partitions.length === 3)
    await subscription.stop()
    await control.delete()
    await engine.close()
  } finally {
    await connected(url, (client) => client.query(`drop owned by ${quoted(role)}`))
    await db.query(`drop role ${quoted(role)}`)
  }
})
