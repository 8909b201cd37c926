import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

const log = testLog()

test("blame finds what was changed before the newest hundred changes of its key", async () => {
  const state = log.engine.state("blamed-1")
  await state.update({ shared: { o: { b: 1 } } }, { actor: "ann" })
  for (let n = 1; n <= 101; n++) await state.update({ shared: { o: { a: n } } }, { actor: "bob" })
  expect(await state.blame("/shared/o/b")).toMatchObject([{ actor: "ann", version: 2 }])
  await state.branch("try")
  const branch = state.on("try")
  for (let n = 1; n <= 101; n++) await branch.update({ shared: { o: { a: -n } } })
  expect(await branch.blame("/shared/o/b")).toMatchObject([{ actor: "ann", branch: "main", version: 2 }])
  const all = await branch.blame("/shared/o", { limit: 300 })
  expect(all.map(({ version }) => version)).toEqual([
    ...Array.from({ length: 101 }, (_, n) => 102 - n),
    ...Array.from({ length: 102 }, (_, n) => 103 - n)
  ])
})
