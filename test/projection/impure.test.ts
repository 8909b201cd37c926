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
})
