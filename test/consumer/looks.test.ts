import { expect, test } from "vitest"
import { until } from "../support/eventually.ts"
import { consumerLog } from "./scene.ts"

// How often an engine looks how its partitions stand while somebody changes the subscription.

const log = consumerLog()

const PARTITIONS = 128

/** How often an engine looks meanwhile, in ms. */
const EVERY_MS = 100

/** For how many looks it is watched. */
const LOOKS = 10

/** Signs of life, each of which is a look. */
const signs = async (): Promise<number> => {
  const [row] = await log.db.query<{ count: number }>("select last_value::integer as count from public.signs")
  return row!.count
}

test("an engine that makes way with many partitions looks as often as with one", async () => {
  await log.db.query(
    `create sequence public.signs;
     create function public.count_sign() returns trigger language plpgsql as $$
     begin perform nextval('public.signs'); return null; end $$;
     create trigger count_sign after update on tidemark.engines for each row execute function public.count_sign()`
  )
  const one = log.fresh()
  const subscription = await log.engine.subscribe({ ...one, partitions: PARTITIONS }, () => undefined)
  await until(() => subscription.partitions().length === PARTITIONS)
  const session = await log.session()
  await session.query("begin")
  await session.query("select from subscriptions where name = $1 for update", [one.name])
  // Until all of them have seen it, and are at it.
  const before = await signs()
  await until(async () => (await signs()) > before + LOOKS)
  const [beganAt, first] = [performance.now(), await signs()]
  await until(async () => (await signs()) >= first + LOOKS)
  const tookMs = performance.now() - beganAt
  console.info(`${LOOKS} looks in ${Math.round(tookMs)} ms`)
  expect(tookMs).toBeGreaterThan((LOOKS * EVERY_MS) / 2)
  await session.query("rollback")
  await subscription.stop()
})
