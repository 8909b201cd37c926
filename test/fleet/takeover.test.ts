import { describe, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { folds, ownedBy, owners, startFolder } from "./scene.ts"

const db = testDatabase()

const epochs = async (url: string) => new Map((await owners(url)).map(({ name, epoch }) => [name, epoch]))

/** How often an agent's heartbeats are in the read model. */
const folded = (url: string): Promise<number> =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      "select count(*)::integer from tidemark.agent_heartbeats"
    )
    return rows[0]!.count
  })

/** How many processes listen to what others tell them. */
const listening = (url: string): Promise<number> =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      "select count(*)::integer from pg_stat_activity where datname = current_database() and query like 'LISTEN%'"
    )
    return rows[0]!.count
  })

describe("the owner of the read models", () => {
  test("is one process at a time; another takes over when it was killed, and folds what it left", async () => {
    const url = await db.fresh()
    await using first = await startFolder(url)
    await ownedBy(url, first.pid)
    await using second = await startFolder(url)
    expect(await folds(first)).toBe(true)
    expect(await folds(second)).toBe(false)
    await using writer = await open({ database: url, logger: false, readModels: "follow" })
    await writer.heartbeats.record({ agent: "a-1" })
    const before = await epochs(url)
    await first.kill("SIGKILL")
    await writer.heartbeats.record({ agent: "a-1" })
    await ownedBy(url, second.pid)
    for (const { name, epoch } of await owners(url)) expect(epoch).toBeGreaterThan(before.get(name)!)
    await until(async () => (await folded(url)) === 2)
  })

  test("leaves them to another at once where it closes: nobody waits for a lease to end", async () => {
    const url = await db.fresh()
    // By itself, the second would look again in half an hour.
    await using first = await startFolder(url, { leaseMs: 3_600_000 })
    await ownedBy(url, first.pid)
    await using second = await startFolder(url, { leaseMs: 3_600_000 })
    await until(async () => (await listening(url)) === 2)
    expect(await folds(second)).toBe(false)
    first.send("close")
    await ownedBy(url, second.pid)
  })

  test("is succeeded at once on its machine after it was killed: its process is known to be gone", async () => {
    const url = await db.fresh()
    await using killed = await startFolder(url, { leaseMs: 3_600_000 })
    await ownedBy(url, killed.pid)
    await killed.kill("SIGKILL")
    await using next = await startFolder(url, { leaseMs: 3_600_000 })
    await ownedBy(url, next.pid)
  })

  test("that was paused for longer than its lease writes nothing when it wakes up, and follows", async () => {
    const url = await db.fresh()
    await using paused = await startFolder(url)
    await ownedBy(url, paused.pid)
    await using other = await startFolder(url)
    process.kill(paused.pid, "SIGSTOP")
    const taken = await ownedBy(url, other.pid)
    await using writer = await open({ database: url, logger: false, readModels: "follow" })
    for (const agent of ["a-1", "a-2", "a-3"]) await writer.heartbeats.record({ agent })
    process.kill(paused.pid, "SIGCONT")
    await until(async () => !(await folds(paused)))
    await until(async () => (await folded(url)) === 3)
    expect(await folds(other)).toBe(true)
    expect((await owners(url)).map(({ epoch }) => epoch)).toEqual(taken.map(({ epoch }) => epoch))
  })

  test.each([3_600_000, -3_600_000])(
    "is known by the database's clock, also where its own is %d ms off",
    async (skewMs) => {
      const url = await db.fresh()
      await using first = await startFolder(url, { skewMs })
      await ownedBy(url, first.pid)
      await using second = await startFolder(url, { skewMs: -skewMs })
      expect(await folds(second)).toBe(false)
      expect(await folds(first)).toBe(true)
      await first.kill("SIGKILL")
      await ownedBy(url, second.pid)
    }
  )
})
