import { Effect, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { causedBy } from "../../src/log/causation.ts"
import { projection, type ProjectionDefinition } from "../../src/projection/definition.ts"
import { query } from "../../src/projection/operation.ts"
import { until } from "../support/eventually.ts"
import { Counted, counters, reasonOf, scene, stops } from "./scene.ts"

const { db, start } = scene()

/** Counters with a query of theirs. */
const readable = (name: string, model = counters({ name })) =>
  projection({
    ...(model as ProjectionDefinition<Record<never, never>>),
    operations: {
      total: query({
        name: `${name}.total`,
        description: "All that was counted.",
        scope: `${name}:read`,
        input: Schema.Struct({}),
        output: Schema.Int,
        example: {},
        run: (_, context) =>
          Effect.map(
            context.query<{ total: number }>({
              text: `select coalesce(sum(total), 0)::integer as total from :"schema".${name}`
            }),
            ([row]) => row!.total
          )
      })
    }
  })

/** Keeps a projection from getting on, until it is released. */
const hold = async (name: string) => {
  const holder = await db.session()
  await holder.query("begin")
  await holder.query(`lock table tidemark.${name}__1 in exclusive mode`)
  return () => holder.query("commit")
}

describe("a query", () => {
  it("sees what its engine wrote before, every time", async () => {
    const one = await start()
    const { total } = await one.project(readable("own"))
    for (let count = 1; count <= 30; count++) {
      await one.emit("own-1", Counted.make({ by: 1 }))
      expect(await one.run(total())).toBe(count)
    }
  })

  it("sees what its engine wrote before the projection was there", async () => {
    const one = await start()
    await one.emit("early-1", ...Array.from({ length: 3_000 }, () => Counted.make({ by: 1 })))
    const { total } = await one.project(readable("early"))
    expect(await one.run(total())).toBeGreaterThanOrEqual(3_000)
  })

  it("sees what its engine committed in a transaction", async () => {
    const one = await start()
    const { total } = await one.project(readable("committed"))
    const before = await one.run(total())
    await one.run(one.log.transaction((tx) => tx.emit("committed-1", Counted.make({ by: 5 }))))
    expect(await one.run(total())).toBe(before + 5)
  })

  it("does not wait for what the projection does not fold, nor for what others wrote", async () => {
    const one = await start()
    const two = await start()
    const { total } = await one.project(readable("unconcerned"))
    await one.run(total())
    const release = await hold("unconcerned")
    await two.emit("unconcerned-1", Counted.make({ by: 1 }))
    await one.emit("unconcerned-1", { type: "Ignored" })
    const since = performance.now()
    await one.run(total())
    expect(performance.now() - since).toBeLessThan(500)
    await release()
  })

  it("is not slowed down by the cursor's pause over other events", async () => {
    const one = await start()
    const { total } = await one.project(readable("prompt"))
    await one.run(total())
    const since = performance.now()
    for (let count = 0; count < 10; count++) {
      await one.run(one.log.emit("prompt-1", [Counted.make({ by: 1 }), { type: "Ignored" }]))
      await one.run(total())
    }
    expect(performance.now() - since).toBeLessThan(2_000)
  })

  it("gives up after its time with ProjectionBehind, which says why", async () => {
    const one = await start({ readOwnWritesMs: 150 })
    const { total } = await one.project(readable("behind"))
    await one.reaches("behind", await one.emit("behind-1", Counted.make({ by: 1 })))
    const release = await hold("behind")
    const position = await one.emit("behind-1", Counted.make({ by: 1 }))
    const reason = await reasonOf(one.run(total()))
    expect(reason).toMatchObject({ _tag: "ProjectionBehind", projection: "behind", position, waitedMs: 150 })
    expect(reason.message).toContain("1 event of its types still to fold")
    await release()
    await one.reaches("behind", position)
    await one.run(total())
  })

  it("is given a second, where nothing is said of its time", async () => {
    const one = await start()
    const { total } = await one.project(readable("patient"))
    await one.reaches("patient", await one.emit("patient-1", Counted.make({ by: 1 })))
    const release = await hold("patient")
    await one.emit("patient-1", Counted.make({ by: 1 }))
    const since = performance.now()
    const reason = await reasonOf(one.run(total()))
    const waited = performance.now() - since
    expect(reason).toMatchObject({ _tag: "ProjectionBehind", projection: "patient", waitedMs: 1_000 })
    // Timers may be a millisecond early by this clock.
    expect(waited).toBeGreaterThanOrEqual(999)
    expect(waited).toBeLessThan(3_000)
    await release()
  })

  it("names the append that holds up the log", async () => {
    const one = await start({ readOwnWritesMs: 300 })
    const { total } = await one.project(readable("held"))
    await one.reaches("held", await one.emit("held-1", Counted.make({ by: 1 })))
    const holder = await db.session()
    await holder.query("begin")
    await holder.query(`select tidemark.append_events('held-2', '[{"type":"Ignored"}]')`)
    const position = await one.emit("held-1", Counted.make({ by: 1 }))
    const reason = await reasonOf(one.run(total()))
    const { rows } = await holder.query<{ pid: number }>("select pg_backend_pid() as pid")
    expect(reason.message).toContain(`pid ${rows[0]!.pid}`)
    await holder.query("rollback")
    await one.reaches("held", position)
  })

  it("fails at once with ProjectionStopped where the projection stopped", async () => {
    const one = await start({ readOwnWritesMs: 60_000 })
    const sick = counters({
      name: "sick",
      count: () => {
        throw new Error("no")
      }
    })
    const { total } = await one.project(readable("sick", sick))
    const position = await one.emit("sick-1", Counted.make({ by: 1 }))
    const waiting = reasonOf(one.run(total()))
    await stops(one, "sick")
    expect(await waiting).toMatchObject({ _tag: "ProjectionStopped", position })
    expect(await reasonOf(one.run(total()))).toMatchObject({
      _tag: "ProjectionStopped",
      position,
      detail: "no"
    })
  })

  it("never waits inside a handler or a transaction", async () => {
    const one = await start({ readOwnWritesMs: 60_000 })
    const { total } = await one.project(readable("inside"))
    const before = await one.run(total())
    const release = await hold("inside")
    const position = await one.emit("inside-1", Counted.make({ by: 1 }))
    const event = {
      id: "",
      position,
      stream: "inside-1",
      version: 1,
      type: "Counted",
      data: {},
      labels: [],
      meta: {},
      recordedAt: new Date(),
      schemaVersion: 1
    }
    expect(await causedBy(event, () => one.run(total()))).toBe(before)
    expect(await one.run(one.log.transaction(() => total()))).toBe(before)
    await release()
    expect(await one.run(total())).toBe(before + 1)
  })
})

describe("a query after a token", () => {
  it("sees what another process wrote", async () => {
    const [one, two] = await Promise.all([start(), start()])
    const { total } = await two.project(readable("foreign"))
    const before = await two.run(total())
    for (let count = 1; count <= 10; count++) {
      const { token } = await one.run(one.log.emit("foreign-1", Counted.make({ by: 1 })))
      expect(await two.run(total({}, { after: token }))).toBe(before + count)
    }
  })

  it("sees it where yet another process does the folding", async () => {
    const all = await Promise.all([start(), start()])
    const bound = await Promise.all(all.map((one) => one.project(readable("elsewhere"))))
    await until(async () => {
      const position = await all[0]!.emit("elsewhere-1", Counted.make({ by: 0 }))
      for (const one of all) await one.reaches("elsewhere", position)
      return all.some((one) => one.status("elsewhere").follows)
    })
    const follower = all.findIndex((one) => one.status("elsewhere").follows)
    const before = await all[follower]!.run(bound[follower]!.total())
    const { token } = await all[1 - follower]!.run(
      all[1 - follower]!.log.emit("elsewhere-1", Counted.make({ by: 7 }))
    )
    expect(await all[follower]!.run(bound[follower]!.total({}, { after: token }))).toBe(before + 7)
  })

  it("does not wait for events of other types to be folded", async () => {
    const one = await start()
    const { total } = await one.project(readable("sparse"))
    const { token } = await one.run(one.log.emit("sparse-1", { type: "Ignored" }))
    const since = performance.now()
    await one.run(total({}, { after: token }))
    expect(performance.now() - since).toBeLessThan(800)
  })

  it("is refused where the token is of another log", async () => {
    const one = await start()
    const other = await start({ url: await db.another() })
    const { total } = await one.project(readable("strange"))
    const { token } = await other.run(other.log.emit("strange-1", Counted.make({ by: 1 })))
    await expect(one.run(total({}, { after: token }))).rejects.toMatchObject({
      reason: { _tag: "LogRewound" }
    })
    await expect(one.run(total({}, { after: "nonsense" }))).rejects.toMatchObject({
      reason: { _tag: "InvalidArgument" }
    })
  })
})
