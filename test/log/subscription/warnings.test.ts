import { afterAll, beforeAll, expect, test } from "vitest"
import { collector } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

// Node warns of more listeners on one target than it thinks sound: of what a reader leaves behind with each page.

const log = testLog()

const warnings: Array<string> = []
const note = (warning: Error) => void warnings.push(`${warning.name}: ${warning.message}`)
beforeAll(() => void process.on("warning", note))
afterAll(() => void process.off("warning", note))

const pages = 50
const page = 1_000

test("a subscription that reads many pages warns of nothing", async () => {
  const stream = log.stream()
  for (const _ of upTo(pages))
    await log.engine.emit(
      stream,
      upTo(page).map(() => ({ type: "N" }))
    )
  for (const handler of [() => undefined, () => Promise.resolve()]) {
    const heard = collector<number>()
    let count = 0
    const subscription = await log.engine.subscribe({ from: "start" }, () => {
      count += 1
      if (count === pages * page) heard.push(count)
      return handler()
    })
    await heard.reaches(1)
    await subscription.stop()
  }
  // Node tells of a warning in a turn of its own.
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
})
