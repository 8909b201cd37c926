import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

const database = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: database.url, logger: false })
})

afterAll(() => engine.close())

/** Far less than the second for which the end of the log is waited for, in ms. */
const atOnceMs = 500

/** Somebody's transaction that has appended and does not end while `work` runs. */
const whileHeld = async <A>(work: (holder: { pid: number; position: number }) => Promise<A>): Promise<A> => {
  const client = await database.pool.connect()
  try {
    await client.query("begin")
    await client.query("set local application_name to 'slow importer'")
    const { rows } = await client.query<{ pid: number; position: string }>(
      `select pg_backend_pid() as pid, max(position) as position
         from tidemark.append_events('import-1', '[{"type": "Imported"}]')`
    )
    return await work({ pid: rows[0]!.pid, position: Number(rows[0]!.position) })
  } finally {
    await client.query("rollback")
    client.release()
  }
}

/** The status, and the shortest of some times that it took, in ms: one may fall into a busy moment of the machine. */
const timed = async () => {
  let shortest = Number.POSITIVE_INFINITY
  for (let nth = 0; nth < 3; nth += 1) {
    const began = performance.now()
    await engine.status()
    shortest = Math.min(shortest, performance.now() - began)
  }
  return { status: await engine.status(), shortest }
}

describe("status", () => {
  test("does not wait for a transaction that holds the tail: it names it, and where the log is settled before it", async () => {
    const before = await engine.emit("order-1", { type: "Placed" })
    await whileHeld(async ({ pid, position }) => {
      const { position: behind } = await engine.emit("order-2", [{ type: "Placed" }, { type: "Paid" }])
      const { status, shortest } = await timed()
      expect(shortest).toBeLessThan(atOnceMs)
      expect(status.settled).toBe(before.position)
      expect(status.settled).toBeLessThan(position)
      expect(status.head).toBe(behind)
      expect(status.feed.heldBy).toMatchObject([{ pid, application: "slow importer" }])
      expect(status.feed.heldBy[0]!.ageMs).toBeGreaterThan(0)
      expect(status.unsettledForMs).toBeGreaterThan(0)
    })
    const { settled, head, feed, unsettledForMs } = await engine.status()
    expect({ settled, heldBy: feed.heldBy }).toEqual({ settled: head, heldBy: [] })
    expect(unsettledForMs).toBe(0)
  })

  test("names nobody where what is held keeps nothing from readers", async () => {
    const { position: last } = await engine.emit("order-3", { type: "Placed" })
    // The gap that the rollback before this left is known to be none.
    await until(async () => (await engine.status()).feed.position === last)
    await whileHeld(async ({ position }) => {
      const { settled, head, feed } = await engine.status()
      expect({ settled, head, heldBy: feed.heldBy }).toEqual({
        settled: position - 1,
        head: position,
        heldBy: []
      })
    })
  })
})
