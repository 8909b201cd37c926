import { beforeAll, describe, expect, test } from "vitest"
import type { Engine } from "../../src/index.ts"
import type { EngineState } from "../../src/state.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"
import { folded } from "./folded.ts"

// What is done to one key of a large state costs what that key costs: in bytes that are sent, and in rows that the server looks at.

// While something is counted, nobody folds.
const log = testLog({ readModels: "follow" })

const KEYS = 10_000
const CALLED = "measured"

const big = (engine: Engine): EngineState => engine.state("big")

const keyed = (n: number) => ({ n, text: "x".repeat(20) })

/** What the whole of it is, as JSON. */
const BYTES = KEYS * JSON.stringify(keyed(KEYS)).length

beforeAll(async () => {
  const keeper = await log.open({ readModels: "keep" })
  await big(keeper).update({ local: Object.fromEntries(upTo(KEYS).map((n) => [`k${n}`, keyed(n)])) })
  await folded(log)
  await keeper.close()
})

/** How many rows of keys and of their versions the server has looked at, in sessions that are over. */
const rowsRead = async (): Promise<number> => {
  const [row] = await log.db.query<{ rows: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as rows
     from pg_stat_user_tables where relname ~ '^state_key'`
  )
  return row!.rows
}

const sessions = (): Promise<ReadonlyArray<unknown>> =>
  log.db.query("select from pg_stat_activity where application_name = $1", [CALLED])

/** What an engine that knows nothing yet costs by the time that it has done this. */
const costOf = async (doing: (state: EngineState) => Promise<unknown>) => {
  const url = new URL(log.db.url)
  url.searchParams.set("application_name", CALLED)
  await using proxy = await startProxy(url.href)
  const before = await rowsRead()
  const engine = await log.open({ database: proxy.url })
  const opened = proxy.carried
  await doing(big(engine))
  const bytes = proxy.carried - opened
  await engine.close()
  await until(async () => (await sessions()).length === 0, { what: "the sessions of the engine to end" })
  return { bytes, rows: (await rowsRead()) - before }
}

const paths = ["/local/k77"]

describe("in a state of ten thousand keys", () => {
  test("all of it is what it is to read: that much is seen to be counted", async () => {
    const { bytes, rows } = await costOf((state) => state.read())
    expect(bytes).toBeGreaterThan(BYTES)
    expect(rows).toBeGreaterThanOrEqual(KEYS)
  })

  test.each<[string, (state: EngineState) => Promise<unknown>]>([
    ["is read", (state) => state.read({ paths })],
    ["is read at a version", (state) => state.read({ paths, version: 2 })],
    ["is updated", (state) => state.update({ local: { k77: { n: -1 } } })],
    ["is patched", (state) => state.patch([{ op: "replace", path: "/local/k78/n", value: -1 }])],
    [
      "is updated on a base",
      async (state) => {
        const { token } = await state.read({ paths })
        await state.update({ local: { k79: { n: -1 } } }, { base: token })
      }
    ]
  ])("one key %s without the others", async (_, doing) => {
    const { bytes, rows } = await costOf(doing)
    expect(bytes).toBeLessThan(BYTES / 10)
    expect(rows).toBeLessThan(100)
  })

  test("a branch is made without a key, and has one of its own when one is written", async () => {
    const keysOf = async (branch: string) => {
      const [row] = await log.db.query<{ keys: number; versions: number }>(
        `select (select count(*) from tidemark.state_keys key where key.branch = one.branch)::integer as keys,
           (select count(*) from tidemark.state_key_versions key where key.branch = one.branch)::integer as versions
         from tidemark.state_branches one where agent = 'big' and name = $1`,
        [branch]
      )
      return row
    }
    const { bytes, rows } = await costOf((state) => state.branch("try"))
    expect(bytes).toBeLessThan(BYTES / 10)
    expect(rows).toBeLessThan(100)
    const keeper = await log.open({ readModels: "keep" })
    await folded(log)
    expect(await keysOf("try")).toEqual({ keys: 0, versions: 0 })
    await big(keeper)
      .on("try")
      .update({ local: { k77: null } })
    await folded(log)
    expect(await keysOf("try")).toEqual({ keys: 1, versions: 1 })
    expect(Object.keys((await big(keeper).on("try").read()).local)).toHaveLength(KEYS - 1)
    expect(Object.keys((await big(keeper).read()).local)).toHaveLength(KEYS)
  })
})
