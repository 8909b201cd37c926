import { describe, expect, test } from "vitest"
import { TagExists } from "../../src/errors.ts"
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
