import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { eventType } from "../../src/log/event-type.ts"
import type { ProjectionDefinition } from "../../src/projection/definition.ts"
import { command } from "../../src/projection/operation.ts"
import { until } from "../support/eventually.ts"
import { Counted, counters, entries, reasonOf, scene } from "./scene.ts"

const { db, start } = scene()

const madeOf = (name: string) =>
  db.query<{ relation: string; kind: string }>(
    `select relname as relation, relkind::text as kind from pg_class
     where relnamespace = 'tidemark'::regnamespace and relname like $1 and relkind in ('r', 'v') order by relname`,
    [`${name}%`]
  )

describe("registering a projection", () => {
  it("makes a physical table of the first generation behind a view of the plain name", async () => {
    const one = await start()
    await one.project(counters({ name: "laid" }))
    expect(await madeOf("laid")).toEqual([
      { relation: "laid", kind: "v" },
      { relation: "laid__1", kind: "r" }
    ])
    // Its cursor says the generation.
    await until(() => one.status("laid").generation > 0)
    expect(one.status("laid")).toMatchObject({
      name: "laid",
      version: 1,
      generation: 1,
      position: 0,
      error: undefined
    })
  })

  it("again, with the same definition, gives the same operations and makes nothing", async () => {
    const one = await start()
    await one.project(counters({ name: "twice" }))
    await one.project(counters({ name: "twice" }))
    expect(one.projections.status()).toHaveLength(1)
    const two = await start()
    await two.project(counters({ name: "twice" }))
  })

  it("changes nothing about tables that are there", async () => {
    const one = await start()
    await one.project(counters({ name: "kept" }))
    const before = await db.query<{ xmin: string }>(
      "select xmin::text from pg_class where relname = 'kept__1'"
    )
    const two = await start()
    await two.project(counters({ name: "kept" }))
    expect(await db.query("select xmin::text from pg_class where relname = 'kept__1'")).toEqual(before)
  })

  it.each([
    ["another version", { version: 2 }, "Rebuild them from the log"],
    [
      "another fold of the same version",
      { fold: `insert into :"changed" select event.position, event.stream, 0 from :batch event` },
      "higher version"
    ]
  ] as const)(
    "with %s than the tables were filled by is DefinitionChanged, here and in another process",
    async (_, change, said) => {
      const one = await start()
      await one.project(entries({ name: "changed" }))
      for (const process of [one, await start()]) {
        const reason = await reasonOf(process.project(entries({ name: "changed", ...change })))
        expect(reason).toMatchObject({ _tag: "DefinitionChanged", projection: "changed", found: 1 })
        expect(reason.message).toContain(said)
      }
    }
  )

  it("stops the process that runs an older definition when the tables change hands", async () => {
    const one = await start()
    await one.project(counters({ name: "handed" }))
    await one.reaches("handed", await one.emit("handed-1", Counted.make({ by: 1 })))
    await db.query(
      "update tidemark.projections set definition_hash = 'newer', version = 2, epoch = epoch + 1 where name = 'handed'"
    )
    const position = await one.emit("handed-1", Counted.make({ by: 1 }))
    expect(await reasonOf(one.reaches("handed", position))).toMatchObject({ _tag: "ProjectionStopped" })
    expect(one.status("handed").error!.message).toContain("version 2")
    expect(await db.query("select events from tidemark.handed")).toEqual([{ events: 1 }])
  })
})

const noop = {
  description: "",
  scope: "",
  input: Schema.Struct({}),
  output: Schema.Void,
  example: {},
  run: () => Effect.void
}

const wrong: ReadonlyArray<readonly [what: string, change: Partial<ProjectionDefinition>, said: string]> = [
  ["a name that SQL could take for something else", { name: 'a"; drop' }, "cannot name a projection"],
  ["no event", { events: [] }, "no type of event"],
  ["no table", { relations: [] }, "no table"],
  ["a version that is none", { version: 0 }, "whole number"],
  ["tables that do not make what is named", { tables: { text: "select 1" } }, ':"faulty"'],
  [
    "SQL that the server does not understand",
    { tables: { text: 'create tabel :"faulty" (id text)' } },
    "syntax error"
  ],
  [
    "a key that is not unique",
    { tables: { text: 'create table :"faulty" (id text, total integer, events integer)' } },
    "ON CONFLICT"
  ],
  [
    "a key that is no column",
    { tables: { text: 'create table :"faulty" (name text primary key)' } },
    '"id" does not exist'
  ],
  [
    "the name of a table of the log",
    {
      name: "events",
      relations: ["events"],
      tables: { text: 'create table :"events" (id text primary key)' },
      model: { ...counters({ name: "events" }).model }
    },
    '"events" already exists'
  ],
  ["a file that is not there", { tables: new URL("file:///nowhere/tables.sql") }, "cannot be read"],
  [
    "an operation under another name",
    { operations: { clear: command({ name: "faulty.empty", ...noop }) } },
    "faulty.clear"
  ],
  [
    "an operation under its own name, where they go by another's",
    { operationsOf: "whole", operations: { clear: command({ name: "faulty.clear", ...noop }) } },
    "whole.clear"
  ],
  ["a category that has events of the other class", { telemetry: ["durable"] }, "durable"]
]

describe("a definition", () => {
  it.each(wrong)("with %s is refused, and leaves nothing behind", async (_, change, said) => {
    const one = await start()
    await one.emit("durable-1", Counted.make({ by: 1 }))
    const before = await madeOf("")
    const reason = await reasonOf(one.project({ ...counters({ name: "faulty" }), ...change }))
    expect(reason._tag).toBe("InvalidDefinition")
    expect(reason.message).toContain(said)
    expect(await madeOf("")).toEqual(before)
    expect(await db.query("select from tidemark.projections")).toEqual([])
    expect(one.projections.status()).toEqual([])
  })

  it("that declares a known type differently is refused", async () => {
    const one = await start()
    await one.project(counters({ name: "first" }))
    const Other = eventType("Counted", Schema.Struct({ by: Schema.String }))
    expect(await reasonOf(one.project(counters({ name: "second", events: [Other] })))).toMatchObject({
      _tag: "InvalidDefinition",
      projection: "second"
    })
  })

  it("has its events checked when they are emitted", async () => {
    const one = await start()
    const Strict = eventType("Strict", Schema.Struct({ by: Schema.Int }))
    await one.project(counters({ name: "strict", events: [Strict] }))
    await expect(one.emit("strict-1", { type: "Strict", data: { by: "1" } })).rejects.toMatchObject({
      reason: { _tag: "InvalidEvent" }
    })
  })

  it("has its telemetry kept as telemetry", async () => {
    const one = await start()
    await one.project({ ...counters({ name: "measured" }), telemetry: ["pulse"] })
    await one.reaches("measured", await one.emit("pulse-1", Counted.make({ by: 3 })))
    expect(
      await db.query("select count(*)::integer from tidemark.telemetry where stream = 'pulse-1'")
    ).toEqual([{ count: 1 }])
    expect(await db.query("select total from tidemark.measured")).toEqual([{ total: 3 }])
  })
})

describe("an unknown projection", () => {
  it("is named, with those that are there", async () => {
    const one = await start()
    await one.project(counters({ name: "present" }))
    const reason = await reasonOf(one.reaches("absent", 1))
    expect(reason).toMatchObject({ _tag: "UnknownProjection", projection: "absent", known: ["present"] })
  })
})
