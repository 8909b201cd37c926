import { afterAll, beforeAll, expect, test } from "vitest"
import { type Engine, open, ReadOnly } from "../../src/index.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { privateServer, standbyOf } from "../support/server.ts"

// A cache is not written ahead: a standby has none, and a crash empties it, and leaves one that works.

let primary: Cluster
let standby: Cluster
let writer: Engine

beforeAll(async () => {
  primary = await privateServer()
  writer = await open({ database: primary.url, logger: false })
  await writer.emit("order-1", { type: "Made" })
  standby = await standbyOf(primary)
})

afterAll(async () => {
  await writer?.close()
  await standby?.remove()
  await primary?.remove()
})

/** Until the primary, which was stopped for the copy, takes questions again. */
const back = <A>(ask: () => Promise<A>) => until(async () => ({ answer: await ask() }))

test("a standby has no cache: nothing is found there, and nothing can be put there", async () => {
  await back(() => writer.cache.set("k", 1))
  expect(await writer.cache.get("k")).toBe(1)
  const reader = await open({ database: standby.url, logger: false })
  expect(await reader.cache.get("k")).toBeUndefined()
  await expect(reader.cache.set("k", 2)).rejects.toBeInstanceOf(ReadOnly)
  await expect(reader.cache.invalidate("k")).rejects.toBeInstanceOf(ReadOnly)
  await expect(reader.cache.clear()).rejects.toBeInstanceOf(ReadOnly)
  expect(await reader.cache.statistics()).toEqual({
    entries: 0,
    bytes: 0,
    hits: 0,
    misses: 0,
    hitRate: null,
    namespaces: []
  })
  await reader.close()
})

test("a crash of the server empties the cache, which goes on after it, as the log does with all that it has", async () => {
  await writer.cache.set("k", 1)
  await primary.restart("immediate")
  expect((await back(() => writer.cache.get("k"))).answer).toBeUndefined()
  await back(() => writer.cache.set("k", 2))
  expect(await writer.cache.get("k")).toBe(2)
  const types: Array<string> = []
  for await (const { type } of writer.read("order-1")) types.push(type)
  expect(types).toEqual(["Made"])
})
