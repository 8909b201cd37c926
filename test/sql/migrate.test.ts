import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { LockTimeout } from "../../src/index.ts"
import { MigrationChanged, SchemaFromTheFuture, ServerTooOld } from "../../src/errors.ts"
import { connection } from "../../src/postgres/connection.ts"
import { migrate } from "../../src/postgres/migrate.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { upTo } from "../log/test-log.ts"
import { catalog } from "./catalog.ts"

const db = testDatabase()

const schema = "tidemark"

const migrating = (url: string, to = schema) =>
  Effect.gen(function* () {
    const postgres = Postgres.layer({ connection: yield* connection(url), schema: to, poolSize: 1 })
    return yield* Effect.provide(migrate, postgres)
  })

const run = (url: string, to?: string) => Effect.runPromise(migrating(url, to))

/** The reason of a migration that was refused. */
const refusal = (url: string) =>
  Effect.runPromise(Effect.flip(migrating(url))).then((error) => ("reason" in error ? error.reason : error))

const change = (url: string, sql: string) => connected(url, (client) => client.query(sql))

const catalogOf = (url: string, of = schema) =>
  connected(url, (client) =>
    catalog(async (sql, params = []) => (await client.query(sql, [...params])).rows, of)
  )

describe("migrating", () => {
  test("an empty database makes the schema, and says what ran", async () => {
    const url = await db.fresh({ empty: true })
    const { applied } = await run(url)
    expect(applied.at(0)).toBe("0001_log")
    expect(applied.at(-1)).toBe("functions")
    expect(await catalogOf(url)).toBe(await catalog(db.query, schema))
  })

  test("twice does nothing the second time", async () => {
    const before = await db.query("select * from tidemark.migrations")
    expect(await run(db.url)).toEqual({ applied: [] })
    expect(await db.query("select * from tidemark.migrations")).toEqual(before)
  })

  test("by several processes at once is done by one of them", async () => {
    const url = await db.fresh({ empty: true })
    const all = await Promise.all(upTo(6).map(() => run(url)))
    expect(all.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
    expect(await catalogOf(url)).toBe(await catalog(db.query, schema))
  })

  test("several logs of one database at once gives each a schema and an identity of its own", async () => {
    const url = await db.fresh({ empty: true })
    const names = ["log_one", "log_two", "log_three"]
    await Promise.all(names.map((name) => run(url, name)))
    const ids = new Set<string>()
    for (const name of names) {
      expect(await catalogOf(url, name)).toBe(await catalog(db.query, schema))
      const { rows } = await change(url, `select log_id, lock_key from ${name}.log`)
      ids.add(rows[0].log_id).add(rows[0].lock_key)
    }
    expect(ids.size).toBe(2 * names.length)
  })

  test("replaces functions that are not as they should be, and loses no event", async () => {
    const url = await db.fresh()
    await change(url, "select tidemark.append_events('order-1', '[{\"type\": \"Kept\"}]')")
    await change(url, "drop trigger events_are_immutable on tidemark.events")
    await change(
      url,
      "create or replace function tidemark.stream_is_valid(stream text) returns boolean language sql immutable parallel safe as 'select true'"
    )
    await change(url, "update tidemark.migrations set hash = 'older' where name = 'functions'")
    expect(await run(url)).toEqual({ applied: ["functions"] })
    expect(await catalogOf(url)).toBe(await catalog(db.query, schema))
    const { rows } = await change(url, "select type from tidemark.log_events")
    expect(rows).toEqual([{ type: "Kept" }])
  })

  test("that fails on its way leaves nothing behind, and may be tried again", async () => {
    const url = await db.fresh({ empty: true })
    // A function that somebody else's schema owns stands in the way of the last step.
    await change(
      url,
      "create schema tidemark; create function tidemark.stream_version(text) returns text language sql as 'select 1::text'"
    )
    await expect(run(url)).rejects.toThrow(/return type|exists/)
    const { rows } = await change(
      url,
      "select count(*)::integer as n from pg_class where relnamespace = 'tidemark'::regnamespace"
    )
    expect(rows).toEqual([{ n: 0 }])
    await change(url, "drop schema tidemark cascade")
    await run(url)
    expect(await catalogOf(url)).toBe(await catalog(db.query, schema))
  })

  test("a schema from the future is refused, and named", async () => {
    const url = await db.fresh()
    await change(url, "insert into tidemark.migrations (name, hash) values ('9999_later', 'x')")
    const reason = await refusal(url)
    expect(reason).toBeInstanceOf(SchemaFromTheFuture)
    expect(reason).toMatchObject({ schema, found: "9999_later", known: expect.stringMatching(/^\d{4}_/) })
    expect(reason.message).toContain("Upgrade this process")
  })

  test("where a released migration was changed is refused, and named", async () => {
    const url = await db.fresh()
    await change(url, "update tidemark.migrations set hash = 'other' where name = '0001_log'")
    const reason = await refusal(url)
    expect(reason).toBeInstanceOf(MigrationChanged)
    expect(reason).toMatchObject({ migration: "0001_log" })
    expect(reason.message).toContain("changes belong in a new migration")
  })

  test("on a server that is too old is refused before anything is asked of it", async () => {
    const asked: Array<string> = []
    const old = Postgres.of({
      schema,
      query: (sql: string) => {
        asked.push(sql)
        return Effect.succeed({ rows: [{ number: "140012", version: "14.12" }], count: 1 })
      }
    } as never)
    const error = await Effect.runPromise(Effect.flip(Effect.provideService(migrate, Postgres, old)))
    const reason = "reason" in error ? error.reason : error
    expect(reason).toBeInstanceOf(ServerTooOld)
    expect(reason.message).toBe("PostgreSQL 14.12 is too old: Tidemark needs 15 or newer.")
    expect(asked).toHaveLength(1)
  })
})

describe("the migrated schema", () => {
  test("is as schema/snapshot.txt says; `npx vitest run test/sql/migrate.test.ts -u` writes down a change", async () => {
    await expect(await catalog(db.query, schema)).toMatchFileSnapshot("../../schema/snapshot.txt")
  })

  test("has a primary key on every table, and no foreign key", async () => {
    const keys = await db.query<{ relname: string; keys: string }>(
      `select c.relname, string_agg(o.contype::text, '' order by o.contype) filter (where o.contype in ('p', 'f')) as keys
       from pg_class c left join pg_constraint o on o.conrelid = c.oid
       where c.relnamespace = 'tidemark'::regnamespace and c.relkind in ('r', 'p') group by 1`
    )
    expect(keys.length).toBeGreaterThan(8)
    for (const table of keys) expect(table).toMatchObject({ keys: "p" })
  })
})

describe("migrating a log in use", () => {
  const outdated = async () => {
    const url = await db.fresh()
    await change(url, "update tidemark.migrations set hash = 'older' where name = 'functions'")
    return url
  }

  test("waits for no append under way where the guards stand as they should", async () => {
    const url = await outdated()
    await connected(url, async (appending) => {
      await appending.query("begin; select tidemark.append_events('order-1', '[{\"type\": \"T\"}]')")
      expect(await run(url)).toEqual({ applied: ["functions"] })
      await appending.query("commit")
    })
  })

  test("that must wait for a table gives up soon, having done nothing, and may be tried again", async () => {
    const url = await outdated()
    await change(url, "drop trigger events_are_immutable on tidemark.events")
    await connected(url, async (appending) => {
      await appending.query("begin; select tidemark.append_events('order-1', '[{\"type\": \"T\"}]')")
      const reason = await refusal(url)
      expect(reason).toBeInstanceOf(LockTimeout)
      expect(reason.message).toContain("Nothing was done")
      await appending.query("commit")
    })
    expect(await run(url)).toEqual({ applied: ["functions"] })
    expect(await catalogOf(url)).toBe(await catalog(db.query, schema))
  })
})
