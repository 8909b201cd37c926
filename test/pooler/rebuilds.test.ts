import { expect, it } from "vitest"
import { open } from "../../src/index.ts"
import { WhatIfUnderWay } from "../../src/errors.ts"
import { Counted, counters, scene } from "../projection/scene.ts"
import { until } from "../support/eventually.ts"
import { startPooler } from "../support/pooler.ts"
import { currentRun } from "../support/run.ts"

const { db, start } = scene()

const definition = counters({ name: "pooled" })

it("through a pooler a what-if has its schema for itself, and drops it; and a rebuild verifies and swaps", async () => {
  const one = await start()
  await one.project(definition)
  await one.reaches("pooled", await one.emit("a-1", Counted.make({ by: 1 }), Counted.make({ by: 2 })))
  await using pooler = await startPooler(currentRun().url)
  const engine = await open({ database: pooler.url(db.name), readModels: "follow", logger: false })
  const direct = await open({ database: db.url, readModels: "follow", logger: false })
  const asked = { definitions: [definition], into: "scratch" }
  try {
    const session = await db.session()
    await session.query("begin")
    await session.query("lock table tidemark.pooled__1 in access exclusive mode")
    const first = engine.whatIf(asked)
    const isComparing = "select from pg_locks where relation = 'tidemark.pooled__1'::regclass and not granted"
    await until(async () => (await db.query(isComparing)).length > 0)
    await expect(direct.whatIf(asked)).rejects.toBeInstanceOf(WhatIfUnderWay)
    await session.query("commit")
    expect(await first).toMatchObject({
      projections: [{ compared: { tables: [{ rows: 1, different: 0 }] } }]
    })
    expect(await db.query("select where to_regnamespace('scratch') is not null")).toEqual([])
    expect(await engine.rebuild(definition, { verify: true })).toMatchObject({
      to: { generation: 2 },
      verified: { tables: [{ rows: 1, different: 0 }] }
    })
  } finally {
    await engine.close()
    await direct.close()
  }
})
