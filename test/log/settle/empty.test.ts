import { expect, test } from "vitest"
import { testLog } from "../test-log.ts"

const log = testLog()

test("a log that nobody has written to is settled at 0, has nothing to read, and nobody is behind", async () => {
  const status = await log.engine.status()
  expect(status).toMatchObject({ settled: 0, head: 0, unsettledForMs: 0, durable: [] })
  expect(status.feed.heldBy).toEqual([])
  for (const projection of status.projections)
    expect(projection).toMatchObject({ position: 0, lag: { atMost: 0 }, lagMs: 0, rate: 0, error: undefined })
  expect(await log.db.query("select from tidemark.read_log(0)")).toEqual([])
  const replayed = []
  for await (const event of log.engine.replay({})) replayed.push(event)
  expect(replayed).toEqual([])
})
