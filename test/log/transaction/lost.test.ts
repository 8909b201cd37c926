import { beforeAll, describe, expect, test } from "vitest"
import { ConnectionLost, type Tx } from "../../../src/index.ts"
import { testLog, traceOf } from "../test-log.ts"

// The connection of a caller's transaction is lost before COMMIT is sent: the server keeps nothing, and that is said.

const log = testLog()

beforeAll(() => log.db.query("create table kept (nth integer primary key)"))

const endIt = async (tx: Tx): Promise<void> => {
  const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid")
  await log.db.query("select pg_terminate_backend($1, 5000)", [rows[0]!.pid])
}

const thrownBy = (transaction: Promise<unknown>): Promise<unknown> =>
  transaction.then(
    () => "it committed",
    (error: unknown) => error
  )

/** What a body does when its connection was ended under it. */
const bodies: ReadonlyArray<readonly [how: string, rest: (tx: Tx, stream: string) => Promise<unknown>]> = [
  ["asks a query", (tx) => tx.query("select 1")],
  ["flushes", (tx, stream) => Promise.resolve(tx.emit(stream, { type: "More" })).then(() => tx.flush())],
  ["leaves the append to the end", async (tx, stream) => tx.emit(stream, { type: "More" })],
  ["passes over what its query failed with", (tx) => tx.query("select 1").catch(() => undefined)]
]

describe.each(["emitted", "flushed"] as const)(
  "a transaction that has %s and is lost before COMMIT",
  (what) => {
    test.each(bodies)("says that nothing was kept, where its body %s", async (_, rest) => {
      const stream = log.stream()
      const thrown = await thrownBy(
        log.engine.transaction(async (tx) => {
          await tx.query("insert into public.kept values (1)")
          tx.emit(stream, { type: "First" })
          if (what === "flushed") await tx.flush()
          await endIt(tx)
          await rest(tx, stream)
        })
      )
      expect(thrown).toBeInstanceOf(ConnectionLost)
      expect(thrown).toMatchObject({ nothingKept: true })
      expect((thrown as Error).message).toContain("nothing of the transaction was kept")
      expect((thrown as Error).message).not.toContain("may have been done")
      expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
      expect(await log.db.query("select from public.kept")).toEqual([])
    })
  }
)

test("COMMIT does not follow a query that got no answer, so that it is true later as well", async () => {
  const engine = await log.open({ answerTimeoutMs: 200 })
  const thrown = await thrownBy(
    engine.transaction(async (tx) => {
      await tx.query("insert into public.kept values (2)")
      await tx.query("select pg_sleep(0.6)").catch(() => undefined)
    })
  )
  expect(thrown).toMatchObject({ _tag: "ConnectionLost", nothingKept: true })
  await log.db.query("select pg_sleep(0.8)")
  expect(await log.db.query("select from public.kept")).toEqual([])
})

test("a transaction without events that is lost at COMMIT says that it may have been done", async () => {
  await log.db.query(`create function public.end_me() returns trigger language plpgsql as $$
    begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`)
  await log.db.query(`create constraint trigger at_commit after insert on public.kept
    deferrable initially deferred for each row when (new.nth = 3) execute function public.end_me()`)
  const thrown = await thrownBy(
    log.engine.transaction((tx) => tx.query("insert into public.kept values (3)"))
  )
  expect(thrown).toBeInstanceOf(ConnectionLost)
  expect(thrown).not.toHaveProperty("nothingKept", true)
  expect((thrown as Error).message).toContain("may have been done")
})
