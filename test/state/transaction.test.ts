import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { TransactionEnded, VersionConflict } from "../../src/index.ts"
import { InvalidChange, PatchRefused, StateConflict, StateInvalid, UnknownBranch } from "../../src/state.ts"
import type { Tx } from "../../src/index.ts"
import { DEFAULT_POOL_SIZE } from "../../src/postgres/pool.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { collector } from "../support/eventually.ts"

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`together-${(made += 1)}`)

describe("a transaction that changes states", () => {
  test("changes several agents' together with its own events and rows: all of it, at once", async () => {
    const [from, to] = [fresh(), fresh()]
    await from.update({ shared: { tokens: 10 } })
    const stream = log.stream()
    await log.db.query("create table taken (n integer)")
    const written = await log.engine.transaction(async (tx) => {
      const { shared } = await tx.state(from.agent).read({ paths: ["/shared/tokens"] })
      const left = (shared["tokens"] as number) - 4
      await tx.state(from.agent).update({ shared: { tokens: left } }, { actor: "ada", reason: "lent" })
      await tx.query("insert into taken values (4)")
      tx.emit(stream, { type: "Lent" })
      return tx.state(to.agent).patch([{ op: "add", path: "/shared/tokens", value: 4 }])
    })
    expect(written).toMatchObject({ version: 2, changed: ["/shared/tokens"] })
    expect(await from.read()).toMatchObject({ shared: { tokens: 6 }, version: 3 })
    expect(await to.read()).toMatchObject({ shared: { tokens: 4 }, version: 2, hash: written.hash })
    const [lent] = await eventsOf(log.engine, stream)
    const [last] = (await eventsOf(log.engine, `state-main@${from.agent}`)).slice(-1)
    expect(last).toMatchObject({ meta: { actor: "ada", reason: "lent" }, labels: [`agent:${from.agent}`] })
    expect(Math.abs(last!.position - lent!.position)).toBeLessThan(3)
    for (const state of [from, to]) expect(await state.verify()).toMatchObject({ isSound: true })
  })

  test("changes nothing where it fails, and is seen by nobody before it ends", async () => {
    const [one, other] = [fresh(), fresh()]
    await one.update({ shared: { n: 1 } })
    const before = await one.read()
    const failed = log.engine.transaction(async (tx) => {
      await tx.state(one.agent).update({ shared: { n: 2 } })
      await tx.state(other.agent).update({ shared: { n: 2 } })
      await tx.flush()
      expect((await one.read()).shared).toEqual({ n: 1 })
      throw new Error("no")
    })
    await expect(failed).rejects.toThrow("no")
    expect(await one.read()).toEqual(before)
    expect((await other.read()).version).toBe(0)
  })

  test("goes on from what it has changed before, also after a flush and at the same time", async () => {
    const state = fresh()
    await state.update({ shared: { list: [] }, local: { kept: 1 } })
    await log.engine.transaction(async (tx) => {
      const within = tx.state(state.agent)
      await Promise.all(
        ["a", "b", "c"].map((value) => within.patch([{ op: "add", path: "/shared/list/-", value }]))
      )
      await tx.flush()
      await within.update({ shared: { more: { x: 1 } } })
      await within.update({ shared: { more: { y: 1 } } })
      expect(await within.read()).toMatchObject({
        shared: { list: ["a", "b", "c"], more: { x: 1, y: 1 } },
        local: { kept: 1 }
      })
      expect((await within.read({ tiers: ["local"] })).shared).toEqual({})
    })
    expect((await state.read({ cached: true })).shared).toEqual({
      list: ["a", "b", "c"],
      more: { x: 1, y: 1 }
    })
    expect(await state.verify()).toMatchObject({ isSound: true })
  })

  test("fails where somebody else has written a state meanwhile, and loses nothing of that", async () => {
    const [one, other] = [fresh(), fresh()]
    await one.update({ shared: { n: 1 } })
    const add = (tx: Tx) =>
      Promise.all([
        tx.state(one.agent).update({ shared: { mine: 1 } }),
        tx.state(other.agent).update({ shared: { mine: 1 } })
      ])
    const beaten = log.engine.transaction(async (tx) => {
      await add(tx)
      await one.update({ shared: { n: 2 } })
    })
    await expect(beaten).rejects.toBeInstanceOf(VersionConflict)
    expect((await one.read()).shared).toEqual({ n: 2 })
    expect((await other.read()).version).toBe(0)
    await log.engine.transaction(add)
    expect((await one.read()).shared).toEqual({ n: 2, mine: 1 })
    const both = log.engine.transaction(async (tx) => {
      expect((await tx.state("newborn").read()).version).toBe(0)
      await log.engine.state("newborn").update({ shared: { n: 2 } })
      await tx.state("newborn").update({ shared: { n: 1 } })
    })
    await expect(both).rejects.toBeInstanceOf(VersionConflict)
  })

  test("begins the state of an agent that others begin, too, who wait for its end", async () => {
    let late: Promise<unknown> = Promise.resolve()
    await log.engine.transaction(async (tx) => {
      await tx.state("twins").update({ shared: { first: 1 } })
      late = (await log.open()).state("twins").update({ shared: { second: 1 } })
    })
    await late
    const twins = log.engine.state("twins")
    expect((await twins.read()).shared).toEqual({ first: 1, second: 1 })
    expect(await twins.verify()).toMatchObject({ isSound: true })
  })

  test("merges what came since a base, and is refused what conflicts with it", async () => {
    const state = fresh()
    const { token } = await state.update({ shared: { plan: { a: 1 }, mode: "x" } })
    await state.update({ shared: { plan: { b: 1 }, mode: "y" } })
    await log.engine.transaction(async (tx) => {
      const within = tx.state(state.agent)
      await within.update({ shared: { plan: { c: 1 } } }, { base: token })
      const refused = within.update({ shared: { mode: "z" } }, { base: token })
      await expect(refused).rejects.toBeInstanceOf(StateConflict)
    })
    expect((await state.read()).shared).toEqual({ plan: { a: 1, b: 1, c: 1 }, mode: "y" })
  })

  test("may go on after a change that is refused, of which it has nothing", async () => {
    const agentType = "counted"
    const tiers = { shared: Schema.Struct({ n: Schema.optionalKey(Schema.Number) }) }
    await log.engine.defineState({ agentType, tiers })
    const state = log.engine.state(fresh().agent, { type: agentType })
    await log.engine.transaction(async (tx) => {
      const within = tx.state(state.agent, { type: agentType })
      await within.update({ shared: { n: 1 } })
      await expect(within.update({ shared: { n: "x" } })).rejects.toBeInstanceOf(StateInvalid)
      await expect(within.update({ other: {} } as never)).rejects.toBeInstanceOf(InvalidChange)
      const test = within.patch([{ op: "test", path: "/shared/n", value: 2 }])
      await expect(test).rejects.toBeInstanceOf(PatchRefused)
      await expect(
        tx.state(state.agent, { branch: "none" }).update({ shared: { n: 1 } })
      ).rejects.toBeInstanceOf(UnknownBranch)
      await expect(tx.state(state.agent, { branch: "none" }).read()).rejects.toBeInstanceOf(UnknownBranch)
    })
    expect(await state.read()).toMatchObject({ shared: { n: 1 }, version: 2 })
  })

  test("asks for no other connection than its own, however many there are at once", async () => {
    const agentType = "crowded"
    await log.engine.defineState({
      agentType,
      tiers: { shared: Schema.Struct({ n: Schema.Number }) },
      template: { shared: { n: 0 } }
    })
    const engine = await log.open()
    const places = upTo(3 * DEFAULT_POOL_SIZE).map((n) => [`crowd-a${n}`, `crowd-b${n}`] as const)
    let inside = 0
    let all: () => void = () => undefined
    const full = new Promise<void>((resolve) => (all = resolve))
    await Promise.all(
      places.map((agents) =>
        engine.transaction(async (tx) => {
          await tx.query("select 1")
          // Every connection is taken by then.
          if ((inside += 1) === DEFAULT_POOL_SIZE) all()
          await full
          for (const agent of agents)
            await tx.state(agent, { type: agentType }).update({ shared: { n: 1 }, local: { agent } })
        })
      )
    )
    for (const agent of places.flat())
      expect(await engine.state(agent).read()).toMatchObject({ shared: { n: 1 }, local: { agent } })
  })

  test("cannot change anything after its end", async () => {
    const state = fresh()
    const tx = await log.engine.transaction((given) => Promise.resolve({ given }))
    const late = tx.given.state(state.agent).update({ shared: { n: 1 } })
    await expect(late).rejects.toBeInstanceOf(TransactionEnded)
    expect((await state.read()).version).toBe(0)
  })

  test("may be that of a handler: what it changes is changed once with what it has handled", async () => {
    const [source, sum] = [log.stream(), fresh()]
    const attempts = collector<number>()
    const subscription = await log.engine.subscribe(
      { name: `summing-${made}`, streams: [source], from: "start", transactional: true },
      async ({ data }, { tx }) => {
        const { n } = data as { readonly n: number }
        const { shared } = await tx.state(sum.agent).read()
        await tx.state(sum.agent).update({ shared: { n: ((shared["n"] as number | undefined) ?? 0) + n } })
        attempts.push(n)
      }
    )
    await log.engine.emit(
      source,
      [1, 2, 3, 4].map((n) => ({ type: "Counted", data: { n } }))
    )
    expect(await attempts.reaches(4)).toEqual([1, 2, 3, 4])
    await subscription.stop()
    expect((await sum.read()).shared).toEqual({ n: 10 })
    const caused = (await eventsOf(log.engine, `state-main@${sum.agent}`)).map(({ meta }) => meta.causationId)
    expect(new Set(caused).size).toBe(4)
  })
})
