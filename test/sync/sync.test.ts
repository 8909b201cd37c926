import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { InvalidArgument } from "../../src/index.ts"
import { type StateChange, type SyncOptions, UnknownBranch } from "../../src/state.ts"
import { collector } from "../support/eventually.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`synced-${(made += 1)}`)
type State = ReturnType<typeof fresh>

/** States that somebody has written. */
const written = async (count: number): Promise<ReadonlyArray<State>> => {
  const states = upTo(count).map(fresh)
  for (const state of states) await state.update({ local: { own: state.agent } })
  return states
}

const sync = (from: State, to: ReadonlyArray<State>, options: Partial<SyncOptions> = {}) =>
  log.engine.sync({
    keys: ["/shared/**"],
    ...options,
    from: from.agent,
    to: to.map(({ agent }) => agent)
  })

/** With one target: what it has come to there. */
const syncOne = async (from: State, to: State, options: Partial<SyncOptions> = {}) => {
  const { targets } = await sync(from, [to], options)
  return targets[0]!
}

const shared = async (state: State) => (await state.read()).shared

describe("a synchronisation", () => {
  test("takes over the keys that it names, in one event that says from where, and leaves all else", async () => {
    const [a, b] = (await written(2)) as [State, State]
    const { version } = await a.update({ shared: { plan: ["x"], other: 1, third: 3 } })
    const { version: before } = await b.update({ shared: { mine: 1 } })
    const {
      sync: id,
      source,
      targets
    } = await sync(a, [b], {
      keys: ["/shared/plan", "/shared/third"],
      actor: "ada",
      reason: "together"
    })
    expect(source).toEqual({ agent: a.agent, branch: "main", version })
    expect(targets).toMatchObject([
      {
        agent: b.agent,
        status: "synced",
        version: before + 1,
        applied: ["/shared/plan", "/shared/third"],
        merged: [],
        skipped: [],
        conflicts: [],
        error: undefined
      }
    ])
    expect(await shared(b)).toEqual({ plan: ["x"], third: 3, mine: 1 })
    expect((await b.read({ token: targets[0]!.token! })).version).toBe(before + 1)
    const [event] = (await eventsOf(log.engine, `state-main@${b.agent}`)).slice(-1)
    expect(event).toMatchObject({
      type: "StateSynced",
      data: {
        sync: id,
        source: { agent: a.agent, name: "main", version },
        known: [{ keys: ["/shared/plan", "/shared/third"] }]
      },
      meta: { actor: "ada", reason: "together" }
    })
    expect(await b.verify()).toMatchObject({ isSound: true })
    const [entry] = await b.history({ limit: 1 })
    expect(entry).toMatchObject({
      type: "StateSynced",
      actor: "ada",
      changed: ["/shared/plan", "/shared/third"],
      source: { agent: a.agent, branch: "main", version }
    })
    expect(await b.blame("/shared/plan")).toMatchObject([{ type: "StateSynced", reason: "together" }])
  })

  test("is seen by who watches a target, as one change", async () => {
    const [a, b] = (await written(2)) as [State, State]
    const seen = collector<StateChange>()
    const watch = await b.watch(["/shared/*"], seen.push)
    await a.update({ shared: { plan: ["x"], mode: "y" } })
    await syncOne(a, b, { actor: "ada" })
    const [change] = await seen.reaches(1)
    expect(change).toMatchObject({ actor: "ada", event: { type: "StateSynced" } })
    expect(change!.changes.map(({ path, after }) => [path, after]).toSorted()).toEqual([
      ["/shared/mode", "y"],
      ["/shared/plan", ["x"]]
    ])
    await watch.stop()
  })

  test("has nothing to do where the source has nothing new, and brings nothing back", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { plan: ["x"] } })
    const { version } = await syncOne(a, b)
    await a.update({ local: { own: 2 } })
    expect(await syncOne(a, b)).toMatchObject({ status: "up_to_date", version, skipped: ["/shared/plan"] })
    const { version: own } = await a.read()
    expect(await syncOne(b, a)).toMatchObject({ status: "up_to_date", version: own })
    // What the source does not have does not go away.
    await b.update({ shared: { mine: 1 } })
    expect(await syncOne(a, b)).toMatchObject({ status: "up_to_date" })
    expect(await shared(b)).toEqual({ plan: ["x"], mine: 1 })
  })

  test("merges what both have changed since they last met, in either direction", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { plan: { x: 1, y: 1 } } })
    await syncOne(a, b)
    await a.update({ shared: { plan: { x: 2 } } })
    await b.update({ shared: { plan: { y: 2 } } })
    expect(await syncOne(a, b)).toMatchObject({ merged: ["/shared/plan"], applied: [] })
    expect(await shared(b)).toEqual({ plan: { x: 2, y: 2 } })
    expect(await syncOne(b, a)).toMatchObject({ merged: [], applied: ["/shared/plan"] })
    expect(await shared(a)).toEqual({ plan: { x: 2, y: 2 } })
    await b.update({ shared: { plan: { x: null } } })
    await a.update({ shared: { plan: { z: 1 } } })
    await syncOne(b, a)
    expect(await shared(a)).toEqual({ plan: { y: 2, z: 1 } })
  })

  test("tells what was removed from what was never there", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { gone: 1, kept: 1 } })
    await syncOne(a, b)
    await a.update({ shared: { gone: null } })
    await b.update({ shared: { kept: null } })
    expect(await syncOne(a, b)).toMatchObject({ applied: ["/shared/gone"], skipped: ["/shared/kept"] })
    expect(await shared(b)).toEqual({})
    expect(await syncOne(b, a)).toMatchObject({ applied: ["/shared/kept"] })
    expect(await syncOne(a, b, { keys: ["/shared/nobody-has-it"] })).toMatchObject({
      status: "up_to_date",
      skipped: ["/shared/nobody-has-it"]
    })
  })

  test("leaves a key of which both have other values, and tells who has changed it and why; all others are taken over", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { mode: "x", plan: 1 } })
    await syncOne(a, b)
    await a.update({ shared: { mode: "y", plan: 2 } }, { actor: "ada", reason: "faster" })
    await b.update({ shared: { mode: "z" } }, { actor: "bob", reason: "safer" })
    const conflict = {
      path: "/shared/mode",
      kind: "modify_modify",
      base: "x",
      ours: "z",
      oursBy: "bob",
      oursBecause: "safer",
      theirs: "y",
      theirsBy: "ada",
      theirsBecause: "faster"
    }
    const options = { source: a.agent, target: b.agent, keys: ["/shared/**"] }
    expect(await log.engine.detectConflicts(options)).toMatchObject([conflict])
    const { sync: id, targets } = await sync(a, [b])
    expect(targets).toMatchObject([{ status: "conflicts", applied: ["/shared/plan"], conflicts: [conflict] }])
    expect(await shared(b)).toEqual({ mode: "z", plan: 2 })
    expect(await eventsOf(log.engine, `statesync-${id}`)).toMatchObject([
      { type: "StateSyncLeft", data: { keys: ["/shared/mode"], conflicts: [conflict] } }
    ])
    // Somebody decides: the key is theirs from then on.
    await b.update({ shared: { mode: "y" } })
    await syncOne(a, b)
    expect(await syncOne(b, a)).toMatchObject({ status: "up_to_date" })
  })

  test.each([
    ["source_wins", "y"],
    ["target_wins", "z"],
    [() => ({ use: { value: "both" } }), "both"]
  ] as const)(
    "decides conflicts by the strategy %s, and none of them comes again",
    async (strategy, mode) => {
      const [a, b] = (await written(2)) as [State, State]
      await a.update({ shared: { mode: "y" } })
      await b.update({ shared: { mode: "z" } })
      expect(await syncOne(a, b, { strategy })).toMatchObject({ status: "synced", merged: ["/shared/mode"] })
      expect(await shared(b)).toEqual({ mode })
      expect(await syncOne(a, b)).toMatchObject({ status: "up_to_date" })
      await syncOne(b, a)
      expect(await shared(a)).toEqual({ mode })
    }
  )

  test("knows what came by way of others: no conflict, and counters count once", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    const rules = [{ path: "/shared/count", number: "counter" }] as const
    const pass = async (from: State, to: State) => {
      const { status } = await syncOne(from, to, { rules })
      return status
    }
    await a.update({ shared: { count: 1, plan: ["x"] } })
    await pass(a, b)
    await pass(b, c)
    await a.update({ shared: { count: 11, plan: ["y"] } })
    await b.update({ shared: { count: 101 } })
    await c.update({ shared: { count: 1001 } })
    for (const _ of upTo(3))
      for (const [from, to] of [
        [a, c],
        [c, b],
        [b, a]
      ] as const)
        await pass(from, to)
    for (const state of [a, b, c]) expect(await shared(state)).toEqual({ count: 1111, plan: ["y"] })
    for (const [from, to] of [
      [a, b],
      [b, c],
      [c, a],
      [a, c]
    ] as const)
      expect(await pass(from, to)).toBe("up_to_date")
  })

  test("goes between branches, which know what they began with", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { plan: { x: 1 } } })
    await syncOne(a, b)
    await a.branch("try")
    await a.on("try").update({ shared: { plan: { y: 1 } } })
    await b.update({ shared: { plan: { z: 1 } } })
    const { targets } = await log.engine.sync({
      from: { agent: a.agent, branch: "try" },
      to: [b.agent, { agent: a.agent }],
      keys: ["/shared/plan"]
    })
    expect(targets.map(({ merged, applied }) => [merged, applied])).toEqual([
      [["/shared/plan"], []],
      [[], ["/shared/plan"]]
    ])
    expect(await shared(b)).toEqual({ plan: { x: 1, y: 1, z: 1 } })
    expect(await shared(a)).toEqual({ plan: { x: 1, y: 1 } })
  })

  test("succeeds or fails in each target alone, and says so of each", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    await a.update({ shared: { plan: 1 } })
    await c.update({ shared: { plan: 2 } })
    const nobody = fresh()
    const { sync: id, targets } = await sync(a, [b, nobody, c])
    expect(targets.map(({ status }) => status)).toEqual(["synced", "failed", "conflicts"])
    expect(targets[1]!.error).toBeInstanceOf(UnknownBranch)
    expect((await nobody.read()).version).toBe(0)
    const rows = await log.engine.states.syncs({ sync: id })
    expect(Object.fromEntries(rows.map(({ target, status, failed }) => [target, [status, failed]]))).toEqual({
      [b.agent]: ["synced", null],
      [nobody.agent]: ["failed", "UnknownBranch"],
      [c.agent]: ["conflicts", null]
    })
  })

  test("of a strategy that throws fails in the targets that it was asked for, untouched", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    await a.update({ shared: { plan: 1 } })
    await b.update({ shared: { plan: 2 } })
    const strategy = () => {
      throw new Error("no idea")
    }
    const { targets } = await sync(a, [b, c], { strategy })
    expect(targets.map(({ status }) => status)).toEqual(["failed", "synced"])
    expect(targets[0]!.error).toBeInstanceOf(InvalidArgument)
    expect(targets[0]!.error!.message).toContain("no idea")
    expect(await shared(b)).toEqual({ plan: 2 })
  })

  test("leaves what would make a tier another one than is declared", async () => {
    const agentType = "counting"
    const Shared = Schema.Struct({ n: Schema.optionalKey(Schema.Number) })
    await log.engine.defineState({ agentType, tiers: { shared: Shared } })
    const [a] = (await written(1)) as [State]
    const b = log.engine.state(fresh().agent, { type: agentType })
    await b.update({ shared: { n: 1 } })
    await a.update({ shared: { n: "many" }, persistent: { ok: true } })
    expect(await syncOne(a, b, { keys: ["/shared/**", "/persistent/ok"] })).toMatchObject({
      status: "conflicts",
      applied: ["/persistent/ok"],
      conflicts: [{ path: "/shared/n", kind: "add_add" }]
    })
    const wins = { keys: ["/shared/**"], strategy: "source_wins" } as const
    expect(await syncOne(a, b, wins)).toMatchObject({
      status: "conflicts",
      applied: [],
      conflicts: [{ path: "/shared", kind: "constraint" }]
    })
    expect(await shared(b)).toEqual({ n: 1 })
  })

  test("on trial says what it would do, and does nothing", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    await a.update({ shared: { plan: 1 } })
    await c.update({ shared: { plan: 2 } })
    const before = await log.engine.settled()
    const { targets } = await sync(a, [b, c, fresh()], { dryRun: true })
    expect(targets).toMatchObject([
      { status: "synced", applied: ["/shared/plan"], version: 2 },
      { status: "conflicts", applied: [], version: 3 },
      { status: "failed" }
    ])
    expect(await log.engine.settled()).toBe(before)
  })

  test("is told in SQL, and looked up by agent and status", async () => {
    const [a, b] = (await written(2)) as [State, State]
    await a.update({ shared: { plan: 1, mode: 1 } })
    await b.update({ shared: { mode: 2 } })
    await sync(a, [b], { actor: "ada" })
    const [synced] = await log.engine.states.syncs({ agent: a.agent, status: "synced" })
    expect(synced).toMatchObject({
      source: a.agent,
      target: b.agent,
      targetVersion: 4,
      type: "manual",
      keys: ["/shared/plan"],
      conflictsDetected: 0,
      actor: "ada"
    })
    const [left] = await log.engine.states.syncs({ agent: b.agent, status: "conflicts" })
    expect(left).toMatchObject({
      sync: synced!.sync,
      targetVersion: null,
      keys: ["/shared/mode"],
      conflictsDetected: 1,
      conflictsResolved: 0
    })
    expect(
      await log.db.query(
        `select source_agent_id, sync_type, state_keys, conflicts_detected, conflicts_resolved, status
         from tidemark.state_sync_events where target_agent_id = '${b.agent}' order by status desc`
      )
    ).toEqual([
      {
        source_agent_id: a.agent,
        sync_type: "manual",
        state_keys: ["/shared/plan"],
        conflicts_detected: 0,
        conflicts_resolved: 0,
        status: "synced"
      },
      {
        source_agent_id: a.agent,
        sync_type: "manual",
        state_keys: ["/shared/mode"],
        conflicts_detected: 1,
        conflicts_resolved: 0,
        status: "conflicts"
      }
    ])
  })

  test("of many keys at once meets all of them by what each has been through", async () => {
    const [a, b, c] = (await written(3)) as [State, State, State]
    const keys = upTo(60).map((n) => `k${n}`)
    const all = (value: number) => Object.fromEntries(keys.map((key) => [key, value]))
    await a.update({ shared: all(1) })
    await syncOne(a, b)
    await syncOne(b, c, { keys: keys.filter((_, n) => n % 2 === 0).map((key) => `/shared/${key}`) })
    await a.update({ shared: all(2) })
    const { applied } = await syncOne(a, c)
    expect(applied).toHaveLength(60)
    expect(await shared(c)).toEqual(all(2))
  })
})
