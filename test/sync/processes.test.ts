import { beforeAll, describe, expect, test } from "vitest"
import { testLog, upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { startWorker } from "../support/process.ts"

// What a watch promises where processes are killed: each change is written down once, in order, with its place in the log.

const log = testLog()

interface Said {
  readonly ready?: boolean
  readonly noted?: number
}

const CHANGES = 200

beforeAll(async () => {
  await log.db.query(
    "create table noted (nth bigserial primary key, watcher text, version bigint, n integer)"
  )
  await log.db.query("create table places (agent text primary key, token text)")
})

const notedBy = (watcher: string) =>
  log.db.query<{ n: number }>("select n from noted where watcher = $1 order by nth", [watcher])

const watcher = async (more: object) => {
  const worker = startWorker<Said>("watcher", {
    input: { database: log.db.url, paths: ["/local/n"], ...more }
  })
  await worker.saysThat(({ ready }) => ready === true)
  return worker
}

describe.each([
  ["under a name, in a transaction with its place", { name: "named" }],
  ["by its tokens, each kept with what was done", {}]
])("processes that watch %s, killed one after the other", (_, more: { readonly name?: string }) => {
  test("write every change down once, in its order", async () => {
    const agent = `processes-${more.name ?? "lone"}`
    const state = log.engine.state(agent)
    const { token } = await state.update({ local: { n: 0 } })
    await log.db.query("insert into places values ($1, $2)", [agent, token])
    const first = await watcher({ agent, ...more })
    const writing = (async () => {
      for (const n of upTo(CHANGES)) await state.update({ local: { n }, shared: { [`k${n % 7}`]: n } })
    })()
    let worker = first
    for (const least of [20, 60, 110]) {
      await until(async () => (await notedBy(more.name ?? "lone")).length >= least)
      await worker.kill()
      worker = await watcher({ agent, ...more })
    }
    await writing
    await until(async () => (await notedBy(more.name ?? "lone")).length >= CHANGES)
    await worker.kill()
    expect((await notedBy(more.name ?? "lone")).map(({ n }) => n)).toEqual(upTo(CHANGES))
  })
})
