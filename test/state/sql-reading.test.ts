import { describe, expect, test } from "vitest"
import { random, seedFor } from "../support/random.ts"
import { testLog, upTo } from "../log/test-log.ts"
import { damageEvent } from "./damage.ts"
import { folded } from "./folded.ts"
import { history } from "./histories.ts"
import { headOf, inSql, snapshot } from "./sql-state.ts"

// get_current_state, get_state_at_version and get_state_at_time say what the library says.

const log = testLog()
const sql = inSql(log)

const HISTORIES = 6
const STEPS = 60

let made = 0
const fresh = () => log.engine.state(`read-${(made += 1)}`)

describe("on random histories", () => {
  const seed = seedFor("reading states in SQL")

  test.each(upTo(HISTORIES))("each version of each branch is what the library reads (%i)", async (nth) => {
    const agent = `random-${nth}`
    const { branches, live } = await history(log.engine, agent, random(seed + nth), STEPS)
    await folded(log)
    let compared = 0
    for (const branch of branches) {
      const state = log.engine.state(agent, { branch })
      const head = await headOf(log, agent, branch)
      expect(await sql.current(agent, branch)).toEqual(live.has(branch) ? [await snapshot(state)] : [])
      for (const version of upTo(head)) {
        expect(await sql.atVersion(agent, version, branch)).toEqual([await snapshot(state, { version })])
        compared += 1
      }
      expect(await sql.atVersion(agent, head + 1, branch)).toEqual([])
    }
    expect(compared).toBeGreaterThan(STEPS / 2)
  })

  test("of which many a value is made of patches", async () => {
    const [row] = await log.db.query<{ patched: number }>(
      "select count(*)::integer as patched from tidemark.state_key_versions where value is null and not is_absent"
    )
    expect(row!.patched).toBeGreaterThan(HISTORIES * 10)
  })

  test("each time is, too, and a time is that of the last version by then", async () => {
    const agent = "random-times"
    await history(log.engine, agent, random(seed), STEPS)
    await folded(log)
    const times = await log.db.query<{ at: Date }>(
      "select distinct date_trunc('milliseconds', recorded_at) as at from tidemark.events where stream = $1",
      [`state-main@${agent}`]
    )
    const begun = Math.min(...times.map(({ at }) => at.getTime()))
    expect(await sql.atTime(agent, new Date(begun - 1))).toEqual([])
    for (const { at } of times.filter((one) => one.at.getTime() > begun))
      expect(await sql.atTime(agent, at)).toEqual([await snapshot(log.engine.state(agent), { time: at })])
    expect(await sql.atTime(agent, "infinity")).toEqual(await sql.current(agent))
  })
})

describe("a state in SQL", () => {
  test("has null where there is null, and nothing where there is nothing", async () => {
    const state = fresh()
    await state.patch([
      { op: "add", path: "/local/null", value: null },
      { op: "add", path: "/local/object", value: { null: null } },
      { op: "add", path: "/local/gone", value: 1 }
    ])
    await state.patch([{ op: "remove", path: "/local/gone" }])
    await state.patch([{ op: "add", path: "/local/null", value: [null] }])
    await folded(log)
    const [before, now] = [await sql.atVersion(state.agent, 3), await sql.current(state.agent)]
    expect(before[0]!.local).toEqual({ null: null, object: { null: null } })
    expect(now[0]!.local).toEqual({ null: [null], object: { null: null } })
  })

  test("is nothing where nothing was written, or asked for", async () => {
    expect(await sql.current("nobody")).toEqual([])
    expect(await sql.atVersion("nobody", 1)).toEqual([])
    expect(await sql.atTime("nobody", new Date())).toEqual([])
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await folded(log)
    expect(await sql.current(state.agent, "other")).toEqual([])
    for (const version of [0, -1, 3, null, "9223372036854775807"])
      expect(await sql.atVersion(state.agent, version as number)).toEqual([])
    expect(await sql.atTime(state.agent, null)).toEqual([])
  })

  test("of a name that was given twice is that of the branch that had it then", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await state.branch("again")
    await state.on("again").update({ local: { n: 2 } })
    await state.deleteBranch("again")
    await folded(log)
    expect(await sql.current(state.agent, "again")).toEqual([])
    await state.update({ local: { n: 3 } })
    await state.branch("again")
    await folded(log)
    const values = async (version: number) =>
      (await sql.atVersion(state.agent, version, "again")).map(({ local }) => local)
    expect(await values(1)).toEqual([{ n: 1 }])
    expect(await values(2)).toEqual([{ n: 2 }])
    expect(await values(4)).toEqual([{ n: 3 }])
    expect(
      (await sql.current(state.agent, "again")).map(({ local, version }) => ({ local, version }))
    ).toEqual([{ local: { n: 3 }, version: 4 }])
  })

  test("is the same once values that nothing names are let go", async () => {
    const state = fresh()
    const VERSIONS = 30
    for (const n of upTo(VERSIONS))
      await state.update({ local: { whole: [`value ${n}`, n], grown: { [`at ${n}`]: n } } })
    await state.branch("early", { at: 10 })
    await state.tag("named", 15)
    await folded(log)
    const anchors = async () => {
      const [row] = await log.db.query<{ n: number }>(
        "select count(value)::integer as n from tidemark.state_key_versions join tidemark.state_branches using (branch) where agent = $1",
        [state.agent]
      )
      return row!.n
    }
    const kept = await anchors()
    const event = { type: "StateCompacted", data: { before: VERSIONS - 5 } }
    await log.engine.emit(`state-main@${state.agent}`, event)
    await folded(log)
    expect(await anchors()).toBeLessThan(kept - VERSIONS / 2)
    for (const version of upTo(VERSIONS + 2))
      expect(await sql.atVersion(state.agent, version)).toEqual([await snapshot(state, { version })])
    expect(await sql.current(state.agent, "early")).toEqual([await snapshot(state.on("early"))])
  })

  test("is found through a chain of branches that is longer than what a branch looks through", async () => {
    const state = fresh()
    const DEPTH = 20
    await state.update({ shared: { n: 0, kept: "x".repeat(500), gone: true } })
    let branch = "main"
    for (const nth of upTo(DEPTH)) {
      await state.on(branch).branch(`deep/${nth}`)
      branch = `deep/${nth}`
      await state.on(branch).update({ shared: { n: nth, [`own-${nth}`]: nth, gone: nth === 5 ? null : nth } })
    }
    await folded(log)
    for (const nth of upTo(DEPTH))
      for (const version of [1, 2])
        expect(await sql.atVersion(state.agent, version, `deep/${nth}`)).toEqual([
          await snapshot(state.on(`deep/${nth}`), { version })
        ])
  })
})

describe("a damaged state", () => {
  test("is refused from there on, read before that, and read again once it is repaired", async () => {
    const state = fresh()
    const { agent } = state
    for (const n of upTo(5)) await state.update({ local: { n } })
    await damageEvent(log, state, 4)
    const engine = await log.open()
    await engine.rebuild("states")
    const refused = { code: "TM013", detail: JSON.stringify({ good: 3, agent, branch: "main", version: 4 }) }
    for (const asked of [
      () => sql.current(agent),
      () => sql.atVersion(agent, 4),
      () => sql.atTime(agent, new Date(Date.now() + 60_000))
    ])
      await expect(asked()).rejects.toMatchObject({
        code: refused.code,
        detail: expect.stringContaining('"good": 3')
      })
    expect(await sql.atVersion(agent, 3)).toMatchObject([{ local: { n: 2 } }])

    await engine.state(agent).repair()
    await engine.state(agent).update({ local: { n: 8 } })
    await folded(log)
    expect(await sql.current(agent)).toMatchObject([{ version: 8, local: { n: 8 } }])
    expect(await sql.atVersion(agent, 7)).toMatchObject([{ local: { n: 2 } }])
    for (const version of [4, 5, 6])
      await expect(sql.atVersion(agent, version)).rejects.toMatchObject({ code: "TM013" })
  })
})
