import { expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { openSession } from "../log/test-log.ts"

// What becomes of a sign of life that an engine sent before it closed, and that the server comes to after that.

const db = testDatabase()

/** Whoever holds this lock has signs of life wait, as on a connection that stalls; the words of who leaves pass. */
const STALL = 4711

const stalled = `create function public.stall_sign() returns trigger language plpgsql as $$
  begin
    if to_jsonb(new) ->> 'has_left' is distinct from 'true' then perform pg_advisory_xact_lock_shared(${STALL}); end if;
    return new;
  end $$;
  create trigger stall_sign before insert on tidemark.engines for each row execute function public.stall_sign()`

const scene = async () => {
  const url = await db.fresh()
  await connected(url, (client) => client.query(stalled))
  const session = await openSession(url)
  const ask = async (sql: string) => (await session.query(sql)).length
  return {
    session,
    start: () => open({ database: url, logger: false, leaseMs: 60_000 }),
    stall: () => session.query(`select pg_advisory_lock(${STALL})`),
    goOn: () => session.query(`select pg_advisory_unlock(${STALL})`),
    signsThatWait: () =>
      ask(
        `select from pg_locks join pg_database on pg_database.oid = database
         where locktype = 'advisory' and not granted and datname = current_database()`
      ),
    /** Sessions of the engine, which end with what the server does for them. */
    sessions: () =>
      ask(
        "select from pg_stat_activity where datname = current_database() and application_name = 'tidemark'"
      ),
    alive: () => ask("select from engines where alive_until > clock_timestamp()"),
    [Symbol.asyncDispose]: () => session.close()
  }
}

test("a late sign of life does not bring back an engine that is closed: nobody waits for its lease", async () => {
  await using one = await scene()
  const engine = await one.start()
  await until(async () => (await one.alive()) === 1)
  await one.stall()
  // What was subscribed to is looked at at once.
  const subscription = await engine.subscribe({ name: "late" }, () => undefined)
  await until(async () => (await one.signsThatWait()) === 1)
  void subscription.stop()
  await engine.close()
  expect(await one.alive()).toBe(0)
  await one.goOn()
  await until(async () => (await one.sessions()) === 0)
  expect(await one.alive()).toBe(0)
})

test("a late sign of life does not bring back an engine that is closed where it was its first", async () => {
  await using one = await scene()
  await one.stall()
  const engine = await one.start()
  await until(async () => (await one.signsThatWait()) === 1)
  await engine.close()
  await one.goOn()
  await until(async () => (await one.sessions()) === 0)
  expect(await one.alive()).toBe(0)
})

test("an engine that was forgotten while it lives comes back by its next sign of life", async () => {
  await using one = await scene()
  const engine = await one.start()
  await until(async () => (await one.alive()) === 1)
  await one.session.query("delete from engines")
  await engine.subscribe({ name: "back" }, () => undefined)
  await until(async () => (await one.alive()) === 1)
  await engine.close()
})
