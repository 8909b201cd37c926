import { describe, expect, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import { RebuildLost } from "../../src/errors.ts"
import { isThrough, word } from "../consumer/scene.ts"
import { upTo } from "../log/test-log.ts"
import { tablesOf } from "../projection/rebuild/looks.ts"
import { Counted, counters, entries } from "../projection/scene.ts"
import { pooledLog } from "./scene.ts"

// A pooler with next to no sessions: what takes several at once says so instead of waiting for itself.

const TOLD_WITHIN_MS = 15_000

const filled = async (engine: Engine, ...definitions: ReadonlyArray<ReturnType<typeof counters>>) => {
  for (const definition of definitions) await engine.project(definition)
  for (const n of upTo(10)) await engine.emit(`counted-${n}`, Counted.make({ by: n }))
}

describe("through a PgBouncer with a single session", () => {
  const log = pooledLog({ default_pool_size: "1" })

  test("a rebuild works, and one that compares is refused soon, with what to do", async () => {
    const engine = await log.open()
    const definition = counters({ name: "single" })
    await filled(engine, definition)
    await engine.rebuild(definition, { keep: 0 })
    const since = performance.now()
    const verifying = engine.rebuild(definition, { verify: true })
    await expect(verifying).rejects.toBeInstanceOf(RebuildLost)
    await expect(verifying).rejects.toThrow(/default_pool_size.*poolSize/)
    const whatIf = engine.whatIf({ definitions: [definition], into: "scratch" })
    await expect(whatIf).rejects.toBeInstanceOf(RebuildLost)
    expect(performance.now() - since).toBeLessThan(TOLD_WITHIN_MS)
    expect(await tablesOf(log.db, "single")).toHaveLength(1)
    expect(await log.db.query("select from pg_namespace where nspname = 'scratch'")).toEqual([])
    expect(await engine.rollback("agents").catch((error: unknown) => error)).toMatchObject({
      _tag: "NoGenerationKept"
    })
  })

  test("transactional handlers of many partitions have their effects exactly once", async () => {
    await log.db.query("create table effects (word text)")
    const engine = await log.open()
    const options = { name: "single", categories: ["one"], partitions: 8, transactional: true } as const
    await engine.subscribe(options, (event, { tx }) =>
      tx.query("insert into public.effects values ($1)", [word(event)])
    )
    let last = 0
    for (const n of upTo(3))
      for (const s of upTo(8))
        last = (await engine.emit(`one-s${s}.`, { type: "Numbered", data: { n } })).position
    await isThrough(engine, "single", last)
    const words = (await log.db.query<{ word: string }>("select word from effects")).map((row) => row.word)
    const wanted = upTo(8).flatMap((s) => upTo(3).map((n) => `s${s}.${n}`))
    expect(words.toSorted()).toEqual(wanted.toSorted())
  })
})

describe("through a PgBouncer with two sessions", () => {
  const log = pooledLog({ default_pool_size: "2" })

  test("a rebuild compares in a snapshot, and so does a what-if", async () => {
    const engine = await log.open()
    const definitions = [counters({ name: "pair" }), entries({ name: "pairs" })]
    await filled(engine, ...definitions)
    for (const definition of definitions) {
      const { verified } = await engine.rebuild(definition, { verify: true })
      expect(verified!.tables).toMatchObject([{ rows: 10, different: 0, onlyLive: 0, onlyRebuilt: 0 }])
    }
    const { projections } = await engine.whatIf({ definitions, into: "scratch" })
    expect(projections.map(({ compared }) => compared!.tables[0]!.rows)).toEqual([10, 10])
  })
})
