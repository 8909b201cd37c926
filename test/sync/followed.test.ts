import { expect, test, vi } from "vitest"
import { States, type StateChange } from "../../src/effect.ts"
import { KEPT_EVENTS } from "../../src/sync/followed.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { collector } from "../support/eventually.ts"

// Watches of one branch in one engine share what is known of it: it is loaded once, and each event is worked out once.

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`followed-${(made += 1)}`)
type State = ReturnType<typeof fresh>

/** Counts what is loaded by this engine, for whatever purpose. */
const loads = () => {
  const { statesService } = log.engine as unknown as { readonly statesService: States["Service"] }
  return vi.spyOn(statesService.parts.store, "load")
}

const watching = async (state: State, paths: ReadonlyArray<string>) => {
  const seen = collector<StateChange>()
  const watch = await state.watch(paths, seen.push)
  return { ...seen, watch }
}

const after = ({ changes }: StateChange) => changes.map(({ path, after: value }) => [path, value])

const MANY = 100

test("many watches of a branch load it once, and none does at its first change", async () => {
  const state = fresh()
  await state.update({ local: { n: 0 }, shared: { m: 0 } })
  const load = loads()
  const all = []
  for (const _ of upTo(MANY)) all.push(await watching(state, ["/local/n"]))
  expect(load.mock.calls.length).toBeLessThanOrEqual(2)
  load.mockClear()
  for (const n of upTo(5)) await state.update({ local: { n } })
  for (const { reaches } of all)
    expect((await reaches(5)).map(after)).toEqual(upTo(5).map((n) => [["/local/n", n]]))
  expect(load).not.toHaveBeenCalled()
  const [first, second] = all.map(({ items }) => items[0])
  expect(first).toBe(second)
  load.mockRestore()
  for (const { watch } of all) await watch.stop()
})

test("each is told what it looks for, whatever the others look for and whenever they come", async () => {
  const state = fresh()
  await state.update({ local: { n: 0 }, shared: { m: 0 } })
  const narrow = await watching(state, ["/local/n"])
  await state.update({ local: { n: 1 }, shared: { m: 1 } })
  await narrow.reaches(1)
  const wide = await watching(state, ["/shared"])
  const deep = await watching(state, ["/**"])
  await state.update({ local: { n: 2 }, shared: { m: 2 } })
  await wide.reaches(1)
  await wide.watch.stop()
  await state.update({ local: { n: 3 }, shared: { m: 3 }, persistent: { k: 1 } })
  expect((await narrow.reaches(3)).map(after)).toEqual([1, 2, 3].map((n) => [["/local/n", n]]))
  expect(wide.items.map(after)).toEqual([[["/shared", { m: 2 }]]])
  expect((await deep.reaches(2)).map((change) => after(change).toSorted())).toEqual([
    [
      ["/local/n", 2],
      ["/shared/m", 2]
    ],
    [
      ["/local/n", 3],
      ["/persistent/k", 1],
      ["/shared/m", 3]
    ]
  ])
})

test("one whose handler is slow holds no other back, and hears all in order when it goes on", async () => {
  const state = fresh()
  await state.update({ local: { n: 0 } })
  const heard = collector<StateChange>()
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await state.watch(["/local/n"], async (change) => {
    heard.push(change)
    if (heard.items.length === 1) await released
  })
  const quick = await watching(state, ["/local/n"])
  const changes = 3 * KEPT_EVENTS
  for (const n of upTo(changes)) await state.update({ local: { n } })
  await quick.reaches(changes)
  expect(heard.items).toHaveLength(1)
  release()
  const told = upTo(changes).map((n) => [["/local/n", n]])
  expect((await heard.reaches(changes)).map(after)).toEqual(told)
  expect(quick.items.map(after)).toEqual(told)
  await state.update({ local: { n: -1 } })
  for (const { reaches } of [heard, quick])
    expect(after((await reaches(changes + 1)).at(-1)!)).toEqual([["/local/n", -1]])
})
