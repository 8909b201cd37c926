import { performance } from "node:perf_hooks"
import { expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"

const database = testDatabase()

/** Over how long it is seen whether a process rests, in ms. */
const WATCHED_MS = 300

test("an engine that follows nothing rests, also after it was woken by an append", async () => {
  await using engine = await open({ database: database.url, logger: false, readModels: "follow" })
  await engine.emit("order-1", { type: "Placed" })
  const rests = await until(async () => {
    const before = performance.eventLoopUtilization()
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS))
    return performance.eventLoopUtilization(before).utilization < 0.5
  })
  expect(rests).toBe(true)
})
