import { describe, expect, it } from "vitest"
import { connected } from "../../support/admin.ts"
import { until } from "../../support/eventually.ts"
import { startWorker } from "../../support/process.ts"
import { random, seedFor } from "../../support/random.ts"
import { Counted, counters, scene } from "../scene.ts"
import { generationsOf, rowsOf, tablesOf } from "./looks.ts"

const { db, start } = scene()

interface Said {
  readonly opened?: boolean
  readonly phase?: string
  readonly done?: number
}

const EVENTS = 120

const definition = counters({ name: "killed", events: [Counted] })

const filled = async () => {
  const one = await start()
  await one.project(definition)
  let last = 0
  for (let at = 0; at < EVENTS; at++) last = await one.emit(`killed-${at % 7}`, Counted.make({ by: at }))
  await one.reaches("killed", last)
  return { one, before: await rowsOf(db, "killed") }
}

const rebuilder = (phase: string) => startWorker<Said>("rebuilder", { input: { database: db.url, phase } })

/** What any process finds afterwards: a model that is whole, and that the next rebuild mends without being told. */
const isWhole = async (before: unknown) => {
  expect(await rowsOf(db, "killed")).toEqual(before)
  const next = await start()
  const report = await until(
    // Until the lease of who was killed has ended, it counts as at work.
    () => next.rebuild(definition, { verify: true, keep: 0 }).catch(() => undefined),
    { within: 20_000, what: "a rebuild after the killed one" }
  )
  expect(report.verified).toMatchObject({ tables: [{ different: 0, onlyLive: 0, onlyRebuilt: 0 }] })
  expect(await rowsOf(db, "killed")).toEqual(before)
  expect(await generationsOf(db, "killed")).toEqual([{ generation: report.to.generation, state: "live" }])
  expect(await tablesOf(db, "killed")).toEqual([`killed__${report.to.generation}`])
}

describe("a process that is killed while it rebuilds", () => {
  it.each(["fill", "index", "catch up", "verify", "swap"])(
    "at the phase %s leaves the live model as it was, and the next rebuild cleans up",
    async (phase) => {
      const { before } = await filled()
      const worker = rebuilder(phase)
      await worker.saysThat((said) => said.phase === phase, { within: 20_000 })
      await worker.kill("SIGKILL")
      expect(await generationsOf(db, "killed")).toMatchObject([{ state: "live" }, { state: "building" }])
      await isWhole(before)
    }
  )

  it("within the swap, waiting for readers, swaps nothing", async () => {
    const { before } = await filled()
    const session = await db.session()
    await session.query("begin")
    await session.query("select from tidemark.killed")
    const worker = rebuilder("never")
    const isWaiting = `select from pg_locks where relation = 'tidemark.killed'::regclass and not granted`
    await until(async () => (await session.query(isWaiting)).rowCount! > 0, { within: 20_000 })
    await worker.kill("SIGKILL")
    await session.query("commit")
    expect((await generationsOf(db, "killed"))[0]).toMatchObject({ state: "live" })
    await isWhole(before)
  })

  it("between the swap and the cleaning leaves the new model whole, and the old one to the next rebuild", async () => {
    const { before } = await filled()
    const session = await db.session()
    // Who reads the old tables by their own name keeps them from being dropped, and nothing from being swapped.
    await session.query("begin")
    await session.query("select from tidemark.killed__1")
    const worker = rebuilder("never")
    await until(async () => (await generationsOf(db, "killed"))[1]?.state === "live", { within: 20_000 })
    await worker.kill("SIGKILL")
    await session.query("commit")
    expect(await generationsOf(db, "killed")).toEqual([
      { generation: 1, state: "kept" },
      { generation: 2, state: "live" }
    ])
    await isWhole(before)
  })

  it("at any moment at all leaves one whole model", async () => {
    const { before } = await filled()
    const chance = random(seedFor("killed at any moment"))
    for (let round = 0; round < 5; round++) {
      const worker = rebuilder("never")
      await worker.saysThat((said) => said.opened === true, { within: 20_000 })
      const delay = Math.floor(chance.next() * 250)
      await new Promise((resolve) => setTimeout(resolve, delay))
      await worker.kill("SIGKILL")
      expect(await rowsOf(db, "killed")).toEqual(before)
      const live = (await generationsOf(db, "killed")).filter(({ state }) => state === "live")
      expect(live).toHaveLength(1)
    }
    await isWhole(before)
  })
})

describe("connections that end while a projection is rebuilt", () => {
  it("cost at most another try", async () => {
    const { before } = await filled()
    const one = await start({ name: "shaken" })
    let killed = 0
    await one.rebuild(definition, {
      verify: true,
      onProgress: ({ phase }) => {
        if (phase !== "catch up" || killed > 0) return
        killed += 1
        void connected(db.url, (client) =>
          client.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shaken'"
          )
        )
      }
    })
    expect(killed).toBe(1)
    expect(await rowsOf(db, "killed")).toEqual(before)
  })
})
