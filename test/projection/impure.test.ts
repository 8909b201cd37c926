import { describe, expect, it } from "vitest"
import { entities } from "../../src/projection/definition.ts"
import { Counted, counters, entries, reasonOf, scene, stops } from "./scene.ts"

const { db, start } = scene()

describe("a fold in code", () => {
  it("stops its projection when it looks at the clock, and status says why", async () => {
    const one = await start()
    await one.project({
      ...counters({ name: "clocked" }),
      model: entities({
        table: "clocked",
        key: "id",
        keyOf: (event) => event.stream,
        fold: (_, event) => ({ id: event.stream, total: Math.floor(Date.now() / 1e10), events: 1 })
      })
    })
    const position = await one.emit("clocked-1", Counted.make({ by: 1 }))
    await stops(one, "clocked")
    expect(one.status("clocked").error).toMatchObject({ position, type: "Counted" })
    expect(one.status("clocked").error!.message).toContain("Date.now(), and folds are pure")
    expect(await db.query("select from tidemark.clocked")).toEqual([])
  })
})

describe("a fold in SQL", () => {
  const into = (name: string, value: string) =>
    `insert into :"${name}" (position, stream, by) select event.position, event.stream, ${value} from :batch event`

  it.each([
    ["now()", "extract(epoch from now())"],
    ["clock_timestamp()", "extract(epoch from clock_timestamp())"],
    ["current_timestamp", "extract(epoch from current_timestamp)"],
    ["random()", "random() * 10"],
    ["gen_random_uuid()", "length(gen_random_uuid()::text)"],
    ["nextval()", "nextval('tidemark.log_position')"],
    ["the text 'now'", "extract(epoch from 'now'::timestamptz)"],
    ["NOW() in capitals", "extract(epoch from NOW())"]
  ])("is refused at registration where it uses %s", async (_, value) => {
    const one = await start()
    const name = "impure"
    const reason = await reasonOf(one.project(entries({ name, fold: into(name, value) })))
    expect(reason).toMatchObject({ _tag: "InvalidDefinition", projection: name })
    expect(reason.message).toContain("folds are pure")
    expect(await db.query("select from tidemark.projections where name = $1", [name])).toEqual([])
  })

  it("is refused where it reads a table that is not its own, also through a view", async () => {
    const one = await start()
    await one.project(entries({ name: "neighbour" }))
    for (const relation of ["tidemark.neighbour", "tidemark.events", "pg_class"]) {
      const name = "nosy"
      const fold = into(name, `(select count(*) from ${relation})::integer`)
      const reason = await reasonOf(one.project(entries({ name, fold })))
      expect(reason).toMatchObject({ _tag: "InvalidDefinition" })
      expect(reason.message).toContain("its own tables")
    }
    expect(
      await db.query("select to_regclass('tidemark.nosy') as view, to_regclass('tidemark.nosy__1') as made")
    ).toEqual([{ view: null, made: null }])
  })

  const functions = [
    ["whose author says nothing of it", "language sql as 'select 1'"],
    [
      "that reads a clock",
      "volatile language plpgsql as 'begin return extract(epoch from clock_timestamp()); end'"
    ],
    [
      "that reads another table",
      "stable language plpgsql as 'begin return (select count(*) from tidemark.events); end'"
    ]
  ] as const

  it.each(functions)("is refused where it calls a function %s", async (_, body) => {
    const one = await start()
    await db.query(`create function public.looks() returns integer ${body}`)
    const reason = await reasonOf(
      one.project(entries({ name: "caller", fold: into("caller", "public.looks()") }))
    )
    expect(reason).toMatchObject({ _tag: "InvalidDefinition", projection: "caller" })
    expect(reason.message).toContain("calls looks(), and a fold may call what is immutable only")
    expect(await db.query("select to_regclass('tidemark.caller__1') as made")).toEqual([{ made: null }])
  })

  it("is refused where it does so through an operator of somebody's", async () => {
    const one = await start()
    await db.query(`create function public.plus_now(integer, integer) returns integer language sql
      as 'select $1 + extract(epoch from now())::integer'`)
    await db.query(
      "create operator public.+# (function = public.plus_now, leftarg = integer, rightarg = integer)"
    )
    const fold = into("operated", "1 operator(public.+#) 2")
    const reason = await reasonOf(one.project(entries({ name: "operated", fold })))
    expect(reason.message).toContain("calls plus_now(integer,integer)")
  })

  it("may call what is immutable, what is PostgreSQL's own and stable, and the log's own, and leaves no trace of the check", async () => {
    const one = await start()
    await db.query(
      "create function public.twice(integer) returns integer immutable language sql as 'select 2 * $1'"
    )
    const value = `public.twice((event.data ->> 'by')::integer)
      + coalesce(length(to_char(:"schema".occurred_at(event.data), 'YYYY')), 0)`
    await one.project(entries({ name: "calling", fold: `${into("calling", value)}; -- the end` }))
    await one.reaches("calling", await one.emit("calling-1", Counted.make({ by: 3 })))
    expect(await db.query("select by from tidemark.calling")).toEqual([{ by: 6 }])
    expect(await db.query("select from pg_proc where proname like 'calling%'")).toEqual([])
  })
})
