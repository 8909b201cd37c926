import { beforeAll, describe, expect, test } from "vitest"
import { TransactionEnded, type Tx } from "../../../src/index.ts"
import { deferred } from "../../support/eventually.ts"
import { testLog, traceOf } from "../test-log.ts"

// A transaction's connection is lent: what comes after its end must not reach whoever has the connection by then.

const log = testLog({ poolSize: 1 })

beforeAll(() => log.db.query("create table noted (nth integer primary key)"))

/** What a body gave out of its hands, after it committed or threw. */
const escaped = async (how: "committed" | "rolled back"): Promise<Tx> => {
  let tx: Tx | undefined
  const transaction = log.engine.transaction(async (own) => {
    tx = own
    await own.query("select 1")
    if (how === "rolled back") throw new RangeError("changed my mind")
  })
  await transaction.catch(() => undefined)
  return tx!
}

const ways = [["committed"], ["rolled back"]] as const

describe.each(ways)("a transaction that was %s", (how) => {
  test("does not run a late query, least of all in the transaction that has its connection now", async () => {
    const late = await escaped(how)
    const [begun, release] = [deferred(), deferred()]
    const other = log.engine.transaction(async (tx) => {
      await tx.query("select 1")
      begun.resolve()
      await release.promise
    })
    await begun.promise
    const asked = late.query("insert into public.noted values (1)")
    await expect(asked).rejects.toBeInstanceOf(TransactionEnded)
    await expect(asked).rejects.toThrow("await everything that belongs to a transaction inside its body")
    release.resolve()
    await other
    expect(await log.db.query("select from public.noted")).toEqual([])
  })

  test("refuses a late emit, which nothing would ever append", async () => {
    const stream = log.stream()
    const late = await escaped(how)
    expect(() => late.emit(stream, { type: "Late" })).toThrow(TransactionEnded)
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
  })

  test("refuses a late flush", async () => {
    const late = await escaped(how)
    await expect(late.flush()).rejects.toBeInstanceOf(TransactionEnded)
  })
})

test("what a body emits without waiting, while its last events are being appended, is refused", async () => {
  const stream = log.stream()
  const refused = deferred<unknown>()
  await log.engine.transaction(async (tx) => {
    tx.emit(stream, { type: "InTime" })
    setImmediate(() => {
      try {
        tx.emit(stream, { type: "Late" })
        refused.resolve(undefined)
      } catch (thrown) {
        refused.resolve(thrown)
      }
    })
  })
  expect(await refused.promise).toBeInstanceOf(TransactionEnded)
  expect(await traceOf(log.db, stream)).toMatchObject({ events: 1 })
})

test("a flush that the body does not wait for is part of the transaction all the same", async () => {
  const stream = log.stream()
  let flushed: Promise<unknown> | undefined
  await log.engine.transaction(async (tx) => {
    tx.emit(stream, { type: "Flushed" })
    flushed = tx.flush()
  })
  expect(await flushed).toMatchObject([{ stream, events: [{ version: 1 }] }])
  expect(await traceOf(log.db, stream)).toMatchObject({ events: 1 })
})

test("what was asked before the end still belongs to the transaction, also where nobody waits for it", async () => {
  let asked: Promise<unknown> | undefined
  await log.engine.transaction(async (tx) => {
    asked = tx.query("insert into public.noted values (2)")
  })
  await asked
  expect(await log.db.query("select from public.noted where nth = 2")).toHaveLength(1)
})
