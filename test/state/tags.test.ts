import { describe, expect, test } from "vitest"
import { TagExists, UnknownRef } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const AT_ONCE = Array.from({ length: 8 }, (_, n) => n + 1)

const withVersions = async (agent: string) => {
  const state = log.engine.state(agent)
  for (const n of AT_ONCE) await state.update({ local: { n } })
  return state
}

describe("a tag that several move at once", () => {
  test("is moved by all of them, and lies where the last has moved it", async () => {
    const state = await withVersions("tags-1")
    await Promise.all(AT_ONCE.map((version) => state.tag("here", version, { move: true })))
    const [tag] = await state.tags()
    expect(AT_ONCE).toContain(tag!.version)
    expect(
      await log.db.query("select version::int from tidemark.streams where stream like 'statetag-here@%'")
    ).toEqual([{ version: AT_ONCE.length }])
  })

  test("is given by one of them, where none of them would move it", async () => {
    const state = await withVersions("tags-2")
    const given = await Promise.allSettled(AT_ONCE.map((version) => state.tag("once", version)))
    const refused = given.filter((one) => one.status === "rejected")
    expect(refused.map(({ reason }) => reason as unknown)).toEqual(
      AT_ONCE.slice(1).map(() => expect.any(TagExists))
    )
  })
})

describe("a tag that several take away at once", () => {
  test("is taken away by one of them, and for the others there is none any more", async () => {
    const state = await withVersions("tags-3")
    await state.tag("gone", 1)
    const taken = await Promise.allSettled(AT_ONCE.map(() => state.untag("gone")))
    const refused = taken.filter((one) => one.status === "rejected")
    expect(refused.map(({ reason }) => reason as unknown)).toEqual(
      AT_ONCE.slice(1).map(() => expect.any(UnknownRef))
    )
    expect(await state.tags()).toEqual([])
  })

  test("is taken away though others move it", async () => {
    const state = await withVersions("tags-4")
    await state.tag("moved", 1)
    await Promise.all([
      ...AT_ONCE.map((version) => state.tag("moved", version, { move: true })),
      state.untag("moved")
    ])
    expect(
      await log.db.query(
        "select type, count(*)::int from tidemark.events where stream like 'statetag-moved@%' group by 1 order by 1"
      )
    ).toEqual([
      { type: "StateTagged", count: AT_ONCE.length + 1 },
      { type: "StateUntagged", count: 1 }
    ])
  })
})
