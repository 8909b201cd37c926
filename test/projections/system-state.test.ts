import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { SystemStateRemoved, SystemStateSet } from "../../projections/system-state/events.ts"
import { stateStream } from "../../projections/system-state/key.ts"
import { type Process, reasonOf, scene } from "../projection/scene.ts"

const { db, start } = scene()

const projected = async () => {
  const one = await start()
  return { one, state: await one.project(builtIn.system_state) }
}

describe("the global state", () => {
  it("has who set a key to what, when and why, also where it is null, and nothing of what was removed", async () => {
    const { one, state } = await projected()
    await one.run(state.set({ key: "mode", value: { on: [1, null] }, by: "operator", reason: "a test" }))
    const first = (await one.run(state.get({ key: "mode" })))!
    expect(first).toMatchObject({
      key: "mode",
      value: { on: [1, null] },
      version: 1,
      updatedBy: "operator",
      reason: "a test",
      occurredAt: null
    })
    expect(first.updatedAt).toEqual(first.recordedAt)
    await one.run(state.set({ key: "mode", value: null, occurredAt: "2026-01-31T12:00:00Z" }))
    expect(await one.run(state.get({ key: "mode" }))).toMatchObject({
      value: null,
      version: 2,
      createdAt: first.createdAt,
      updatedBy: null,
      reason: null,
      occurredAt: new Date("2026-01-31T12:00:00Z")
    })
    expect(await one.run(state.remove({ key: "mode" }))).toMatchObject({ version: 3 })
    expect(await one.run(state.get({ key: "mode" }))).toBeNull()
    expect(await one.run(state.remove({ key: "mode" }))).toBeNull()
    expect(await one.run(state.remove({ key: "never" }))).toBeNull()
    expect(await db.query("select count(*)::integer as events from tidemark.events")).toEqual([{ events: 3 }])
  })

  it.each([["é 𝄞\n%"], ["x".repeat(255)], ["𝄞".repeat(255)], ["%7E"], ["%~"]])(
    "takes %j as a key",
    async (key) => {
      const { one, state } = await projected()
      await one.run(state.set({ key, value: 1 }))
      await one.run(state.compareAndSet({ key, expected: 1, value: 2 }))
      expect(await one.run(state.get({ key }))).toMatchObject({ key, value: 2 })
      expect((await one.run(state.history({ key }))).map(({ value }) => value)).toEqual([2, 1])
      expect(await one.run(state.all({ prefix: key }))).toHaveLength(1)
    }
  )

  it("is listed by key, page by page, all of it or what begins with a prefix", async () => {
    const { one, state } = await projected()
    const keys = ["a", "a.", "a.b", "a.b\u{10ffff}", "a.é", "a/", "b", "𝄞"]
    for (const key of keys.toReversed()) await one.run(state.set({ key, value: key }))
    const listed = async (input?: { prefix?: string; limit?: number; after?: string }) =>
      (await one.run(state.all(input))).map(({ key }) => key)
    expect(await listed()).toEqual(keys)
    expect(await listed({ prefix: "a." })).toEqual(["a.", "a.b", "a.b\u{10ffff}", "a.é"])
    expect(await listed({ prefix: "a.b" })).toEqual(["a.b", "a.b\u{10ffff}"])
    expect(await listed({ prefix: "%" })).toEqual([])
    expect(await listed({ prefix: "a.", limit: 2 })).toEqual(["a.", "a.b"])
    expect(await listed({ prefix: "a.", limit: 2, after: "a.b" })).toEqual(["a.b\u{10ffff}", "a.é"])
    expect(await listed({ after: "𝄞" })).toEqual([])
  })

  it("tells the history of a key, the newest first, page by page", async () => {
    const { one, state } = await projected()
    for (const value of [1, 2]) await one.run(state.set({ key: "k", value, by: `b${value}`, reason: "r" }))
    await one.run(state.remove({ key: "k", by: "b3" }))
    const last = await one.run(state.set({ key: "k", value: 4 }))
    await one.run(state.set({ key: "k2", value: 5 }))
    const told = (await one.run(state.history({ key: "k" }))).map(
      ({ version, removed, value, by, reason }) => [version, removed, value, by, reason]
    )
    expect(told).toEqual([
      [4, false, 4, null, null],
      [3, true, null, "b3", null],
      [2, false, 2, "b2", "r"],
      [1, false, 1, "b1", "r"]
    ])
    const [newest] = await one.run(state.history({ key: "k", limit: 1 }))
    expect(newest!.position).toBe(last.position)
    const older = await one.run(state.history({ key: "k", before: 3 }))
    expect(older.map(({ version }) => version)).toEqual([2, 1])
    expect(await one.run(state.history({ key: "k", before: 1 }))).toEqual([])
    expect(await one.run(state.history({ key: "nothing" }))).toEqual([])
  })

  it("takes what SQL writes, and nothing from a stream that is no key's", async () => {
    const { one, state } = await projected()
    const set = (stream: string, data: string) =>
      db.query("select tidemark.append_events($1, $2)", [
        stream,
        `[{"type":"SystemStateSet","data":${data}}]`
      ])
    await set("system_state-sql", '{"value":1}')
    await set("system_state-%41", '{"key":"A","value":1}')
    await set("system_state-other", '{"key":"sql","value":2}')
    await set("agent-x", '{"key":"x","value":3}')
    const [row] = await db.query<{ position: number }>(
      "select max(position)::integer as position from tidemark.events"
    )
    await one.reaches("system_state", row!.position)
    const all = await one.run(state.all())
    expect(all.map(({ key, value }) => [key, value])).toEqual([
      ["other", 2],
      ["sql", 1]
    ])
  })
})

describe("compare and set", () => {
  it("sets what has the expected value, or none, and else tells the value that there is", async () => {
    const { one, state } = await projected()
    const key = "leader"
    const refused = (expected: unknown) =>
      reasonOf(one.run(state.compareAndSet({ key, expected: expected as null, value: "never" })))
    expect(await refused(null)).toMatchObject({ _tag: "NotAsExpected", what: key })
    expect(await refused(null)).not.toHaveProperty("actual")
    expect((await refused(null)).message).toContain("found no value")

    await one.run(state.compareAndSet({ key, value: { a: 1, b: [null] }, by: "one", reason: "elected" }))
    expect(await one.run(state.get({ key }))).toMatchObject({ updatedBy: "one", reason: "elected" })
    expect(await refused(undefined)).toMatchObject({ actual: { a: 1, b: [null] } })
    expect((await refused({ a: 1 })).message).toContain("another value")
    expect((await refused({ a: 1 })).message).not.toContain('"b"')
    await one.run(state.compareAndSet({ key, expected: { b: [null], a: 1 }, value: null }))
    expect(await refused(undefined)).toMatchObject({ actual: null })
    await one.run(state.compareAndSet({ key, expected: null, value: "x".repeat(1_000) }))
    const long = await refused(0)
    expect(long).toMatchObject({ actual: "x".repeat(1_000) })
    expect(long.message.length).toBeLessThan(500)
    await one.run(state.remove({ key }))
    await one.run(state.compareAndSet({ key, expected: undefined, value: "again" }))
    expect(await one.run(state.history({ key }))).toHaveLength(5)
  })

  /** Counts a key up once, however often others are faster. */
  const counts = async (one: Process, key: string) => {
    const state = await one.project(builtIn.system_state)
    return async () => {
      let expected: number | undefined
      for (;;) {
        const outcome = await one
          .run(
            state.compareAndSet({
              key,
              ...(expected !== undefined && { expected }),
              value: (expected ?? 0) + 1
            })
          )
          .then(() => undefined)
          .catch(
            (error: { readonly reason: { readonly _tag: string; readonly actual?: number } }) => error.reason
          )
        if (outcome === undefined) return
        expect(outcome._tag).toBe("NotAsExpected")
        expected = outcome.actual
      }
    }
  }

  it("loses no count of many writers in two engines", async () => {
    const WRITERS = 4
    const TIMES = 25
    const engines = [await start(), await start()]
    const writers = await Promise.all(engines.map((one) => counts(one, "count")))
    const writing = writers.flatMap((count) =>
      Array.from({ length: WRITERS }, async () => {
        for (let time = 0; time < TIMES; time++) await count()
      })
    )
    await Promise.all(writing)
    const state = await engines[0]!.project(builtIn.system_state)
    const total = engines.length * WRITERS * TIMES
    const [last] = await engines[0]!.run(state.history({ key: "count", limit: 1 }))
    expect(last).toMatchObject({ value: total, version: total })
  })

  it("goes on while others write the expected value again", async () => {
    const [one, other] = [await start(), await start()]
    const mine = await one.project(builtIn.system_state)
    const theirs = await other.project(builtIn.system_state)
    await one.run(mine.set({ key: "k", value: "same" }))
    let isDone = false
    const again = async () => {
      while (!isDone) await other.run(theirs.compareAndSet({ key: "k", expected: "same", value: "same" }))
    }
    const mineThirtyTimes = async () => {
      try {
        for (let time = 0; time < 30; time++)
          await one.run(mine.compareAndSet({ key: "k", expected: "same", value: "same", by: "me" }))
      } finally {
        isDone = true
      }
    }
    await Promise.all([again(), mineThirtyTimes()])
    const history = await one.run(mine.history({ key: "k", limit: 1_000 }))
    expect(history.filter(({ by }) => by === "me")).toHaveLength(30)
  })
})

describe("the fold", () => {
  const LONG = "x".repeat(255)
  const change = fc.record({
    key: fc.constantFrom("a", "b c", LONG),
    value: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 3 }),
    isCut: fc.boolean()
  })
  type Change = { readonly key: string; readonly value: number | null; readonly isCut: boolean }

  /** What is to come out; null removes. */
  const model = (changes: ReadonlyArray<Change>): ReadonlyArray<readonly [string, number]> => {
    const values = new Map<string, number>()
    for (const { key, value } of changes)
      if (value === null) values.delete(key)
      else values.set(key, value)
    return [...values].toSorted(([one], [other]) => (one < other ? -1 : 1))
  }

  it("gives the same live, in batches cut anywhere, and rebuilt", async () => {
    const { one, state } = await projected()
    let round = 0
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      // Keys of its own for each round: what is longer than a stream's name stays so.
      const prefix = `${(round += 1)}.`
      const named = (key: string) => prefix + key.slice(0, 255 - prefix.length)
      for (const { key: plain, value, isCut } of changes) {
        const key = named(plain)
        const event = value === null ? SystemStateRemoved.make({ key }) : SystemStateSet.make({ key, value })
        const position = await one.emit(stateStream(key), event)
        if (isCut) await one.reaches("system_state", position)
      }
      const expected = model(changes).map(([key, value]) => [named(key), value])
      const found = async () => (await one.run(state.all({ prefix }))).map(({ key, value }) => [key, value])
      expect(await found()).toEqual(expected)
      await one.rebuild(builtIn.system_state, { verify: true, keep: 0 })
      expect(await found()).toEqual(expected)
    })
    await fc.assert(property, { numRuns: 8 })
  })
})
