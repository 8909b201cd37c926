import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

// What an engine remembers of a state may be old: nobody's write is lost by that.

const log = testLog()

test("an update back to what an engine remembers is made all the same, where another has changed it since", async () => {
  const one = log.engine.state("shared")
  const other = (await log.open()).state("shared")
  await one.update({ local: { n: 1 } })
  await other.update({ local: { n: 2 } })
  expect(await one.update({ local: { n: 1 } })).toMatchObject({ version: 4, changed: ["/local/n"] })
  expect((await other.read()).local).toEqual({ n: 1 })
  await other.patch([{ op: "remove", path: "/local/n" }])
  await one.patch([{ op: "add", path: "/local/n", value: 1 }])
  expect((await other.read()).local).toEqual({ n: 1 })
})

test("a session that another engine began is ended by one that remembers none", async () => {
  const one = log.engine.state("seated")
  const other = (await log.open()).state("seated")
  await one.update({ local: { n: 1 } })
  await other.startSession("s")
  await other.update({ session: { a: 1 } })
  await one.endSession()
  expect((await other.read()).session).toEqual({})
})

test("an update that changes nothing appends nothing", async () => {
  const state = log.engine.state("same")
  const { version } = await state.update({ local: { n: 1 } })
  expect(await state.update({ local: { n: 1 } })).toMatchObject({ version, changed: [] })
})
