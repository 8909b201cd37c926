import { describe, expect, test } from "vitest"
import { NotAllowed, NotFound } from "../../src/errors.ts"
import type { Engine } from "../../src/index.ts"
import { eventsOf, somebodyWaits, testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

/** The shortest there is. */
const SHORT_MS = 1_000
/** Of which a twentieth is soon over. */
const LONGER_MS = 10_000
const DAY_MS = 86_400_000

let made = 0
const fresh = (name: string) => `${name}-${(made += 1)}`

const created = async (more: { ttlMs?: number; user?: string; agent?: string; data?: {} } = {}) =>
  (await log.engine.sessions.create({ session: fresh("s"), user: "ada", ...more })).session

/** A session whose time is over, of which no event says so. */
const outlived = async (more: { user?: string; agent?: string } = {}) => {
  const session = await created({ ttlMs: SHORT_MS, ...more })
  await isOver(session)
  return session
}

const isOver = (session: string) =>
  until(async () => (await log.engine.sessions.get({ session }))?.status === "expired", {
    what: "the session's time to be over"
  })

/** Until its time is over, unless it was ended before. */
const isSettled = (session: string) =>
  until(async () => (await log.engine.sessions.get({ session }))?.status !== "active")

const typesIn = async (session: string) =>
  (await eventsOf(log.engine, `session-${session}`)).map(({ type }) => type)

describe("a session", () => {
  test("is of a user and an agent, holds data, and lasts a day unless it is said otherwise", async () => {
    const { sessions } = log.engine
    const user = fresh("user")
    const { session, position } = await sessions.create({
      user,
      agent: "billing-7",
      data: { context: "conversation" }
    })
    expect(session).toMatch(/^[0-9a-f-]{36}$/)
    const one = (await sessions.get({ session }))!
    expect(one).toMatchObject({
      id: position,
      session,
      user,
      agent: "billing-7",
      data: { context: "conversation" },
      status: "active",
      ttlMs: DAY_MS,
      endedAt: null,
      occurredAt: null
    })
    expect(one.touchedAt).toEqual(one.recordedAt)
    expect(one.expiresAt.getTime() - one.touchedAt.getTime()).toBe(DAY_MS)
    const lone = await created({ ttlMs: 5_000 })
    expect(await sessions.get({ session: lone })).toMatchObject({ agent: null, data: {}, ttlMs: 5_000 })
    expect(await sessions.get({ session: fresh("nobody") })).toBeNull()
  })

  test("says when it was created by the caller's clock, and counts its time by the database's", async () => {
    const { sessions } = log.engine
    const occurredAt = "2020-01-31T12:00:00Z"
    const { session } = await sessions.create({ user: "ada", occurredAt })
    const one = (await sessions.get({ session }))!
    expect(one).toMatchObject({
      status: "active",
      createdAt: new Date(occurredAt),
      occurredAt: new Date(occurredAt)
    })
    expect(one.expiresAt.getTime() - one.recordedAt.getTime()).toBe(DAY_MS)
  })

  test("that is touched is not written down each time, but for its data", async () => {
    const { sessions } = log.engine
    const session = await created()
    expect(await sessions.touch({ session })).toBeNull()
    const before = (await sessions.get({ session }))!
    const { position } = (await sessions.touch({ session, data: { step: 2 } }))!
    expect(position).toBeGreaterThan(before.id)
    const after = (await sessions.get({ session }))!
    expect(after.data).toEqual({ step: 2 })
    expect(after.touchedAt.getTime()).toBeGreaterThanOrEqual(before.touchedAt.getTime())
    expect(after.createdAt).toEqual(before.createdAt)
    expect(await sessions.touch({ session })).toBeNull()
    expect(await typesIn(session)).toEqual(["SessionCreated", "SessionTouched"])
  })

  test("lasts its whole time from a touch on that is written down, and keeps its data", async () => {
    const { sessions } = log.engine
    const session = await created({ ttlMs: LONGER_MS, data: { kept: true } })
    const before = (await sessions.get({ session }))!
    await until(() => sessions.touch({ session }), { what: "a twentieth of its time to pass" })
    const after = (await sessions.get({ session }))!
    const passed = after.touchedAt.getTime() - before.touchedAt.getTime()
    expect(passed).toBeGreaterThanOrEqual(LONGER_MS / 20)
    expect(after.expiresAt.getTime()).toBe(after.touchedAt.getTime() + LONGER_MS)
    expect(after).toMatchObject({ status: "active", data: { kept: true } })
    await sessions.end({ session })
  })

  test("that was ended is over for good", async () => {
    const { sessions } = log.engine
    const session = await created()
    await sessions.end({ session, reason: "signed out", occurredAt: "2026-01-31T12:00:00Z" })
    const ended = (await sessions.get({ session }))!
    expect(ended).toMatchObject({ status: "ended", endedAt: new Date("2026-01-31T12:00:00Z") })
    for (const again of [
      () => sessions.touch({ session }),
      () => sessions.touch({ session, data: {} }),
      () => sessions.end({ session })
    ]) {
      const refused = await again().catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(NotAllowed)
      expect(refused).toMatchObject({ status: "ended" })
    }
    await expect(sessions.create({ session, user: "ada" })).rejects.toBeInstanceOf(NotAllowed)
    expect(await sessions.get({ session })).toEqual(ended)
    const events = await eventsOf(log.engine, `session-${session}`)
    expect(events.map(({ meta }) => meta.reason)).toEqual([undefined, "signed out"])
  })

  test("that is not there is not touched, nor ended, and says so", async () => {
    const { sessions } = log.engine
    const session = fresh("nobody")
    await expect(sessions.touch({ session })).rejects.toBeInstanceOf(NotFound)
    await expect(sessions.end({ session })).rejects.toThrow(JSON.stringify(session))
  })

  test("whose time is over is expired for every read and every command, whether an event says so or not", async () => {
    const { sessions } = log.engine
    const [user, agent] = [fresh("user"), fresh("agent")]
    const session = await outlived({ user, agent })
    const before = (await sessions.get({ session }))!
    expect(before).toMatchObject({ status: "expired", endedAt: before.expiresAt })
    const looks = async () => ({
      active: await sessions.list({ user, status: "active" }),
      expired: (await sessions.list({ agent, status: "expired" })).map((one) => one.session),
      all: (await sessions.list({ user })).map(({ status }) => status),
      sql: await log.db.query(
        "select status, ended_at = expires_at as at from tidemark.sessions where session_id = $1",
        [session]
      ),
      touched: await sessions.touch({ session }).catch(({ status }: NotAllowed) => status),
      ended: await sessions.end({ session }).catch(({ status }: NotAllowed) => status)
    })
    const unswept = await looks()
    expect(unswept).toEqual({
      active: [],
      expired: [session],
      all: ["expired"],
      sql: [{ status: "expired", at: true }],
      touched: "expired",
      ended: "expired"
    })
    expect(await typesIn(session)).toEqual(["SessionCreated"])
    expect((await sessions.expire()).sessions).toContain(session)
    expect(await looks()).toEqual(unswept)
    const { recordedAt: _then, ...known } = before
    expect(await sessions.get({ session })).toMatchObject(known)
    const [, said] = await eventsOf(log.engine, `session-${session}`)
    expect(said).toMatchObject({
      type: "SessionExpired",
      data: { expiredAt: before.expiresAt.toISOString() },
      meta: { actor: "expiry" }
    })
  })

  test.each(["touch", "end"] as const)(
    "is not saved by a %s that is recorded when its time is over, and whoever sent it hears so",
    async (verb) => {
      const { sessions } = log.engine
      const session = await created({ ttlMs: 3 * SHORT_MS })
      expect(await sessions.get({ session })).toMatchObject({ status: "active" })
      // Somebody holds the stream, and nothing comes of it.
      const other = await log.session()
      await other.query("begin")
      await other.query(`select append_events($1, '[{"type": "Something"}]')`, [`session-${session}`])
      const late =
        verb === "touch"
          ? sessions.touch({ session, data: { late: true } })
          : sessions.end({ session, reason: "late" })
      const refused = late.catch((error: unknown) => error)
      await somebodyWaits(log.db)
      await isOver(session)
      await other.query("rollback")
      expect(await refused).toBeInstanceOf(NotAllowed)
      expect(await refused).toMatchObject({ status: "expired" })
      expect(await sessions.get({ session })).toMatchObject({ status: "expired", data: {} })
      await sessions.expire()
      const last = verb === "touch" ? "SessionTouched" : "SessionEnded"
      expect(await typesIn(session)).toEqual(["SessionCreated", last, "SessionExpired"])
      expect(await sessions.get({ session })).toMatchObject({ status: "expired", data: {} })
    }
  )
})

describe("several engines at once", () => {
  const both = async <A>(work: (engine: Engine, nth: number) => Promise<A>, times: number) => {
    const other = await log.open()
    return Promise.allSettled(
      Array.from({ length: times }, (_, nth) => work(nth % 2 === 0 ? log.engine : other, nth))
    )
  }
  const succeeded = (all: ReadonlyArray<PromiseSettledResult<unknown>>) =>
    all.filter(({ status }) => status === "fulfilled").length

  test("create a session of one id once, and end it once", async () => {
    const session = fresh("s")
    const TIMES = 8
    const creating = await both((engine, nth) => engine.sessions.create({ session, user: `u-${nth}` }), TIMES)
    expect(succeeded(creating)).toBe(1)
    const ending = await both((engine) => engine.sessions.end({ session }), TIMES)
    expect(succeeded(ending)).toBe(1)
    for (const one of [...creating, ...ending])
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(NotAllowed)
    expect(await typesIn(session)).toEqual(["SessionCreated", "SessionEnded"])
  })

  test("that touch one session write a sign of life at a time", async () => {
    const session = await created()
    expect(await log.engine.sessions.get({ session })).toMatchObject({ status: "active" })
    // As if two hours had passed, which is more than a twentieth of its time.
    await log.db.query(
      `update tidemark.session_records
       set touched_at = touched_at - interval '2 hours', expires_at = expires_at - interval '2 hours' where session_id = $1`,
      [session]
    )
    const touching = await both((engine) => engine.sessions.touch({ session }), 40)
    expect(succeeded(touching)).toBe(40)
    expect(await typesIn(session)).toEqual(["SessionCreated", "SessionTouched"])
  })

  test("expire each session once, in small steps as in large ones, and none that is alive", async () => {
    const MANY = 60
    const user = fresh("user")
    const alive = await created({ user })
    const ids = await Promise.all(Array.from({ length: MANY }, () => created({ user, ttlMs: SHORT_MS })))
    for (const session of ids) await isOver(session)
    const expiring = await both(
      (engine, nth) => engine.sessions.expire({ limit: [7, 25, 1_000][nth % 3]! }),
      12
    )
    const said = expiring.flatMap((one) => (one.status === "fulfilled" ? one.value.sessions : []))
    expect(succeeded(expiring)).toBe(12)
    const expired = said.filter((session) => ids.includes(session))
    expect(expired.toSorted()).toEqual(ids.toSorted())
    for (const session of ids) expect(await typesIn(session)).toEqual(["SessionCreated", "SessionExpired"])
    expect(await log.engine.sessions.get({ session: alive })).toMatchObject({ status: "active" })
    expect(await typesIn(alive)).toEqual(["SessionCreated"])
  })

  test("say how much is left to expire", async () => {
    const ids = [await outlived(), await outlived(), await outlived()]
    const { sessions } = log.engine
    const first = await sessions.expire({ limit: 2 })
    expect(first).toMatchObject({ more: true, sessions: [expect.anything(), expect.anything()] })
    const second = await sessions.expire({ limit: 10 })
    expect(second.more).toBe(false)
    expect([...first.sessions, ...second.sessions].toSorted()).toEqual(ids.toSorted())
    expect(await sessions.expire()).toEqual({ sessions: [], more: false })
  })

  test("expire sessions by themselves", async () => {
    const session = await created({ ttlMs: SHORT_MS })
    const other = await log.open({ sessionSweepMs: 50 })
    await until(async () => (await typesIn(session)).includes("SessionExpired"))
    await other.close()
    expect(await typesIn(session)).toEqual(["SessionCreated", "SessionExpired"])
  })
})

test("commands decide on the log where nobody has folded anything", async () => {
  const url = await log.db.fresh()
  await (await log.open({ database: url })).close()
  const { sessions } = await log.open({ database: url, readModels: "follow" })
  const { session } = await sessions.create({ user: "ada", data: { n: 0 } })
  expect(await sessions.touch({ session })).toBeNull()
  await sessions.touch({ session, data: { n: 1 } })
  await sessions.end({ session })
  await expect(sessions.touch({ session, data: { n: 2 } })).rejects.toMatchObject({ status: "ended" })
  await expect(sessions.end({ session })).rejects.toMatchObject({ status: "ended" })
  await expect(sessions.end({ session: "none" })).rejects.toBeInstanceOf(NotFound)
})

test("sessions are listed by user, agent and status, page by page", async () => {
  const { sessions } = log.engine
  const [user, agent] = [fresh("user"), fresh("agent")]
  const ids: Array<string> = []
  for (const more of [{}, { agent }, {}, { agent }, { ttlMs: SHORT_MS }, { agent, ttlMs: SHORT_MS }])
    ids.push(await created({ user, ...more }))
  await sessions.end({ session: ids[2]! })
  await sessions.end({ session: ids[3]! })
  await isOver(ids[4]!)
  await isOver(ids[5]!)
  const listed = async (given: Parameters<typeof sessions.list>[0]) =>
    (await sessions.list(given)).map(({ session }) => ids.indexOf(session))
  const all = async () => [
    await listed({ user }),
    await listed({ user, agent }),
    await listed({ user, status: "active" }),
    await listed({ user, status: "ended" }),
    await listed({ user, status: "expired" }),
    await listed({ agent, status: "expired" }),
    await listed({ user, agent, status: "ended" })
  ]
  const wanted = [[5, 4, 3, 2, 1, 0], [5, 3, 1], [1, 0], [3, 2], [5, 4], [5], [3]]
  expect(await all()).toEqual(wanted)
  await sessions.expire()
  expect(await all()).toEqual(wanted)
  const [, second] = await sessions.list({ user, limit: 2 })
  expect(await listed({ user, limit: 3, before: second!.id })).toEqual([3, 2, 1])
  expect((await sessions.list({ limit: 1 })).map(({ session }) => ids.indexOf(session))).toEqual([5])
})

test("whatever is in the streams of sessions folds alike live, cut anywhere, and rebuilt, and as the commands see it", async () => {
  const { chance, oneOf } = random(seedFor("sessions"))
  const { engine } = log
  const ids = [fresh("any"), fresh("any"), fresh("any"), fresh("any")]
  const events = () =>
    oneOf([
      { type: "SessionCreated", data: { user: "u", data: {}, ttlMs: oneOf([SHORT_MS, DAY_MS]) } },
      { type: "SessionTouched", data: {} },
      { type: "SessionTouched", data: { data: { n: oneOf([1, 2]) }, occurredAt: "2026-01-31T12:00:00Z" } },
      { type: oneOf(["SessionEnded", "SessionTouched"]), data: {} },
      { type: oneOf(["SessionExpired", "SessionTouched"]), data: { expiredAt: "2026-01-31T12:00:00Z" } },
      { type: "SomethingElse", data: {} }
    ])
  const STEPS = 60
  for (let step = 0; step < STEPS; step++) {
    await engine.emit(`session-${oneOf(ids)}`, [events(), events()])
    if (chance(0.2)) await engine.emit(`other-${step}`, events())
    // Waits until it is folded, so that batches are cut here.
    if (chance(0.4)) await engine.sessions.list({ limit: 1 })
  }
  const { verified } = await engine.rebuild("sessions", { verify: true })
  expect(
    verified?.tables.map(({ different, onlyLive, onlyRebuilt }) => [different, onlyLive, onlyRebuilt])
  ).toEqual([[0, 0, 0]])
  for (const session of ids) {
    if ((await engine.sessions.get({ session }))?.ttlMs === SHORT_MS) await isSettled(session)
    const row = await engine.sessions.get({ session })
    const touching = engine.sessions.touch({ session, data: { last: true } })
    if (row === null) await expect(touching).rejects.toBeInstanceOf(NotFound)
    else if (row.status === "active") expect(await touching).not.toBeNull()
    else await expect(touching).rejects.toMatchObject({ status: row.status })
  }
})
