import { Effect, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import { open } from "../../../src/index.ts"
import { Rebuilds } from "../../../src/projection/rebuild/rebuilds.ts"
import { RebuildFailed, RebuildLost, RebuildUnderWay } from "../../../src/projection/rebuild/error.ts"
import { LockTimeout, PostgresError } from "../../../src/postgres/error.ts"
import { deferred, until } from "../../support/eventually.ts"
import { Counted, counters, entries, type Process, reasonOf, scene, stops } from "../scene.ts"
import { generationsOf, rowsOf, tablesOf, untouched } from "./looks.ts"

const { db, start } = scene()

const POISON = "poison"

const refuse = (by: unknown): number => {
  if (by === POISON) throw new Error("cannot count poison")
  return by === POISON ? 0 : Number(by)
}

const counts = (poisonAt: number, total: number) =>
  Array.from({ length: total }, (_, at) => Counted.make({ by: at === poisonAt ? POISON : 1 }))

const positionOf = async (version: number, stream: string): Promise<number> => {
  const [row] = await db.query<{ position: number }>(
    "select position::integer from tidemark.events where stream = $1 and version = $2",
    [stream, version]
  )
  return row!.position
}

const failureOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => undefined,
    (thrown: unknown) => thrown
  )

/** A rebuild that stands still, from when it has begun until it is told to go on. */
const standing = async (one: Process, definition: Parameters<Process["rebuild"]>[0]) => {
  const session = await db.session()
  await session.query("begin")
  await session.query(`select from tidemark.${definition.name}`)
  const swapping = deferred<void>()
  const rebuilding = one.rebuild(definition, {
    onProgress: ({ phase }) => {
      if (phase === "swap") swapping.resolve()
    }
  })
  await Promise.race([swapping.promise, rebuilding])
  return { rebuilding, goOn: () => session.query("commit") }
}

describe("a fold that fails during a rebuild", () => {
  it.each([
    ["entities", (name: string) => counters({ name, count: refuse }), "cannot count poison"],
    ["rows", (name: string) => entries({ name }), "integer"],
    [
      "rows in order",
      (name: string) =>
        entries({
          name,
          fold: `insert into :"${name}" (position, stream, by)
            select event.position, event.stream, (event.data ->> 'by')::integer from :batch event on conflict do nothing`
        }),
      "integer"
    ]
  ])("of %s names the event, and leaves the live tables as they were", async (_, make, said) => {
    const one = await start()
    const definition = make("poisoned")
    await one.project(definition)
    await one.reaches("poisoned", await one.emit("poisoned-1", ...counts(-1, 500)))
    await one.emit("poisoned-1", ...counts(113, 500))
    await one.emit("poisoned-1", ...counts(7, 500))
    await stops(one, "poisoned")
    const before = await rowsOf(db, "poisoned")
    const reason = await reasonOf(one.rebuild(definition))
    expect(reason).toBeInstanceOf(RebuildFailed)
    expect(reason).toMatchObject({ type: "Counted", position: await positionOf(614, "poisoned-1") })
    expect(reason.message).toContain(said)
    expect(await rowsOf(db, "poisoned")).toEqual(before)
    await untouched(db, "poisoned")
  })

  it("names the event whose row the table does not take", async () => {
    const one = await start()
    const name = "bounded"
    const text = `create table :"${name}" (id text primary key, total integer not null check (total < 400), events integer not null)`
    await one.emit("bounded-1", ...counts(-1, 1000))
    const reason = await reasonOf(one.rebuild({ ...counters({ name }), tables: { text } }))
    expect(reason).toMatchObject({ _tag: "RebuildFailed", position: await positionOf(400, "bounded-1") })
  })
})

describe("rows that are unique", () => {
  it("are found not to be, at the event that says so, also where many are added at once", async () => {
    const one = await start()
    const name = "unique_rows"
    const text = `create table :"${name}" (position bigint primary key, stream text not null, by integer not null, unique (stream, by))`
    await one.emit("unique-1", ...Array.from({ length: 900 }, (_, by) => Counted.make({ by })))
    await one.emit("unique-1", Counted.make({ by: 17 }), Counted.make({ by: 3 }))
    const reason = await reasonOf(one.rebuild({ ...entries({ name }), tables: { text } }))
    expect(reason).toMatchObject({ _tag: "RebuildFailed", position: await positionOf(901, "unique-1") })
    expect(await tablesOf(db, name)).toEqual([])
  })
})

describe("a rebuild mends", () => {
  it("a projection that stopped at an event, once its fold can take that", async () => {
    const one = await start()
    await one.project(counters({ name: "mended", count: refuse }))
    await one.emit("mended-1", ...counts(3, 10))
    await stops(one, "mended")
    await one.close()
    const two = await start()
    const mended = counters({ name: "mended", count: (by) => (by === POISON ? 0 : Number(by)) })
    const report = await two.rebuild(mended, { verify: true })
    expect(report.verified).toMatchObject({ tables: [{ different: 0, onlyLive: 0 }] })
    await two.project(mended)
    await two.reaches("mended", await two.emit("mended-1", Counted.make({ by: 1 })))
    expect(await db.query("select total, events from tidemark.mended")).toEqual([{ total: 10, events: 11 }])
  })

  it("in the process that stopped as well, without opening it again", async () => {
    const one = await start()
    let isMended = false
    const definition = counters({ name: "woken", count: (by) => (isMended ? 1 : refuse(by)) })
    await one.project(definition)
    await one.emit("woken-1", ...counts(3, 10))
    await stops(one, "woken")
    isMended = true
    await one.rebuild(definition)
    one.projections.look("woken")
    await one.reaches("woken", await one.emit("woken-1", Counted.make({ by: 1 }))).catch(() => undefined)
    await until(() => one.status("woken").state !== "stopped", { within: 10_000 })
    await one.reaches("woken", await one.emit("woken-1", Counted.make({ by: 1 })))
    expect(await db.query("select events from tidemark.woken")).toEqual([{ events: 12 }])
  })

  it("one whose position lies beyond the end of a log that was restored", async () => {
    const one = await start()
    const definition = entries({ name: "beyond" })
    await one.project(definition)
    await one.reaches("beyond", await one.emit("beyond-1", ...counts(-1, 20)))
    await one.close()
    await db.query("update tidemark.projections set position = position + 1000000 where name = 'beyond'")
    const two = await start()
    await two.project(definition)
    await stops(two, "beyond")
    const report = await two.rebuild(definition, { verify: true })
    expect(report).toMatchObject({ to: { generation: 2 }, verified: undefined })
    two.projections.look("beyond")
    await until(() => two.status("beyond").state !== "stopped", { within: 10_000 })
    await two.reaches("beyond", await two.emit("beyond-1", Counted.make({ by: 1 })))
    expect(await rowsOf(db, "beyond")).toHaveLength(21)
  })

  it("one whose tables somebody dropped", async () => {
    const one = await start()
    const definition = entries({ name: "gone" })
    await one.project(definition)
    await one.reaches("gone", await one.emit("gone-1", ...counts(-1, 20)))
    await one.close()
    await db.query("drop table tidemark.gone__1 cascade")
    const two = await start()
    await two.rebuild(definition)
    expect(await rowsOf(db, "gone")).toHaveLength(20)
  })
})

describe("a rebuild that is under way", () => {
  it("keeps a second one away, of the same process or another, and names the first", async () => {
    const definition = counters({ name: "twice" })
    const [one, two] = await Promise.all([start({ name: "the-first" }), start()])
    await one.project(definition)
    await one.reaches("twice", await one.emit("twice-1", ...counts(-1, 20)))
    const { rebuilding, goOn } = await standing(one, definition)
    for (const process of [one, two]) {
      const reason = await reasonOf(process.rebuild(definition))
      expect(reason).toBeInstanceOf(RebuildUnderWay)
      expect(reason).toMatchObject({ application: "the-first", pid: globalThis.process.pid })
    }
    await goOn()
    expect(await rebuilding).toMatchObject({ to: { generation: 2 } })
    expect(await two.rebuild(definition)).toMatchObject({ to: { generation: 3 } })
  })

  it("is begun once where two begin it in the same moment", async () => {
    const definition = counters({ name: "raced" })
    const one = await start()
    await one.emit("raced-1", ...counts(-1, 20))
    const outcomes = await Promise.allSettled([one.rebuild(definition), one.rebuild(definition)])
    const failed = outcomes.filter(({ status }) => status === "rejected")
    // Where the first was through before the second began, both did it, one after the other.
    expect(failed.length).toBeLessThanOrEqual(1)
    expect(await db.query("select events from tidemark.raced")).toEqual([{ events: 20 }])
  })

  it("is given up when it is interrupted, and when its engine closes: nothing of it stays", async () => {
    const definition = counters({ name: "given_up" })
    const one = await start()
    await one.project(definition)
    await one.reaches("given_up", await one.emit("given-1", ...counts(-1, 20)))
    const session = await db.session()
    await session.query("begin")
    await session.query("select from tidemark.given_up")
    const fiber = await one.run(
      Effect.flatMap(Rebuilds, (rebuilds) => Effect.forkDetach(rebuilds.rebuild(definition)))
    )
    await until(async () => (await tablesOf(db, "given_up")).length === 2)
    await one.run(Fiber.interrupt(fiber))
    await untouched(db, "given_up")
    const engine = await open({ database: db.url, readModels: "follow", logger: false })
    const giving = new AbortController()
    const given = failureOf(engine.rebuild(definition, { signal: giving.signal }))
    await until(async () => (await tablesOf(db, "given_up")).length === 2)
    giving.abort(new Error("enough"))
    expect(await given).toMatchObject({ message: "enough" })
    await untouched(db, "given_up")
    const closing = failureOf(engine.rebuild(definition))
    await until(async () => (await tablesOf(db, "given_up")).length === 2)
    await engine.close()
    expect(await closing).toBeInstanceOf(RebuildLost)
    await untouched(db, "given_up")
  })

  it("gives up where readers hold the views for longer than it may take", async () => {
    const definition = counters({ name: "held" })
    const one = await start()
    await one.project(definition)
    const session = await db.session()
    await session.query("begin")
    await session.query("select from tidemark.held")
    const failure = await failureOf(one.rebuild(definition, { swapPatienceMs: 500 }))
    expect(failure).toBeInstanceOf(PostgresError)
    expect((failure as PostgresError).reason).toBeInstanceOf(LockTimeout)
    await session.query("rollback")
    await untouched(db, "held")
  })

  it("writes nothing any more once another has taken over what it left", async () => {
    const definition = entries({ name: "usurped" })
    const one = await start()
    await one.project(definition)
    await one.reaches("usurped", await one.emit("usurped-1", ...counts(-1, 20)))
    const { rebuilding, goOn } = await standing(one, definition)
    const lost = reasonOf(rebuilding)
    // As if its engine had not been heard of for longer than its lease.
    await db.query("update tidemark.generations set owner = gen_random_uuid() where state = 'building'")
    const two = await start()
    const other = two.rebuild(definition)
    await until(
      async () =>
        (
          await db.query<{ owner: string }>(
            "select 1 from tidemark.generations g join tidemark.engines e on e.engine = g.owner"
          )
        ).length > 0
    )
    await one.emit("usurped-1", ...counts(-1, 20))
    await goOn()
    expect(await lost).toMatchObject({ _tag: "RebuildLost" })
    expect(await other).toMatchObject({ to: { generation: 2 } })
    await until(async () => (await rowsOf(db, "usurped")).length === 40)
    expect(await generationsOf(db, "usurped")).toEqual([
      { generation: 1, state: "kept" },
      { generation: 2, state: "live" }
    ])
  })
})

describe("a log", () => {
  it("that is restored while a projection is rebuilt makes the rebuild give up", async () => {
    const definition = entries({ name: "restored" })
    const one = await start()
    await one.project(definition)
    await one.reaches("restored", await one.emit("restored-1", ...counts(-1, 20)))
    const { rebuilding, goOn } = await standing(one, definition)
    const lost = reasonOf(rebuilding)
    await db.query("update tidemark.log set epoch = epoch + 1")
    expect(await lost).toMatchObject({ _tag: "RebuildLost", detail: expect.stringContaining("restored") })
    await goOn()
    await untouched(db, "restored")
  })

  it("that is restored to before the rebuild began is what the rebuild is told of, not that another took its place", async () => {
    const definition = entries({ name: "forgotten" })
    const one = await start({ name: "forgotten-process" })
    await one.project(definition)
    await one.reaches("forgotten", await one.emit("forgotten-1", ...counts(-1, 20)))
    const { rebuilding, goOn } = await standing(one, definition)
    const lost = reasonOf(rebuilding)
    await db.query("delete from tidemark.generations where state = 'building'")
    await db.query("update tidemark.log set epoch = epoch + 1")
    await db.terminate("forgotten-process")
    await goOn()
    expect(await lost).toMatchObject({ _tag: "RebuildLost", detail: expect.stringContaining("restored") })
  })

  it("whose generations are older than the table of them is rebuilt and rolled back as any other", async () => {
    const one = await start()
    await one.project(counters({ name: "legacy" }))
    await one.reaches("legacy", await one.emit("a-1", ...counts(-1, 5)))
    await one.close()
    await db.query("update tidemark.generations set relations = '{}'")
    const two = await start()
    await two.rebuild(counters({ name: "legacy", version: 2, count: () => 10 }))
    expect(await db.query("select total from tidemark.legacy")).toEqual([{ total: 50 }])
    await two.rollback("legacy")
    expect(await db.query("select total from tidemark.legacy")).toEqual([{ total: 5 }])
    await db.query("update tidemark.generations set relations = '{}'")
    await two.project(counters({ name: "legacy" }))
    expect(await db.query("select relations from tidemark.generations where version = 1")).toEqual([
      { relations: ["legacy"] }
    ])
  })
})
