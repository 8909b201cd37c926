import { describe, expect, test } from "vitest"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { folded } from "./folded.ts"
import { headOf, inSql, snapshot } from "./sql-state.ts"

// cleanup_expired_states ends what is over, once.

const log = testLog()
const sql = inSql(log)

let made = 0
const fresh = () => log.engine.state(`over-${(made += 1)}`)

interface Ended {
  readonly sessions: number
  readonly checkpoints: number
  readonly [column: string]: unknown
}

const cleanup = async (most = 1_000): Promise<Ended> => {
  const [row] = await log.db.query<Ended>("select * from tidemark.cleanup_expired_states($1)", [most])
  return row!
}

const wake = async () => {
  await log.db.query("select tidemark.wake()")
  await folded(log)
}

const past = () => new Date(Date.now() - 1_000)

/** A state whose session is over. */
const withSession = async (values: Record<string, number> = { a: 1, b: 2 }) => {
  const state = fresh()
  await state.update({ local: { kept: true } })
  await state.startSession("s", { ttlMs: 1 })
  await state.update({ session: values })
  return state
}

const lastOf = async (agent: string, branch = "main") =>
  (await eventsOf(log.engine, `state-${branch}@${agent}`)).at(-1)!

describe("cleanup_expired_states", () => {
  test("ends sessions that are over, with what they had, and no others", async () => {
    const [over, empty] = [await withSession(), await withSession({})]
    const going = fresh()
    await going.startSession("long", { ttlMs: 3_600_000 })
    await going.update({ session: { a: 1 } })
    const ended = await withSession()
    await ended.endSession()
    await folded(log)
    expect(await cleanup()).toEqual({ sessions: 2, checkpoints: 0 })
    await wake()
    for (const state of [over, empty]) {
      expect(await state.read()).toMatchObject({ session: {}, local: { kept: true } })
      expect(await state.verify()).toMatchObject({ isSound: true, stale: [] })
      expect(await sql.current(state.agent)).toEqual([await snapshot(state)])
      expect((await lastOf(state.agent)).data).toMatchObject({ session: "s", why: "expired" })
    }
    expect((await lastOf(over.agent)).labels).toEqual([`agent:${over.agent}`])
    expect((await going.read()).session).toEqual({ a: 1 })
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 0 })
    await over.update({ session: { c: 3 } })
    expect(await over.verify()).toMatchObject({ isSound: true })
  })

  test("ends checkpoints that are over, and no others, in the stream of a branch that is there", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await state.branch("side")
    const over = await state.checkpoint({ expiresAt: past() })
    const going = await state.checkpoint({ expiresAt: new Date(Date.now() + 3_600_000) })
    const lasting = await state.checkpoint()
    const dropped = await state.checkpoint({ expiresAt: past() })
    await state.dropCheckpoint(dropped.checkpoint)
    const orphan = await state.on("side").checkpoint({ expiresAt: past() })
    await state.deleteBranch("side")
    await folded(log)
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 2 })
    await wake()
    const rows = await log.db.query<{ id: string; why: string | null }>(
      "select id, dropped_because as why from tidemark.state_checkpoints where agent_id = $1",
      [state.agent]
    )
    expect(new Map(rows.map(({ id, why }) => [id, why]))).toEqual(
      new Map([
        [over.checkpoint, "expired"],
        [going.checkpoint, null],
        [lasting.checkpoint, null],
        [dropped.checkpoint, "deleted"],
        [orphan.checkpoint, "expired"]
      ])
    )
    expect(await state.verify()).toMatchObject({ isSound: true })
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 0 })
  })

  test("ends a session and checkpoints of one branch in one append", async () => {
    const state = await withSession()
    for (const _ of upTo(3)) await state.checkpoint({ expiresAt: past() })
    await folded(log)
    const before = await headOf(log, state.agent)
    expect(await cleanup()).toEqual({ sessions: 1, checkpoints: 3 })
    expect(await headOf(log, state.agent)).toBe(before + 4)
    await wake()
    expect(await state.verify()).toMatchObject({ isSound: true })
  })

  test("ends so many at most", async () => {
    const states = await Promise.all(upTo(3).map(() => withSession()))
    for (const state of states) await state.checkpoint({ expiresAt: past() })
    await folded(log)
    expect(await cleanup(2)).toEqual({ sessions: 2, checkpoints: 2 })
    await wake()
    expect(await cleanup(2)).toEqual({ sessions: 1, checkpoints: 1 })
    await wake()
    expect(await cleanup(0)).toEqual({ sessions: 0, checkpoints: 0 })
  })

  test("ends nothing twice while the read model has not followed, and leaves what was written since", async () => {
    const [one, other, written, ended] = [
      await withSession(),
      await withSession(),
      await withSession(),
      await withSession()
    ]
    await one.checkpoint({ expiresAt: past() })
    const dropped = await one.checkpoint({ expiresAt: past() })
    await folded(log)
    const session = await log.session()
    await session.query("begin; select from projections where name = 'states' for update")
    await written.update({ session: { c: 3 } })
    await ended.endSession()
    await one.dropCheckpoint(dropped.checkpoint)
    expect(await cleanup()).toEqual({ sessions: 2, checkpoints: 1 })
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 0 })
    await session.query("rollback")
    await wake()
    expect(await cleanup()).toEqual({ sessions: 1, checkpoints: 0 })
    await wake()
    for (const state of [one, other, written, ended]) {
      expect((await state.read()).session).toEqual({})
      expect(await state.verify()).toMatchObject({ isSound: true })
    }
  })

  test("of several at once each ends what no other does, and waits for nobody", async () => {
    const states = await Promise.all(upTo(12).map(() => withSession()))
    for (const state of states) await state.checkpoint({ expiresAt: past() })
    await folded(log)
    const session = await log.session()
    await session.query("begin")
    await session.query("select create_state_checkpoint($1)", [states[0]!.agent])
    const all = await Promise.all(upTo(4).map(() => cleanup()))
    const sum = (what: "sessions" | "checkpoints") => all.reduce((n, ended) => n + ended[what], 0)
    expect([sum("sessions"), sum("checkpoints")]).toEqual([11, 11])
    await session.query("commit")
    await wake()
    expect(await cleanup()).toEqual({ sessions: 1, checkpoints: 1 })
    await wake()
    for (const state of states) {
      const types = (await eventsOf(log.engine, `state-main@${state.agent}`)).map(({ type }) => type)
      expect(types.filter((type) => type === "StateSessionEnded")).toHaveLength(1)
      expect(types.filter((type) => type === "StateCheckpointDropped")).toHaveLength(1)
      expect(await state.verify()).toMatchObject({ isSound: true })
    }
  })

  test("ends a session of more keys than one event can name in several events", async () => {
    const state = await withSession(Object.fromEntries(upTo(5_000).map((n) => [`${"k".repeat(200)}${n}`, n])))
    await folded(log)
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 0 })
    await wake()
    expect(Object.keys((await state.read()).session).length).toBeLessThan(2_000)
    expect(await cleanup()).toEqual({ sessions: 1, checkpoints: 0 })
    await wake()
    expect(await state.read()).toMatchObject({ session: {}, local: { kept: true } })
    expect(await state.verify()).toMatchObject({ isSound: true, stale: [] })
  })

  test("leaves a branch that was deleted, or is damaged", async () => {
    const [deleted, damaged] = [fresh(), fresh()]
    await deleted.update({ local: { n: 1 } })
    await deleted.branch("side")
    await deleted.on("side").startSession("s", { ttlMs: 1 })
    await deleted.deleteBranch("side")
    await damaged.startSession("s", { ttlMs: 1 })
    await damaged.checkpoint({ expiresAt: past() })
    const { hash } = await damaged.read()
    const patch = [{ op: "add", path: "/local/n", value: 1 }]
    await log.engine.emit(`state-main@${damaged.agent}`, {
      type: "StateChanged",
      data: { semantics: 1, patch, hash }
    })
    await until(
      () =>
        log.db
          .query("select from tidemark.state_branches where agent = $1 and faults <> '[]'", [damaged.agent])
          .then(({ length }) => length === 1),
      { what: "the fault to be seen" }
    )
    const before = await headOf(log, damaged.agent)
    expect(await cleanup()).toEqual({ sessions: 0, checkpoints: 0 })
    expect(await headOf(log, damaged.agent)).toBe(before)
  })
})
