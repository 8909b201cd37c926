import { describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { open } from "../../src/index.ts"
import { quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

const db = testDatabase()

/** The URL of the file's database for a role that may sign in. */
const as = (role: string, url: string): string => {
  const other = new URL(url)
  other.username = role
  other.password = "secret"
  return other.href
}

describe("an engine that follows", () => {
  test("leaves folding to another process for good, and its queries see what that made of its own writes", async () => {
    const url = await db.fresh()
    await using keeper = await open({ database: url, logger: false })
    await using follower = await open({ database: url, logger: false, readModels: "follow" })
    await follower.agents.register({ agent: "a-1" })
    expect(await follower.agents.get({ agent: "a-1" })).toMatchObject({ agent: "a-1" })
    const { projections } = await follower.status()
    expect(projections.filter(({ follows }) => !follows)).toEqual([])
    await keeper.close()
    await follower.heartbeats.record({ agent: "a-1" })
    await expect(follower.heartbeats.recent({ agent: "a-1" })).rejects.toMatchObject({
      _tag: "ProjectionBehind"
    })
  })

  test("is what a writer's role makes of an engine: it emits, commands and queries, and folds nothing", async () => {
    const url = await db.fresh()
    const role = `tidemark_follow_${process.pid}`
    await using owner = await open({ database: url, logger: false })
    await db.query(`create role ${quoted(role)} login password 'secret'`)
    try {
      await migrate({ database: url, writers: [role] })
      await using writer = await open({ database: as(role, url), logger: false })
      await writer.agents.register({ agent: "w-1" })
      expect(await writer.agents.list()).toMatchObject([{ agent: "w-1" }])
      expect((await writer.status()).projections.every(({ follows }) => follows)).toBe(true)
      await until(async () => (await owner.status()).projections.every(({ follows }) => !follows), {
        within: 5_000
      })
      await writer.close()
    } finally {
      const { default: pg } = await import("pg")
      const client = new pg.Client(url)
      await client.connect()
      await client.query(`drop owned by ${quoted(role)}`)
      await client.end()
      await db.query(`drop role ${quoted(role)}`)
    }
  })
})
