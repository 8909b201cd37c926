import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Fleet } from "../../../src/fleet/fleet.ts"
import { Feed } from "../../../src/log/feed.ts"
import { Postgres } from "../../../src/postgres/postgres.ts"
import { blueprint } from "../../../src/projection/blueprint.ts"
import { begin } from "../../../src/projection/rebuild/begin.ts"
import type { RebuildParts } from "../../../src/projection/rebuild/build.ts"
import { dropBeyond } from "../../../src/projection/rebuild/keep.ts"
import { foldEvents } from "../../../src/projection/rebuild/filler.ts"
import { Generations } from "../../../src/projection/rebuild/generations.ts"
import { Pace } from "../../../src/projection/rebuild/pace.ts"
import { RANGE_EVENTS } from "../../../src/projection/rebuild/rows-filler.ts"
import { Registry } from "../../../src/projection/registry.ts"
import { until } from "../../support/eventually.ts"
import { Counted, entries, type Process, reasonOf, scene } from "../scene.ts"
import { rowsOf, tablesOf } from "./looks.ts"

const { db, start } = scene()

const partsOf = async (one: Process): Promise<RebuildParts> => {
  const { postgres, feed, fleet } = await one.run(
    Effect.all({ postgres: Postgres, feed: Feed, fleet: Fleet })
  )
  const registry = new Registry(postgres)
  return { postgres, feed, fleet, registry, generations: new Generations(postgres), active: new Set() }
}

describe("a try that was given up", () => {
  it("writes nothing into the tables of the next one, which have the same names", async () => {
    const one = await start()
    const parts = await partsOf(one)
    const begun = async () =>
      (
        await one.run(
          Effect.flatMap(blueprint(entries({ name: "tried" })), (plan) =>
            begin(parts, plan, false, new Pace("tried", () => undefined))
          )
        )
      ).build
    const first = await begun()
    // As a process that was held up for longer than its lease finds it.
    parts.active.clear()
    const second = await begun()
    expect([first.number, second.number]).toEqual([1, 1])
    const event = {
      position: 7,
      id: "0",
      stream: "tried-1",
      version: 1,
      type: "Counted",
      data: { by: 1 },
      labels: [],
      meta: {},
      recordedAt: new Date(),
      schemaVersion: 1
    }
    const late = await one.run(Effect.flip(foldEvents(first, { from: 0, to: 7 }, [event])))
    expect(late._tag).toBe("Overtaken")
    expect(await db.query("select * from tidemark.tried__1")).toEqual([])
    await one.run(first.abandon)
    expect(await tablesOf(db, "tried")).toEqual(["tried__1"])
    await one.run(second.abandon)
    expect(await tablesOf(db, "tried")).toEqual([])
  })
})

describe("what is folded live while a swap waits", () => {
  it("is in the new tables as well", async () => {
    const definition = entries({ name: "ahead" })
    const one = await start()
    await one.project(definition)
    await one.reaches("ahead", await one.emit("ahead-1", Counted.make({ by: 1 })))
    const session = await db.session()
    let held: Promise<unknown> | undefined
    let going: Promise<unknown> | undefined
    const hold = async () => {
      await session.query("begin")
      await session.query(
        "select pg_advisory_xact_lock(hashtext('tidemark projections'), hashtext('tidemark'))"
      )
    }
    const goOn = async () => {
      await held
      await one.reaches("ahead", await one.emit("ahead-1", Counted.make({ by: 2 }), Counted.make({ by: 3 })))
      await session.query("rollback")
    }
    await one.rebuild(definition, {
      onProgress: ({ phase }) => {
        if (phase === "index") held ??= hold()
        if (phase === "swap") going ??= goOn()
      }
    })
    await going
    expect((await rowsOf(db, "ahead__2")).map((row) => row["by"])).toEqual([1, 2, 3])
  })
})

describe("a poison event behind what one statement folds", () => {
  it("is named, where the statements before and after it were done already", async () => {
    const total = RANGE_EVENTS * 3
    const poisoned = RANGE_EVENTS + 17
    await db.query(
      `with heads as (insert into tidemark.streams values ('bulk-1', $1, false))
       insert into tidemark.events (id, stream, version, type, data)
       select gen_random_uuid(), 'bulk-1', n, 'Counted', jsonb_build_object('by', case n when $2::integer then 'poison' else '1' end)
       from generate_series(1, $1::integer) n`,
      [total, poisoned]
    )
    const one = await start()
    const reason = await reasonOf(one.rebuild(entries({ name: "deep" })))
    expect(reason).toMatchObject({ _tag: "RebuildFailed", position: poisoned })
  })
})

describe("beside a session that makes or swaps tables,", () => {
  const LOCK = "select pg_advisory_xact_lock(hashtext('tidemark projections'), hashtext('tidemark'))"

  it("a rebuild waits for seconds at most, and then says so", async () => {
    const one = await start()
    const parts = await partsOf(one)
    const session = await db.session()
    await session.query("begin")
    await session.query(LOCK)
    const plan = await one.run(blueprint(entries({ name: "waits" })))
    const failure = await one.run(Effect.flip(begin(parts, plan, false, new Pace("waits", () => undefined))))
    expect(failure._tag === "PostgresError" && failure.reason._tag).toBe("LockTimeout")
    expect(await tablesOf(db, "waits")).toEqual([])
  })

  it("a generation that was kept and has become live meanwhile is not dropped", async () => {
    const one = await start()
    const parts = await partsOf(one)
    const definition = entries({ name: "back" })
    await one.project(definition)
    await one.reaches("back", await one.emit("back-1", Counted.make({ by: 1 })))
    await db.query(
      `insert into tidemark.generations (projection, generation, version, definition_hash, relations, state)
       select projection, 2, version, definition_hash, relations, 'live' from tidemark.generations`
    )
    await db.query("update tidemark.generations set state = 'kept' where generation = 1")
    const session = await db.session()
    await session.query("begin")
    await session.query(LOCK)
    const dropping = one.run(dropBeyond(parts, "back", 0))
    await until(
      async () =>
        (await db.query("select from pg_locks where locktype = 'advisory' and not granted")).length > 0
    )
    await session.query(
      "update tidemark.generations set state = case generation when 1 then 'live' else 'kept' end"
    )
    await session.query("drop view tidemark.back")
    await session.query("commit")
    expect(await dropping).toEqual([])
    expect(await tablesOf(db, "back")).toEqual(["back__1"])
  })
})
