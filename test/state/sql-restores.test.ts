import { describe, expect, test } from "vitest"
import { random, seedFor } from "../support/random.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { folded } from "./folded.ts"
import { history } from "./histories.ts"
import { inSql, snapshot } from "./sql-state.ts"

// What SQL restores is what the library would have: it folds, reads, verifies and goes on from it.

const log = testLog()
const { checkpoint, current, restore, sound } = inSql(log)

const TIERS = ["local", "shared", "session", "persistent"] as const
const HISTORIES = 5
const STEPS = 50

let made = 0
const fresh = () => log.engine.state(`restored-${(made += 1)}`)

type Values = Awaited<ReturnType<typeof snapshot>>

/** What a restore makes of a state. */
const restoredOf = (now: Values, then: Values, merge: boolean) =>
  Object.fromEntries(TIERS.map((tier) => [tier, merge ? { ...now[tier], ...then[tier] } : then[tier]]))

const tiersOf = (values: Values) => Object.fromEntries(TIERS.map((tier) => [tier, values[tier]]))

describe("restore_state_checkpoint", () => {
  const seed = seedFor("restoring states in SQL")

  test.each(upTo(HISTORIES))("makes a branch what it was, with merge and without (%i)", async (nth) => {
    const agent = `random-${nth}`
    const dice = random(seed + nth)
    const { live, checkpoints } = await history(log.engine, agent, dice, STEPS)
    const { checkpoint: last } = await log.engine.state(agent).checkpoint()
    await log.engine.state(agent).update({ shared: { plan: "another", b: null }, local: { new: nth } })
    for (const [at, id] of [...checkpoints, last, last].entries()) {
      const merge = dice.chance(0.5)
      await folded(log)
      const [point] = await log.db.query<{ branch: string; version: string }>(
        "select branch_name as branch, version from tidemark.state_checkpoints where id = $1",
        [id]
      )
      const { branch, version } = point!
      if (!live.has(branch)) {
        await expect(restore(id, merge)).rejects.toMatchObject({ code: "TM009" })
        continue
      }
      const state = log.engine.state(agent, { branch })
      const now = await snapshot(state)
      const then = await snapshot(state, { version: Number(version) })
      const [row] = await restore(id, merge)
      const after = await snapshot(state)
      expect(tiersOf(after)).toEqual(restoredOf(now, then, merge))
      if (!merge) expect(after.hash).toBe(then.hash)
      expect(row).toMatchObject({
        agent,
        branch,
        version: String(after.version),
        state_hash: after.hash
      })
      expect(after.version).toBe(now.version + (row!.changed.length > 0 ? 1 : 0))
      await sound(agent, branch)
      // The library finds that there is nothing left to do, and goes on.
      expect((await state.restore(id, { merge })).changed).toEqual([])
      await state.update({ local: { a: nth, since: at } })
      await sound(agent, branch)
    }
  })

  test("appends what the library would have", async () => {
    const [one, other] = [fresh(), fresh()]
    const points: Array<string> = []
    for (const state of [one, other]) {
      await state.update({ local: { a: 1, b: { c: [1] }, d: null }, session: { "x/y~": 1 } })
      points.push((await state.checkpoint()).checkpoint)
      await state.update({ local: { a: 2, b: null, e: 5 }, session: { "x/y~": null } })
    }
    await folded(log)
    await log.db.query("select tidemark.restore_state_checkpoint($1, actor => 'ann')", [points[0]])
    await other.restore(points[1]!, { actor: "ann" })
    const [mine, its] = await Promise.all(
      [one, other].map(async ({ agent }) => {
        const { type, data, labels, meta } = (await eventsOf(log.engine, `state-main@${agent}`)).at(-1)!
        const said = data as { patch: ReadonlyArray<{ path: string }>; to: { version: number } }
        const paths = said.patch.map(({ path }) => path).toSorted()
        const { version } = said.to
        return { type, data: { ...said, patch: paths, to: version }, labels, actor: meta.actor }
      })
    )
    const { hash } = await one.read({ version: 3 })
    expect(mine).toEqual({
      ...its,
      data: { ...its!.data, checkpoint: points[0], hash },
      labels: [`agent:${one.agent}`]
    })
    expect(mine!.data.patch).toEqual(["/local/a", "/local/b", "/local/e", "/session/x~1y~0"])
  })

  test("restores all that a checkpoint of several agents is of, or none", async () => {
    const states = [fresh(), fresh(), fresh()]
    for (const [nth, state] of states.entries()) await state.update({ local: { nth } })
    const point = await log.engine.checkpoint({ agents: states.map(({ agent }) => agent) })
    const change = async () => {
      for (const state of states) await state.update({ local: { nth: "changed" } })
    }
    await change()
    const rows = await restore(point.checkpoint)
    expect(rows.map(({ agent }) => agent)).toEqual(states.map(({ agent }) => agent).toSorted())
    for (const [nth, state] of states.entries()) {
      expect((await state.read()).local).toEqual({ nth })
      await sound(state.agent)
    }
    await change()
    const part = (await eventsOf(log.engine, `state-main@${states[1]!.agent}`)).find(
      ({ type }) => type === "StateCheckpointed"
    )
    expect(await restore(part!.id)).toEqual(
      rows.map((row) => ({ ...row, version: String(Number(row.version) + 2) }))
    )
    await change()
    await log.engine.emit(`state-main@${states[2]!.agent}`, { type: "StateBranchDeleted", data: {} })
    await expect(restore(point.checkpoint)).rejects.toMatchObject({ code: "TM009" })
    expect((await states[0]!.read()).local).toEqual({ nth: "changed" })
  })

  test("refuses what is unknown, over, or was dropped, also where only the log knows that", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const foreign = await log.engine.emit("other-1", { type: "T" })
    for (const id of [crypto.randomUUID(), foreign.events[0]!.id, null as unknown as string])
      await expect(restore(id)).rejects.toMatchObject({ code: "TM010" })
    const over = await checkpoint("$1, expires_at => now() - interval '1 hour'", [state.agent])
    await expect(restore(over.checkpoint)).rejects.toMatchObject({
      code: "TM011",
      detail: expect.stringContaining(over.checkpoint)
    })
    const dropped = await state.checkpoint()
    const session = await log.session()
    // Holds the read model up.
    await session.query("begin; select from projections where name = 'states' for update")
    await state.dropCheckpoint(dropped.checkpoint)
    await expect(restore(dropped.checkpoint)).rejects.toMatchObject({ code: "TM010" })
    await session.query("rollback")
    await folded(log)
    await expect(restore(dropped.checkpoint)).rejects.toMatchObject({ code: "TM010" })
  })

  test("refuses more than an event holds, and what is damaged", async () => {
    const state = fresh()
    const [large, larger] = ["x".repeat(600_000), "y".repeat(600_000)]
    await state.update({ local: { large } })
    await state.update({ local: { larger } })
    const point = await state.checkpoint()
    await state.update({ local: { large: null, larger: null } })
    await expect(restore(point.checkpoint)).rejects.toMatchObject({
      code: "TM014",
      detail: expect.stringContaining('"most": 1048576')
    })
    await state.update({ local: { large } })
    await restore(point.checkpoint)
    await sound(state.agent)
    await state.update({ local: { large: 1 } })
    await folded(log)
    await log.db.query(
      "update tidemark.state_keys set hash = sha256('wrong') where key = 'large' and branch in (select branch from tidemark.state_branches where agent = $1)",
      [state.agent]
    )
    await expect(restore(point.checkpoint)).rejects.toMatchObject({ code: "TM013" })
  })

  test("waits for what changes the branch alone, and says so where it waited in vain", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const point = await checkpoint("$1", [state.agent])
    await state.update({ local: { n: 2 } })
    await folded(log)
    const session = await log.session()
    await session.query("begin; select from projections where name = 'states' for update")
    await checkpoint("$1", [state.agent])
    expect(await restore(point.checkpoint)).toMatchObject([{ changed: ["/local/n"] }])
    await state.update({ local: { n: 3 } })
    const begun = performance.now()
    await expect(restore(point.checkpoint)).rejects.toMatchObject({
      code: "TM012",
      detail: expect.stringContaining('"folded"')
    })
    expect(performance.now() - begun).toBeGreaterThan(4_900)
    const waiting = restore(point.checkpoint)
    await session.query("rollback")
    expect(await waiting).toMatchObject([{ changed: ["/local/n"] }])
    await sound(state.agent)
  })

  test("waits for nothing where its snapshot does not move", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const point = await state.checkpoint()
    await state.update({ local: { n: 2 } })
    await folded(log)
    const session = await log.session()
    await session.query("begin isolation level repeatable read")
    const again = () => session.query("select restore_state_checkpoint($1)", [point.checkpoint])
    await again()
    const begun = performance.now()
    await expect(again()).rejects.toMatchObject({ code: "TM012" })
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  test("gets through beside the library's writers, and none of them loses anything", async () => {
    const state = fresh()
    const other = (await log.open()).state(state.agent)
    await state.update({ local: { n: 0 }, shared: { kept: true } })
    const point = await state.checkpoint()
    await state.update({ local: { n: 1 } })
    const writing = upTo(40).map((n) =>
      (n % 2 === 0 ? state : other).update({ persistent: { [`by-${n % 4}`]: n } })
    )
    const restoring = upTo(3).map(() => restore(point.checkpoint, true))
    await Promise.all([...writing, ...restoring])
    const { local, shared, persistent } = await state.read()
    expect({ local, shared }).toEqual({ local: { n: 0 }, shared: { kept: true } })
    expect(Object.keys(persistent)).toHaveLength(4)
    await sound(state.agent)
    await folded(log)
    expect(await current(state.agent)).toEqual([await snapshot(state)])
  })
})
