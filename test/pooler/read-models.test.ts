import { describe, expect, test } from "vitest"
import { folds, ownedBy, startFolder } from "../fleet/scene.ts"
import { until } from "../support/eventually.ts"
import { pooledLog } from "./scene.ts"

// Processes that keep the read models of one log, by way of PgBouncer in transaction mode.

const log = pooledLog()

const LEASE_MS = 1_500

describe("the owner of the read models", () => {
  test("that stands still for longer than its lease folds nothing when it wakes up, and follows", async () => {
    const url = await log.db.fresh()
    const pooled = log.pooler.url(new URL(url).pathname.slice(1))
    await using paused = await startFolder(pooled, { leaseMs: LEASE_MS })
    await ownedBy(url, paused.pid)
    await using other = await startFolder(pooled, { leaseMs: LEASE_MS })
    process.kill(paused.pid, "SIGSTOP")
    await ownedBy(url, other.pid)
    const writer = await log.open({ database: pooled, readModels: "follow" })
    for (const agent of ["a-1", "a-2", "a-3"]) await writer.agents.register({ agent })
    process.kill(paused.pid, "SIGCONT")
    await until(async () => !(await folds(paused)))
    expect((await writer.agents.list()).map(({ agent }) => agent).toSorted()).toEqual(["a-1", "a-2", "a-3"])
    expect(await folds(other)).toBe(true)
  })

  test("that is killed is succeeded, and nothing is folded twice", async () => {
    const url = await log.db.fresh()
    const pooled = log.pooler.url(new URL(url).pathname.slice(1))
    await using killed = await startFolder(pooled, { leaseMs: LEASE_MS })
    await ownedBy(url, killed.pid)
    await using next = await startFolder(pooled, { leaseMs: LEASE_MS })
    const writer = await log.open({ database: pooled, readModels: "follow" })
    await writer.heartbeats.record({ agent: "a-1" })
    await killed.kill()
    const { token } = await writer.heartbeats.record({ agent: "a-1" })
    await ownedBy(url, next.pid)
    const found = await until(() => writer.heartbeats.recent({ agent: "a-1" }, { after: token }))
    expect(found).toHaveLength(2)
  })
})
