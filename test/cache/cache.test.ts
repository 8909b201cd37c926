import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { InvalidArgument, type Engine } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

const log = testLog()

const HOUR_MS = 3_600_000

let made = 0
const fresh = (name = "ns") => `${name}-${(made += 1)}`

/** How many entries a namespace has in the table, those that are over included. */
const rowsIn = async (namespace: string): Promise<number> => {
  const [row] = await log.db.query<{ rows: number }>(
    "select count(*)::integer as rows from tidemark.cache_entries where namespace = $1",
    [namespace]
  )
  return row!.rows
}

/** Puts entries there by SQL: over, or not; each of the tag `all`, and each tenth of the tag `tenth`. */
const fill = (namespace: string, entries: number, isOver = false) =>
  log.db.query(
    `insert into tidemark.cache_entries (namespace, key, value, tags, expires_at)
     select $1, 'k' || n, '1', case when n % 10 = 0 then array['all', 'tenth'] else array['all'] end,
       now() + $3 * interval '1 hour' from generate_series(1, $2) n`,
    [namespace, entries, isOver ? -1 : 1]
  )

const refusalOf = async (asking: Promise<unknown>): Promise<InvalidArgument> => {
  const refused = await asking.then(
    () => undefined,
    (error: unknown) => error
  )
  expect(refused).toBeInstanceOf(InvalidArgument)
  return refused as InvalidArgument
}

describe("a value", () => {
  test("comes back as it was put in, whatever JSON it is, from every engine", async () => {
    const other = await log.open()
    const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }).filter((value) => {
      const text = JSON.stringify(value)
      return text.isWellFormed() && !/\\u0000|\\ud[89a-f]|__proto__/.test(text)
    })
    const namespace = fresh()
    await fc.assert(
      fc.asyncProperty(json, fc.string({ minLength: 1, maxLength: 20 }), async (value, word) => {
        const key = `k${word.replaceAll("\0", "")}`
        await log.engine.cache.set(key, value, { namespace })
        const found = await other.cache.get(key, { namespace })
        expect(JSON.stringify(found)).toBe(JSON.stringify(value))
      }),
      { numRuns: 60 }
    )
  })

  test("is told from none, null included", async () => {
    const { cache } = log.engine
    const key = fresh("k")
    expect(await cache.get(key)).toBeUndefined()
    await cache.set(key, null)
    expect(await cache.get(key)).toBeNull()
  })

  test("counts for an hour, unless it is said otherwise, here or at the opening", async () => {
    const other = await log.open({ cacheTtlMs: 5_000 })
    const namespace = fresh()
    await log.engine.cache.set("a", 1, { namespace })
    await log.engine.cache.set("b", 1, { namespace, ttlMs: 1_234 })
    await other.cache.set("c", 1, { namespace })
    await other.cache.set("d", 1, { namespace, ttlMs: 1_234 })
    const rows = await log.db.query(
      `select (extract(epoch from expires_at - set_at) * 1000)::integer as ms
       from tidemark.cache_entries where namespace = $1 order by key`,
      [namespace]
    )
    expect(rows.map(({ ms }) => ms)).toEqual([HOUR_MS, 1_234, 5_000, 1_234])
  })

  test("that is over is not given any more, though it was not swept", async () => {
    const { cache } = log.engine
    const namespace = fresh()
    await cache.set("k", 1, { namespace, ttlMs: 1 })
    await until(async () => (await cache.get("k", { namespace })) === undefined)
    expect(await rowsIn(namespace)).toBe(1)
    expect(await cache.invalidate("k", { namespace })).toBe(0)
    expect(await rowsIn(namespace)).toBe(0)
  })

  test("takes the place of another, with its tags and its time", async () => {
    const { cache } = log.engine
    const namespace = fresh()
    await cache.set("k", 1, { namespace, tags: ["old"], ttlMs: 1 })
    await cache.set("k", 2, { namespace, tags: ["new"] })
    expect(await cache.invalidateTag("old", { namespace })).toBe(0)
    expect(await cache.get("k", { namespace })).toBe(2)
    expect(await cache.invalidateTag("new", { namespace })).toBe(1)
  })

  test("may be as large as the limit, and not larger, in bytes", async () => {
    const { cache } = log.engine
    const largest = "ä".repeat((1_048_576 - 2) / 2)
    await cache.set("large", largest)
    expect(await cache.get("large")).toBe(largest)
    const refused = await refusalOf(cache.set("large", `${largest}a`))
    expect(refused.message).toContain("1048577")
    expect(refused.message).toContain("1048576")
    expect(await cache.get("large")).toBe(largest)
  })
})

test("keys, namespaces and tags are as long as an index has room for, in any script", async () => {
  const { cache } = log.engine
  /** Of a script that takes three bytes a character, and that cannot be compressed to nothing. */
  const text = (length: number) =>
    Array.from({ length }, (_, n) => String.fromCodePoint(0x4e00 + ((n * n * 7_919) % 20_000))).join("")
  const [key, namespace, tag] = [text(512), text(100), text(255)]
  await cache.set(key, 1, { namespace, tags: [tag, ...Array.from({ length: 63 }, (_, n) => `t${n}`)] })
  expect(await cache.get(key, { namespace })).toBe(1)
  expect(await cache.invalidateTag(tag, { namespace })).toBe(1)
})

describe("what is given wrongly", () => {
  const cyclic: Record<string, unknown> = {}
  cyclic["self"] = cyclic
  const cases: ReadonlyArray<
    readonly [what: string, says: string, call: (cache: Engine["cache"]) => Promise<unknown>]
  > = [
    ["an empty key", "key", (cache) => cache.get("")],
    ["a key of 513 characters", "512", (cache) => cache.set("x".repeat(513), 1)],
    ["a key with U+0000", "U+0000", (cache) => cache.get("a\0")],
    ["half a surrogate pair", "surrogate", (cache) => cache.invalidate("\ud800")],
    ["no text as a key", "key", (cache) => cache.get(7 as never)],
    ["an empty namespace", "namespace", (cache) => cache.get("k", { namespace: "" })],
    ["a namespace of 101 characters", "100", (cache) => cache.clear({ namespace: "x".repeat(101) })],
    ["an empty tag", "tag", (cache) => cache.set("k", 1, { tags: [""] })],
    ["a tag of 256 characters", "255", (cache) => cache.invalidateTag("x".repeat(256))],
    ["65 tags", "64", (cache) => cache.set("k", 1, { tags: Array.from({ length: 65 }, (_, n) => `t${n}`) })],
    ["10 001 keys", "10000", (cache) => cache.invalidate(Array.from({ length: 10_001 }, (_, n) => `k${n}`))],
    ["no time at all", "ttlMs", (cache) => cache.set("k", 1, { ttlMs: 0 })],
    ["half a millisecond", "ttlMs", (cache) => cache.set("k", 1, { ttlMs: 0.5 })],
    ["more than ten years", "ttlMs", (cache) => cache.set("k", 1, { ttlMs: 315_360_000_001 })],
    ["undefined", "undefined", (cache) => cache.set("k", undefined)],
    ["a number that JSON has not", "value.n", (cache) => cache.set("k", { n: Number.NaN })],
    ["a cycle", "cycle", (cache) => cache.set("k", cyclic)],
    ["a function", "function", (cache) => cache.set("k", () => 1)]
  ]

  test.each(cases)("%s is refused, and named", async (_, says, call) => {
    const before = await log.db.query("select count(*)::integer as rows from tidemark.cache_entries")
    const refused = await refusalOf(call(log.engine.cache))
    expect(refused.message).toContain(says)
    expect(refused.message).toMatch(/: (?:give|leave)/)
    expect(await log.db.query("select count(*)::integer as rows from tidemark.cache_entries")).toEqual(before)
  })
})

describe("what is taken away", () => {
  test("is what was set under the keys, in that namespace, and it is told how many still counted", async () => {
    const { cache } = log.engine
    const [one, two] = [fresh(), fresh()]
    await fill(one, 5)
    await fill(two, 5)
    expect(await cache.invalidate(["k1", "k2", "k2", "none"], { namespace: one })).toBe(2)
    expect(await cache.invalidate([], { namespace: one })).toBe(0)
    expect([await rowsIn(one), await rowsIn(two)]).toEqual([3, 5])
  })

  test("is what has one of the tags, in that namespace", async () => {
    const { cache } = log.engine
    const [one, two] = [fresh(), fresh()]
    await fill(one, 100)
    await fill(two, 20)
    await cache.set("plain", 1, { namespace: one })
    expect(await cache.invalidateTag("tenth", { namespace: one })).toBe(10)
    expect(await cache.invalidateTag(["tenth", "all", "none"], { namespace: one })).toBe(90)
    expect(await cache.invalidateTag([], { namespace: one })).toBe(0)
    expect([await rowsIn(one), await rowsIn(two)]).toEqual([1, 20])
  })

  test("is all of a namespace, however much", async () => {
    const { cache } = log.engine
    const [one, two] = [fresh(), fresh()]
    const MANY = 2_500
    await fill(one, MANY)
    await log.db.query(
      "update tidemark.cache_entries set expires_at = now() where namespace = $1 and key = 'k7'",
      [one]
    )
    await fill(two, 10)
    expect(await cache.clear({ namespace: one })).toBe(MANY - 1)
    expect([await rowsIn(one), await rowsIn(two)]).toEqual([0, 10])
    const kept = fresh("k")
    await cache.set(kept, 1)
    expect(await cache.clear()).toBeGreaterThanOrEqual(1)
    expect(await cache.get(kept)).toBeUndefined()
    expect(await rowsIn(two)).toBe(10)
  })

  test("by several at once is taken away once, and nobody waits for another who waits for him", async () => {
    const engines = [log.engine, await log.open(), await log.open()]
    const namespace = fresh()
    const MANY = 1_000
    const ROUNDS = 5
    for (let round = 0; round < ROUNDS; round++) {
      await fill(namespace, MANY)
      const keys = Array.from({ length: MANY }, (_, n) => `k${MANY - n}`)
      const dropped = await Promise.all(
        engines.flatMap(({ cache }) => [
          cache.invalidateTag("tenth", { namespace }),
          cache.invalidateTag("all", { namespace }),
          cache.invalidate(keys, { namespace }),
          cache.clear({ namespace })
        ])
      )
      expect(dropped.reduce((sum, one) => sum + one)).toBe(MANY)
    }
  })
})

describe("the sweep", () => {
  test("takes away what is over, all of it once, whoever sweeps, and nothing else", async () => {
    const engines = [log.engine, await log.open(), await log.open()]
    const [over, alive] = [fresh(), fresh()]
    const MANY = 3_500
    await fill(over, MANY, true)
    await fill(alive, 10)
    const swept = await Promise.all(engines.map(({ cache }) => cache.sweep()))
    expect(swept.reduce((sum, one) => sum + one)).toBeGreaterThanOrEqual(MANY)
    expect([await rowsIn(over), await rowsIn(alive)]).toEqual([0, 10])
    expect(await log.engine.cache.sweep()).toBe(0)
  })

  test("leaves what is set anew while it comes by", async () => {
    const { cache } = log.engine
    const namespace = fresh()
    await fill(namespace, 2, true)
    // Somebody sets one anew, and has not committed yet.
    const other = await log.session()
    await other.query("begin")
    await other.query(
      "update cache_entries set value = '2', expires_at = now() + interval '1 hour' where namespace = $1 and key = 'k1'",
      [namespace]
    )
    await cache.sweep()
    await other.query("commit")
    expect(await cache.get("k1", { namespace })).toBe(2)
    expect(await rowsIn(namespace)).toBe(1)
  })

  test("comes by itself", async () => {
    const namespace = fresh()
    await fill(namespace, 1_500, true)
    await log.open({ cacheSweepMs: 50 })
    await until(async () => (await rowsIn(namespace)) === 0)
  })
})

describe("statistics", () => {
  const ofNamespace = async (engine: Engine, namespace: string) =>
    (await engine.cache.statistics()).namespaces.find((one) => one.namespace === namespace)

  test("count hits and misses of all engines, entries and bytes, by namespace and together", async () => {
    const namespace = fresh()
    const other = await log.open()
    const { cache } = log.engine
    await cache.set("k", "12345678", { namespace })
    await cache.set("l", ["ä"], { namespace })
    await fill(namespace, 3, true)
    for (let nth = 0; nth < 3; nth++) await cache.get("k", { namespace })
    await other.cache.get("l", { namespace })
    await other.cache.get("k1", { namespace })
    // Another tells by itself what it counted, at its close at the latest.
    await other.close()
    expect(await ofNamespace(log.engine, namespace)).toEqual({
      namespace,
      entries: 2,
      bytes: 10 + 6,
      hits: 4,
      misses: 1,
      hitRate: 0.8
    })
    const { namespaces, ...all } = await cache.statistics()
    for (const what of ["entries", "bytes", "hits", "misses"] as const)
      expect(all[what]).toBe(namespaces.reduce((sum, one) => sum + one[what], 0))
    expect(all.hitRate).toBeCloseTo(all.hits / (all.hits + all.misses))
  })

  test("of what nobody asked for have no rate, and what was asked for and is gone has", async () => {
    const [one, two] = [fresh(), fresh()]
    await fill(one, 1)
    await log.engine.cache.get("k", { namespace: two })
    expect(await ofNamespace(log.engine, one)).toMatchObject({ entries: 1, hits: 0, hitRate: null })
    expect(await ofNamespace(log.engine, two)).toMatchObject({ entries: 0, bytes: 0, misses: 1, hitRate: 0 })
  })

  test("cost no write per read, and are told once", async () => {
    const namespace = fresh()
    const told = () =>
      log.db.query<{ misses: string }>(
        "select misses::text, xmin::text from tidemark.cache_reads where namespace = $1",
        [namespace]
      )
    const other = await log.open()
    for (let nth = 0; nth < 50; nth++) await other.cache.get("k", { namespace })
    expect(await told()).toEqual([])
    await other.cache.statistics()
    const first = await told()
    expect(first).toMatchObject([{ misses: "50" }])
    await other.cache.statistics()
    await other.close()
    expect(await told()).toEqual(first)
  })
})

test("a cache does what a map does, whichever engine is asked", async () => {
  const engines = [log.engine, await log.open()]
  const key = fc.constantFrom("a", "b", "c", "d")
  const tag = fc.constantFrom("x", "y")
  const step = fc.oneof(
    fc.record({
      do: fc.constant("set" as const),
      key,
      value: fc.integer(),
      tags: fc.uniqueArray(tag)
    }),
    fc.record({ do: fc.constant("get" as const), key }),
    fc.record({ do: fc.constant("invalidate" as const), keys: fc.array(key) }),
    fc.record({ do: fc.constant("tag" as const), tag }),
    fc.record({ do: fc.constant("clear" as const) })
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 30 }), async (steps) => {
      const namespace = fresh()
      const model = new Map<string, { value: number; tags: ReadonlyArray<string> }>()
      const drop = (which: (name: string) => boolean): number => {
        const gone = [...model.keys()].filter(which)
        for (const name of gone) model.delete(name)
        return gone.length
      }
      for (const [one, isOther] of steps) {
        const { cache } = engines[isOther ? 1 : 0]!
        if (one.do === "set") {
          await cache.set(one.key, one.value, { namespace, tags: one.tags })
          model.set(one.key, one)
        } else if (one.do === "get") {
          expect(await cache.get(one.key, { namespace })).toBe(model.get(one.key)?.value)
        } else if (one.do === "invalidate") {
          const wanted = drop((name) => one.keys.includes(name as never))
          expect(await cache.invalidate(one.keys, { namespace })).toBe(wanted)
        } else if (one.do === "tag") {
          const wanted = drop((name) => model.get(name)!.tags.includes(one.tag))
          expect(await cache.invalidateTag(one.tag, { namespace })).toBe(wanted)
        } else {
          const wanted = drop(() => true)
          expect(await cache.clear({ namespace })).toBe(wanted)
        }
      }
    }),
    { numRuns: 25 }
  )
})
