import { describe, expect, it } from "vitest"
import { RANGE_EVENTS } from "../../../src/projection/rebuild/rows-filler.ts"
import { until } from "../../support/eventually.ts"
import { startProxy } from "../../support/proxy.ts"
import { generationsOf } from "./looks.ts"
import { Counted, counters, entries, scene } from "../scene.ts"

const { db, start } = scene()

const STREAMS = 50

/** Written as the engine's append would have: the settled tail sees no difference. */
const written = (events: number) =>
  db.query(
    `with heads as (
       insert into tidemark.streams (stream, version, telemetry)
       select 'bulk-' || n, $1::integer / $2::integer, false from generate_series(0, $2::integer - 1) n
     )
     insert into tidemark.events (id, stream, version, type, data)
     select gen_random_uuid(), 'bulk-' || n % $2, n / $2 + 1, 'Counted', jsonb_build_object('by', n % 7)
     from generate_series(0, $1::integer - 1) n order by n`,
    [events, STREAMS]
  )

/** Always so, and found out so slowly that each stretch takes longer than it takes to lose a connection. */
const SLOW = "(select count(*) from generate_series(1, 30 + event.position % 2)) > 0"

const inOrder = (name: string) =>
  entries({
    name,
    fold: `insert into :"${name}" (position, stream, by)
      select event.position, event.stream, (event.data ->> 'by')::integer from :batch event where ${SLOW} on conflict do nothing`
  })

/** Adds each event as often as it is folded: an event that is folded twice shows. */
const twiceShows = (name: string) => ({
  ...entries({
    name,
    fold: `insert into :"${name}" (position, stream, by)
      select event.position, event.stream, (event.data ->> 'by')::integer from :batch event where ${SLOW}`
  }),
  tables: {
    text: `create table :"${name}" (position bigint not null, stream text not null, by integer not null)`
  }
})

const rowsAreOf = async (name: string, shape: string, events: number) => {
  const [log] = await db.query<{ sum: number }>(
    "select sum((data ->> 'by')::integer)::integer as sum from tidemark.log_events where type = 'Counted'"
  )
  const counted = shape === "entities" ? "sum(events)" : "count(*)"
  const summed = shape === "entities" ? "sum(total)" : "sum(by)"
  expect(
    await db.query(`select ${counted}::integer as events, ${summed}::integer as sum from tidemark.${name}`)
  ).toEqual([{ events, sum: log!.sum }])
}

describe("a rebuild that loses its connections", () => {
  it.each([
    ["entities", counters],
    ["rows", ({ name }: { name: string }) => twiceShows(name)],
    ["rows in order", ({ name }: { name: string }) => inOrder(name)]
  ])("goes on with %s where it was, and folds nothing twice", async (shape, make) => {
    const total = RANGE_EVENTS * 4
    await written(total)
    const one = await start({ name: "shaken-process" })
    const told: Array<number> = []
    let lost: Promise<number> | undefined
    let lostAt = 0
    const report = await one.rebuild(make({ name: "shaken" }), {
      onProgress: ({ events }) => {
        told.push(events)
        // Things are told of before they are saved; rows are committed by then, and the next stretches under way.
        if (events < (shape === "entities" ? RANGE_EVENTS + 1 : RANGE_EVENTS) || lost !== undefined) return
        lostAt = told.length
        lost = db.terminate("shaken-process")
      }
    })
    expect(await lost).toBeGreaterThan(0)
    expect(told[lostAt - 1]).toBeLessThan(total)
    expect(report).toMatchObject({ to: { generation: 1 }, events: total })
    const least = Math.min(...told.slice(lostAt))
    console.info(`${shape}: lost at ${told[lostAt - 1]} of ${total} events, went on from ${least}`)
    expect(least).toBeGreaterThan(RANGE_EVENTS)
    await rowsAreOf("shaken", shape, total)
  })
})

/** How long the server cannot be reached, in ms. */
const AWAY_MS = 3_000

const proxied = async () => {
  const proxy = await startProxy(db.url)
  return { proxy, one: await start({ url: proxy.url }) }
}

describe("a rebuild whose server", () => {
  it("cannot be reached for seconds goes on where it was once it is back", async () => {
    const total = RANGE_EVENTS * 4
    await written(total)
    const { proxy, one } = await proxied()
    const told: Array<number> = []
    let away: Promise<void> | undefined
    let lostAt = 0
    const goAway = async (): Promise<void> => {
      proxy.refuse()
      proxy.cut()
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS))
      await proxy.heal()
    }
    const report = await one.rebuild(twiceShows("parted"), {
      onProgress: ({ events }) => {
        told.push(events)
        if (events <= RANGE_EVENTS || away !== undefined) return
        lostAt = told.length
        away = goAway()
      }
    })
    await away
    expect(report).toMatchObject({ events: total })
    expect(report.seconds).toBeGreaterThan(AWAY_MS / 1000)
    expect(Math.min(...told.slice(lostAt))).toBeGreaterThan(RANGE_EVENTS)
    await rowsAreOf("parted", "rows", total)
    await one.close()
    await proxy.close()
  })

  it("does not answer a COMMIT, of a stretch or of the swap, has done it once all the same", async () => {
    const total = RANGE_EVENTS * 2
    await written(total)
    const { proxy, one } = await proxied()
    const definition = twiceShows("unanswered")
    const lost: Array<Promise<void>> = []
    const report = await one.rebuild(definition, {
      onProgress: ({ phase }) => {
        if (phase === (["fill", "swap"] as const)[lost.length])
          lost.push(proxy.loseReply(/(?<!_)commit\0/, "cut"))
      }
    })
    expect(lost).toHaveLength(2)
    await Promise.all(lost)
    expect(report).toMatchObject({ to: { generation: 1 }, events: total })
    await rowsAreOf("unanswered", "rows", total)
    expect(await generationsOf(db, "unanswered")).toEqual([{ generation: 1, state: "live" }])
    await one.close()
    await proxy.close()
  })
})

/** How long the server would go on with a statement whose client is gone, in s: longer than a rebuild waits for it. */
const GOES_ON_S = 120

describe("a rebuild whose connection breaks while the server is at a long statement", () => {
  it("goes on soon: the server does not finish for nobody", async () => {
    const { proxy, one } = await proxied()
    await db.query("create sequence public.tries")
    await db.query(
      `create function public.slow(total integer) returns integer immutable language plpgsql as $$
       begin
         if nextval('public.tries') = 1 then perform pg_sleep(${GOES_ON_S}); end if;
         return total;
       end $$`
    )
    const text = `create table :"long" (id text primary key, total integer not null, events integer not null);
      create index on :"long" (public.slow(total))`
    await one.emit("long-1", Counted.make({ by: 1 }))
    const rebuilding = one.rebuild({ ...counters({ name: "long" }), tables: { text } })
    const isAtIt = "select from pg_stat_activity where wait_event = 'PgSleep' and query like 'CREATE INDEX%'"
    await until(async () => (await db.query(isAtIt)).length > 0)
    proxy.cut()
    expect(await rebuilding).toMatchObject({ to: { generation: 1 }, events: 1 })
    await rowsAreOf("long", "entities", 1)
    await one.close()
    await proxy.close()
  })
})
