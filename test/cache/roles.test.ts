import { Effect, Logger } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Cache, layer } from "../../src/effect.ts"
import { migrate } from "../../src/engine/migration.ts"
import { AccessDenied, Unavailable } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"

// Who may do what with the cache, and by which face.

const log = testLog()
const [writer, reader] = [`cache_writer_${process.pid}`, `cache_reader_${process.pid}`]

/** The log, for an engine that acts as a role. */
const as = (role: string): string => {
  const { url } = log.db
  return `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${role}`)}`
}

beforeAll(async () => {
  for (const role of [writer, reader]) await log.db.query(`create role ${role}`)
  await migrate({ database: log.db.url, writers: [writer], readers: [reader] })
})
afterAll(async () => {
  for (const role of [writer, reader]) {
    await log.db.query(`drop owned by ${role}`)
    await log.db.query(`drop role ${role}`)
  }
})

test("a writer has all of it", async () => {
  const { cache } = await log.open({ database: as(writer) })
  await cache.set("k", 1, { namespace: "w", tags: ["t"], ttlMs: 60_000 })
  expect(await cache.get("k", { namespace: "w" })).toBe(1)
  expect(await log.engine.cache.get("k", { namespace: "w" })).toBe(1)
  expect(await cache.invalidateTag("t", { namespace: "w" })).toBe(1)
  expect(await cache.clear({ namespace: "w" })).toBe(0)
  expect(await cache.sweep()).toBe(0)
  const { namespaces } = await cache.statistics()
  expect(namespaces).toContainEqual(expect.objectContaining({ namespace: "w", hits: 1 }))
})

test("a reader reads, is not counted, and is told what it may not do", async () => {
  await log.engine.cache.set("k", 1, { namespace: "r" })
  const { cache } = await log.open({ database: as(reader) })
  expect(await cache.get("k", { namespace: "r" })).toBe(1)
  for (const refused of [
    () => cache.set("k", 2),
    () => cache.invalidate("k"),
    () => cache.invalidateTag("t"),
    () => cache.clear(),
    () => cache.sweep()
  ])
    await expect(refused()).rejects.toBeInstanceOf(AccessDenied)
  const { namespaces } = await cache.statistics()
  expect(namespaces).toContainEqual(expect.objectContaining({ namespace: "r", entries: 1, hits: 0 }))
})

test("a closed engine says that it is closed", async () => {
  const engine = await log.open()
  await engine.close()
  await expect(engine.cache.get("k")).rejects.toBeInstanceOf(Unavailable)
})

test("the Effect face has the same as a service", async () => {
  const program = Effect.gen(function* () {
    const cache = yield* Cache
    yield* cache.set("k", { n: 1 }, { namespace: "e", tags: ["t"] })
    const found = yield* cache.get("k", { namespace: "e" })
    const refused = yield* Effect.flip(cache.get(""))
    return [found, refused._tag, yield* cache.invalidateTag("t", { namespace: "e" })]
  })
  const outcome = await Effect.runPromise(
    program.pipe(
      Effect.provide(layer({ database: log.db.url, logger: false })),
      Effect.provide(Logger.layer([]))
    ) as Effect.Effect<unknown>
  )
  expect(outcome).toEqual([{ n: 1 }, "LogError", 1])
})
