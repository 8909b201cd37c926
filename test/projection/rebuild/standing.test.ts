import { hostname } from "node:os"
import { expect, it } from "vitest"
import { open } from "../../../src/index.ts"
import { until } from "../../support/eventually.ts"
import { Counted, counters, scene, stops } from "../scene.ts"

const { db, start } = scene()

const me = { host: hostname(), pid: process.pid }

const looking = () => open({ database: db.url, readModels: "follow", logger: false })

it("the status names who folds, how far behind it is in events and in time, and what stopped it, in any process", async () => {
  const one = await start({ name: "folder" })
  const definition = counters({ name: "standing", count: (by) => Number(by) })
  await one.project(definition)
  await one.reaches("standing", await one.emit("s-1", Counted.make({ by: 1 })))
  const engine = await looking()
  try {
    await engine.project(definition)
    const standing = async () => (await engine.status()).projections.find(({ name }) => name === "standing")!
    expect(await standing()).toMatchObject({
      state: "running",
      owner: { application: "folder", ...me },
      lag: { atMost: 0, isCount: true },
      lagMs: 0
    })
    // Holds the row, so that what is written now cannot be folded.
    const session = await db.session()
    await session.query("begin")
    await session.query("select from tidemark.projections where name = 'standing' for update")
    await one.emit("s-1", Counted.make({ by: 1 }), Counted.make({ by: 1 }), { type: "Noise" })
    const behind = await until(async () => {
      const now = await standing()
      return now.lag.atMost > 0 && now.lagMs! > 100 && now
    })
    expect(behind.lag).toEqual({ atMost: 2, isCount: true })
    await session.query("rollback")
    await one.emit("s-1", Counted.make({ by: "no number" }))
    await stops(one, "standing")
    expect(await standing()).toMatchObject({
      state: "stopped",
      owner: undefined,
      error: { type: "Counted", message: expect.stringContaining("total") }
    })
  } finally {
    await engine.close()
  }
})

it("the status tells how fast the owner folds, in any process, also of what it has just folded; that fades when nothing comes", async () => {
  const one = await start({ name: "folder" })
  const definition = counters({ name: "paced" })
  await one.project(definition)
  await one.reaches(
    "paced",
    await one.emit("s-1", ...Array.from({ length: 40 }, () => Counted.make({ by: 1 })))
  )
  const engine = await looking()
  try {
    await engine.project(definition)
    const rate = async () => (await engine.status()).projections.find(({ name }) => name === "paced")!.rate
    const seen = await rate()
    expect(seen).toBeGreaterThan(2)
    expect(seen).toBeLessThanOrEqual(4)
    // The window of ten seconds slides on although the owner has nothing to write down.
    await db.query("update tidemark.projections set moved_at = moved_at - interval '5 seconds'")
    expect(await rate()).toBeLessThanOrEqual(seen / 2 + 0.1)
    await db.query("update tidemark.projections set moved_at = moved_at - interval '10 seconds'")
    expect(await rate()).toBe(0)
  } finally {
    await engine.close()
  }
})

it("the status shows a rebuild under way to every process, with its builder, and afterwards none", async () => {
  const one = await start({ name: "builder" })
  const definition = counters({ name: "shown" })
  await one.project(definition)
  const last = await one.emit("s-1", Counted.make({ by: 1 }), Counted.make({ by: 1 }))
  await one.reaches("shown", last)
  const session = await db.session()
  await session.query("begin")
  await session.query("select from tidemark.shown")
  const rebuilding = one.rebuild(definition)
  const engine = await looking()
  try {
    const [shown] = await until(async () => {
      const { rebuilds } = await engine.status()
      return rebuilds.length > 0 && rebuilds
    })
    expect(shown).toMatchObject({
      projection: "shown",
      generation: 2,
      version: 1,
      owner: { application: "builder", ...me }
    })
    await session.query("rollback")
    await rebuilding
    expect((await engine.status()).rebuilds).toEqual([])
  } finally {
    await engine.close()
  }
})
