import { expect, test } from "vitest"
import { collector } from "../../support/eventually.ts"
import { testLog } from "../test-log.ts"

const log = testLog()

test("from now on means from now on, also where an append under way holds up a log that nobody has followed yet", async () => {
  const stream = log.stream()
  await log.engine.emit(stream, [{ type: "Before" }, { type: "Before" }])
  const slow = await log.session()
  await slow.query("begin")
  await slow.query(`select append_events('slow-1', '[{"type": "Slow"}]')`)
  const seen = collector<string>()
  const subscription = await log.engine.subscribe({}, ({ type }) => seen.push(type))
  await log.engine.emit(stream, { type: "After" })
  await slow.query("commit")
  await seen.reaches(2)
  expect(seen.items.toSorted()).toEqual(["After", "Slow"])
  await subscription.stop()
})

test("an engine closes in bounded time over a handler that never ends", async () => {
  const engine = await log.open()
  const stream = log.stream()
  const reached = collector<number>()
  await engine.subscribe({ streams: [stream] }, ({ position }) => {
    reached.push(position)
    return new Promise(() => undefined)
  })
  await engine.emit(stream, { type: "Stuck" })
  await reached.reaches(1)
  const begun = performance.now()
  await engine.close()
  expect(performance.now() - begun).toBeLessThan(15_000)
})
