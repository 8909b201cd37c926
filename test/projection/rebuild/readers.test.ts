import { Client } from "pg"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { ProjectionDefinition } from "../../../src/projection/definition.ts"
import { ViewsInTheWay } from "../../../src/projection/rebuild/error.ts"
import { connected, quoted } from "../../support/admin.ts"
import { currentRun } from "../../support/run.ts"
import { until } from "../../support/eventually.ts"
import { Counted, counters, entries, reasonOf, scene } from "../scene.ts"
import { generationsOf, rowsOf, tablesOf } from "./looks.ts"

const { db, start } = scene()

const reader = `rebuild_reader_${process.pid}`
const keeper = `rebuild_keeper_${process.pid}`

beforeAll(() =>
  connected(currentRun().url, async (client) => {
    await client.query(`create role ${quoted(reader)}`)
    await client.query(`create role ${quoted(keeper)}`)
  })
)
afterAll(() =>
  connected(currentRun().url, async (client) => {
    await client.query(`drop role ${quoted(reader)}`)
    await client.query(`drop role ${quoted(keeper)}`)
  })
)
afterEach(() => forgetRoles())

const as = async (role: string, sql: string) => {
  const session = await db.session()
  await session.query(`set role ${quoted(role)}`)
  try {
    return (await session.query<Record<string, unknown>>(sql)).rows
  } finally {
    await session.query("reset role")
  }
}

/** Roles outlive their database only where nothing in it is theirs. */
const forgetRoles = async () => {
  for (const role of [reader, keeper]) await db.query(`drop owned by ${quoted(role)} cascade`)
}

const projected = async (definition: ProjectionDefinition) => {
  const one = await start()
  await one.project(definition)
  await one.reaches(
    definition.name,
    await one.emit("seen-1", Counted.make({ by: 1 }), Counted.make({ by: 2 }))
  )
  await one.reaches(definition.name, await one.emit("hidden-1", Counted.make({ by: 3 })))
  return one
}

/** The same relation with another column, at the end or in front. */
const changed = (name: string, where: "end" | "front"): ProjectionDefinition => {
  const columns = ["position bigint primary key", "stream text not null", "by integer not null"]
  const more = where === "end" ? [...columns, "twice integer"] : ["twice integer", ...columns]
  return {
    ...entries({
      name,
      version: 2,
      fold: `insert into :"${name}" (position, stream, by, twice)
        select event.position, event.stream, (event.data ->> 'by')::integer, 2 * (event.data ->> 'by')::integer from :batch event`
    }),
    tables: { text: `create table :"${name}" (${more.join(", ")})` }
  }
}

describe("what hangs on a read model's view", () => {
  it("reads the new tables after a rebuild: views on it, their views, and prepared statements", async () => {
    const definition = entries({ name: "hung" })
    const one = await projected(definition)
    await db.query("create view above as select stream, sum(by) as total from tidemark.hung group by stream")
    await db.query("create view higher as select max(total) as most from above")
    const session = await db.session()
    const prepared = { name: "prepared", text: "select count(*)::integer as count from tidemark.hung" }
    expect((await session.query(prepared)).rows).toEqual([{ count: 3 }])
    await one.rebuild(definition, { keep: 0 })
    expect(await tablesOf(db, "hung")).toEqual(["hung__2"])
    await one.reaches("hung", await one.emit("seen-1", Counted.make({ by: 5 })))
    expect((await session.query(prepared)).rows).toEqual([{ count: 4 }])
    expect(await db.query("select most::integer from higher")).toEqual([{ most: 8 }])
  })

  it("reads the kept tables again after a rollback, and what is folded into them from there on", async () => {
    const definition = entries({ name: "hung_back" })
    const one = await projected(definition)
    await db.query(
      "create view above as select stream, sum(by) as total from tidemark.hung_back group by stream"
    )
    await db.query("create view higher as select max(total) as most from above")
    const session = await db.session()
    const all = { name: "all", text: "select * from tidemark.hung_back order by position" }
    const through = { name: "through", text: "select most::integer from higher" }
    const read = async () => {
      const { rows } = await session.query<{ by: number }>(all)
      return [rows.map(({ by }) => by), (await session.query<{ most: number }>(through)).rows[0]!.most]
    }
    expect(await read()).toEqual([[1, 2, 3], 3])
    await one.rebuild(definition)
    await one.reaches("hung_back", await one.emit("seen-1", Counted.make({ by: 5 })))
    expect(await read()).toEqual([[1, 2, 3, 5], 8])
    await db.query("delete from tidemark.hung_back__1 where by = 2")
    await one.rollback("hung_back")
    await one.reaches("hung_back", await one.emit("seen-1", Counted.make({ by: 7 })))
    await until(async () => (await rowsOf(db, "hung_back")).length === 4)
    expect(await read()).toEqual([[1, 3, 5, 7], 13])
    await one.rollback("hung_back")
    await until(async () => (await rowsOf(db, "hung_back")).length === 5)
    expect(await read()).toEqual([[1, 2, 3, 5, 7], 15])
  })

  it("stays where columns are added at the end", async () => {
    const one = await projected(entries({ name: "longer" }))
    await db.query("create view above as select stream, by from tidemark.longer")
    await one.rebuild(changed("longer", "end"))
    expect(await db.query("select count(*)::integer from above")).toEqual([{ count: 3 }])
    expect(await db.query("select sum(twice)::integer as sum from tidemark.longer")).toEqual([{ sum: 12 }])
  })

  it("stands in the way where the view has to be made anew, is named, and nothing was done", async () => {
    const one = await projected(entries({ name: "stood" }))
    await db.query("create view above as select stream, by from tidemark.stood")
    const reason = await reasonOf(one.rebuild(changed("stood", "front")))
    expect(reason).toBeInstanceOf(ViewsInTheWay)
    expect(reason).toMatchObject({ relation: "stood", dependents: ["above"] })
    expect(await tablesOf(db, "stood")).toEqual(["stood__1"])
    await db.query("drop view above")
    await one.rebuild(changed("stood", "front"))
    expect(await db.query("select sum(twice)::integer as sum from tidemark.stood")).toEqual([{ sum: 12 }])
  })

  it("stands in the way also where it was made while the rebuild went on", async () => {
    const one = await projected(entries({ name: "late" }))
    // Nobody sees it before the rebuild has begun, and nothing takes the place of what it stands on before that.
    const session = await db.session()
    await session.query("begin; create view above as select stream, by from tidemark.late")
    let made: Promise<unknown> | undefined
    const rebuilding = one.rebuild(changed("late", "front"), {
      onProgress: () => (made ??= session.query("commit"))
    })
    const reason = await reasonOf(rebuilding.finally(() => made))
    expect(reason).toBeInstanceOf(ViewsInTheWay)
    expect(reason.message).toContain("above")
    expect(await generationsOf(db, "late")).toEqual([{ generation: 1, state: "live" }])
    expect(await db.query("select count(*)::integer from above")).toEqual([{ count: 3 }])
  })
})

describe("what was granted on a read model", () => {
  it.each(["end", "front"] as const)(
    "stays: rights, owner, comment, options, with a column more at the %s",
    async (where) => {
      const one = await projected(entries({ name: "granted" }))
      await db.query(`grant usage on schema tidemark to ${quoted(reader)}, ${quoted(keeper)}`)
      await db.query(`grant create on schema tidemark to ${quoted(keeper)}`)
      await db.query(`grant select on tidemark.granted to ${quoted(reader)} with grant option`)
      await db.query(`grant select (stream) on tidemark.granted to public`)
      await db.query("comment on view tidemark.granted is 'everybody''s'")
      await db.query("comment on column tidemark.granted.stream is 'where from'")
      await db.query("alter view tidemark.granted set (security_barrier = true)")
      await db.query(`alter table tidemark.granted__1 owner to ${quoted(keeper)}`)
      await db.query(`alter view tidemark.granted owner to ${quoted(keeper)}`)
      const dress = async () =>
        db.query(
          `select relacl::text as rights, relowner::regrole::text as owner, reloptions as options, obj_description(oid, 'pg_class') as comment,
           col_description(oid, (select attnum from pg_attribute where attrelid = oid and attname = 'stream')) as column_comment,
           (select attacl::text from pg_attribute where attrelid = oid and attname = 'stream') as column_rights
         from pg_class where oid = 'tidemark.granted'::regclass`
        )
      const before = await dress()
      expect(before).toMatchObject([
        { owner: keeper, comment: "everybody's", options: ["security_barrier=true"] }
      ])
      await one.rebuild(changed("granted", where))
      expect(await dress()).toEqual(before)
      expect(await as(reader, "select count(*)::integer from tidemark.granted")).toEqual([{ count: 3 }])
      await one.rollback("granted")
      expect(await dress()).toEqual(before)
      expect(await as(reader, "select count(*)::integer from tidemark.granted")).toEqual([{ count: 3 }])
      await forgetRoles()
    }
  )

  it("stays where it was granted for all that is to come", async () => {
    const one = await start()
    await db.query(`grant usage on schema tidemark to ${quoted(reader)}`)
    await db.query(`alter default privileges in schema tidemark grant select on tables to ${quoted(reader)}`)
    const definition = counters({ name: "default_right" })
    await one.project(definition)
    await one.reaches("default_right", await one.emit("a-1", Counted.make({ by: 1 })))
    await one.rebuild(definition)
    for (const relation of ["default_right", "default_right__2"])
      expect(await as(reader, `select count(*)::integer from tidemark.${relation}`)).toEqual([{ count: 1 }])
  })

  it("stays where rows are secured: policies of the tables go on for those whose rights count", async () => {
    const definition = entries({ name: "secured" })
    const one = await projected(definition)
    await db.query(`grant usage on schema tidemark to ${quoted(reader)}`)
    await db.query(`grant select on tidemark.secured, tidemark.secured__1 to ${quoted(reader)}`)
    await db.query("alter view tidemark.secured set (security_invoker = true)")
    await db.query("alter table tidemark.secured__1 enable row level security")
    await db.query(
      `create policy seen on tidemark.secured__1 for select to ${quoted(reader)} using (stream like 'seen-%')`
    )
    const seen = () => as(reader, "select distinct stream from tidemark.secured")
    expect(await seen()).toEqual([{ stream: "seen-1" }])
    await one.rebuild(definition)
    expect(await seen()).toEqual([{ stream: "seen-1" }])
    await one.rollback("secured")
    expect(await seen()).toEqual([{ stream: "seen-1" }])
  })
})

/** Longer than this, no query may wait for a swap, in ms. */
const LONGEST_WAIT_MS = 250

const READERS = 4

const ROUNDS = 4

/** How many events are there to be folded again each time. */
const EVENTS = 30_000

/** Written as the engine's append would have: the settled tail sees no difference. */
const filledWith = (events: number) =>
  db.query(
    `with heads as (insert into tidemark.streams values ('bulk-1', $1, false))
     insert into tidemark.events (id, stream, version, type, data)
     select gen_random_uuid(), 'bulk-1', n, 'Counted', '{"by": 1}' from generate_series(1, $1::integer) n`,
    [events]
  )

interface Wait {
  readonly tookMs: number
  readonly events: number
}

const longestOf = (waits: ReadonlyArray<Wait>): number => Math.max(...waits.map(({ tookMs }) => tookMs))

/**
 * Reads a relation again and again, and notes how long each query took and what it saw, which must never be less than before.
 * What nobody rebuilds tells how long the machine itself has a query wait.
 */
const reads = async (relation: string, isOver: () => boolean, waits: Array<Wait>): Promise<void> => {
  const client = new Client({ connectionString: db.url, application_name: "busy-reader" })
  await client.connect()
  const query = { name: "sum", text: `select coalesce(sum(events), 0)::integer as events from ${relation}` }
  try {
    for (let least = 0; !isOver();) {
      const began = performance.now()
      const { events } = (await client.query<{ events: number }>(query)).rows[0]!
      waits.push({ tookMs: performance.now() - began, events })
      expect(events).toBeGreaterThanOrEqual(least)
      least = events
    }
  } finally {
    await client.end()
  }
}

describe("readers of a read model", () => {
  it("go on while it is rebuilt again and again under load: no query fails, none waits long", async () => {
    const definition = counters({ name: "busy" })
    const one = await projected(definition)
    await filledWith(EVENTS)
    const rebuilder = await start()
    let isOver = false
    let written = 0
    await db.query("create table apart as select * from tidemark.busy")
    const over = () => isOver
    const waits: Array<Wait> = []
    const waitsApart: Array<Wait> = []
    const write = async (): Promise<number> => {
      let last = 0
      for (; !isOver; written++) last = await one.emit(`busy-${written % 50}`, Counted.make({ by: 1 }))
      return last
    }
    const reading = Array.from({ length: READERS }, () => reads("tidemark.busy", over, waits))
    reading.push(reads("apart", over, waitsApart))
    const writing = write()
    for (let round = 0; round < ROUNDS; round++) {
      const before = { queries: waits.length, written }
      const phases = new Set<string>()
      await rebuilder.rebuild(definition, {
        keep: 0,
        verify: round % 2 === 0,
        onProgress: ({ phase }) => phases.add(phase)
      })
      // Meanwhile there was something to fill, and readers, writers and whoever folds went on.
      expect(phases).toContain("swap")
      const seen = waits.slice(before.queries)
      expect(seen.length).toBeGreaterThan(20)
      expect(written).toBeGreaterThan(before.written + 5)
      expect(seen.at(-1)!.events).toBeGreaterThan(seen[0]!.events)
    }
    isOver = true
    await Promise.all(reading)
    await one.reaches("busy", await writing)
    const [longest, longestApart] = [longestOf(waits), longestOf(waitsApart)]
    console.info(
      `${waits.length} queries and ${written} appends during ${ROUNDS} rebuilds; the longest query took ${longest.toFixed(1)} ms, apart from it ${longestApart.toFixed(1)} ms`
    )
    const [log] = await db.query(
      "select count(*)::integer as events from tidemark.log_events where type = 'Counted'"
    )
    expect(await db.query("select sum(events)::integer as events from tidemark.busy")).toEqual([log])
    expect(longest).toBeLessThan(LONGEST_WAIT_MS + longestApart)
  })

  it("hold up a swap as long as they look, and nobody else meanwhile", async () => {
    const definition = counters({ name: "looked_at" })
    const one = await projected(definition)
    const session = await db.session()
    await session.query("begin")
    await session.query("select from tidemark.looked_at")
    let tries = 0
    const rebuilding = one.rebuild(definition, {
      onProgress: ({ phase }) => {
        if (phase === "swap") tries += 1
      }
    })
    await until(() => tries >= 3)
    const began = performance.now()
    await rowsOf(db, "looked_at")
    expect(performance.now() - began).toBeLessThan(LONGEST_WAIT_MS)
    await one.reaches("looked_at", await one.emit("seen-1", Counted.make({ by: 1 })))
    expect(await generationsOf(db, "looked_at")).toMatchObject([{ state: "live" }, { state: "building" }])
    await session.query("commit")
    expect(await rebuilding).toMatchObject({ to: { generation: 2 } })
    expect(await db.query("select sum(events)::integer as events from tidemark.looked_at")).toEqual([
      { events: 4 }
    ])
  })
})
