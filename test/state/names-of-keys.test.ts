import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const NAMES = [
  "",
  "-",
  "0",
  "~",
  "/",
  "~1",
  "constructor",
  "hasOwnProperty",
  "conversation_history",
  "k".repeat(40),
  "~/".repeat(20),
  "é😀"
]

test.each(NAMES)("a key may be called %j: what is beside it in its tier stays", async (name) => {
  const state = log.engine.state(`named-${NAMES.indexOf(name)}`)
  await state.update({ local: { a: 1 }, shared: { [name]: { [name]: 0 } } })
  await state.update({ local: { [name]: "here" }, shared: { [name]: { [name]: 1 } } })
  expect(await state.read()).toMatchObject({
    local: { a: 1, [name]: "here" },
    shared: { [name]: { [name]: 1 } }
  })
  const last = await state.update({ local: { [name]: null } })
  expect((await state.read()).local).toEqual({ a: 1 })
  for (const [from, to, local] of [
    [last.version, last.version - 1, { a: 1, [name]: "here" }],
    [last.version - 1, last.version, { a: 1 }]
  ] as const) {
    const [change] = await state.diff(from, to)
    expect(change!.path).not.toBe("/local")
    expect((await state.read({ version: to })).local).toEqual(local)
  }
  const cold = (await log.open()).state(state.agent)
  expect((await cold.read()).local).toEqual({ a: 1 })
  expect(await cold.verify()).toMatchObject({ isSound: true })
})
