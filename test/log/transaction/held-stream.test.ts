import { describe, expect, test } from "vitest"
import { LockTimeout } from "../../../src/index.ts"
import { somebodyWaits, testLog, traceOf } from "../test-log.ts"

// Another transaction holds the stream that a caller's transaction appends to.

const log = testLog()

/** How long a statement may go without an answer in these tests, in ms: much shorter than the lock is held. */
const answerTimeoutMs = 200

const held = async () => {
  const stream = log.stream()
  await log.engine.emit(stream, { type: "Before" })
  const holder = await log.session()
  await holder.query("begin")
  await holder.query("select from streams where stream = $1 for update", [stream])
  return { stream, holder }
}

describe("a transaction whose stream is held", () => {
  test("waits for it longer than for an answer, and appends when it is free", async () => {
    const { stream, holder } = await held()
    const engine = await log.open({ answerTimeoutMs })
    const transaction = engine.transaction(async (tx) => tx.emit(stream, { type: "Waited" }))
    await somebodyWaits(log.db)
    await log.db.query("select pg_sleep($1)", [(5 * answerTimeoutMs) / 1000])
    await holder.query("rollback")
    await transaction
    expect(await traceOf(log.db, stream)).toMatchObject({ events: 2 })
  })

  test("fails with LockTimeout, and nothing was done, when an emit would have given up", async () => {
    const { stream, holder } = await held()
    const engine = await log.open({ emitDeadlineMs: 300, answerTimeoutMs })
    const transaction = engine.transaction(async (tx) => {
      tx.emit(stream, { type: "Lost" })
      await tx.flush()
    })
    await expect(transaction).rejects.toBeInstanceOf(LockTimeout)
    await holder.query("rollback")
    expect(await traceOf(log.db, stream)).toMatchObject({ events: 1 })
    await expect(engine.status()).resolves.toBeDefined()
  })

  test("fails with LockTimeout at its own lock_timeout, where that is shorter", async () => {
    const { stream } = await held()
    const began = performance.now()
    const transaction = log.engine.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '150ms'")
      tx.emit(stream, { type: "Lost" })
    })
    await expect(transaction).rejects.toBeInstanceOf(LockTimeout)
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test("leaves the transaction's own lock_timeout as it was", async () => {
    const shown = await log.engine.transaction(async (tx) => {
      await tx.query("set local lock_timeout = '3s'")
      tx.emit(log.stream(), { type: "Done" })
      await tx.flush()
      return (await tx.query<{ lock_timeout: string }>("show lock_timeout")).rows
    })
    expect(shown).toEqual([{ lock_timeout: "3s" }])
  })
})
