import { Effect, Exit, Semaphore } from "effect"
import { describe, expect, it } from "vitest"
import { uuid } from "../../src/base/uuid.ts"
import { EventTypes } from "../../src/log/event-type.ts"
import { Fleet } from "../../src/fleet/fleet.ts"
import { PostgresError, Rejected } from "../../src/postgres/error.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { commitBatch } from "../../src/projection/commit.ts"
import { Registry } from "../../src/projection/registry.ts"
import { scene } from "./scene.ts"

// P2: an owner writes under the epoch of its claim, and nobody else writes at all.

const { db, start } = scene()

const NAME = "things"
const HASH = "of this definition"

/** A projection that nobody owns, as a process sees it that has just looked. */
const free = async () => {
  const one = await start()
  const { postgres, fleet } = await one.run(Effect.all({ postgres: Postgres, fleet: Fleet }))
  const registry = new Registry(postgres)
  await one.run(registry.insert(postgres, NAME, 1, HASH))
  const claim = (engine: string, hash = HASH) => one.run(registry.claim(NAME, hash, engine))
  return { one, postgres, fleet, registry, claim }
}

const alive = async (seconds = 60) => {
  const engine = uuid()
  await db.query(
    `insert into tidemark.engines (engine, application, host, pid, alive_until)
     values ($1, 'test', 'here', 1, clock_timestamp() + $2 * interval '1 second')`,
    [engine, seconds]
  )
  return engine
}

describe("a projection", () => {
  it("is claimed by one engine, under a new epoch, and by no other while that is alive", async () => {
    const { claim } = await free()
    const [first, second] = [await alive(), await alive()]
    expect(await claim(first)).toMatchObject({ owner: first, epoch: 2 })
    expect(await claim(second)).toBeUndefined()
    await db.query("update tidemark.engines set alive_until = clock_timestamp() where engine = $1", [first])
    expect(await claim(second)).toMatchObject({ owner: second, epoch: 3 })
  })

  it("is not written by who owned it before, though it stands where that believes it to stand", async () => {
    const { one, claim, registry } = await free()
    const [before, now] = [await alive(), await alive()]
    const stale = (await claim(before))!
    await db.query("delete from tidemark.engines where engine = $1", [before])
    const current = (await claim(now))!
    expect(stale.position).toBe(current.position)
    const moving = (cursor: typeof stale) =>
      one.run(Effect.exit(registry.move(NAME, cursor, { to: 7, rate: 0 })))
    expect(Exit.isFailure(await moving(stale))).toBe(true)
    expect(Exit.isFailure(await moving({ ...stale, epoch: current.epoch }))).toBe(true)
    // Of an earlier claim of the same engine.
    expect(Exit.isFailure(await moving({ ...current, epoch: stale.epoch }))).toBe(true)
    expect(await db.query("select position::integer from tidemark.projections")).toEqual([{ position: 0 }])
    expect(Exit.isSuccess(await moving(current))).toBe(true)
    expect(await db.query("select position::integer from tidemark.projections")).toEqual([{ position: 7 }])
  })

  it("is not left by a release that comes late, after the same engine has claimed it anew", async () => {
    const { one, claim, registry } = await free()
    const engine = await alive()
    const before = (await claim(engine))!
    const now = (await claim(engine))!
    const owners = () => db.query("select owner from tidemark.projections")
    await one.run(registry.release(NAME, before))
    expect(await owners()).toEqual([{ owner: engine }])
    await one.run(registry.release(NAME, now))
    expect(await owners()).toEqual([{ owner: null }])
  })

  it("is not claimed by code with another definition than the one that filled it", async () => {
    const { claim } = await free()
    expect(await claim(await alive(), "of an older definition")).toBeUndefined()
  })

  it("is not claimed while a transaction of its former owner is at work on it", async () => {
    const { claim } = await free()
    const holder = await db.session()
    await holder.query("begin; update tidemark.projections set position = 1")
    expect(await claim(await alive())).toBeUndefined()
    await holder.query("rollback")
    expect(await claim(await alive())).toMatchObject({ position: 0 })
  })

  it("is folded in transactions that the server ends before the lease does", async () => {
    const { one, postgres, fleet, registry, claim } = await free()
    const row = (await claim(fleet.engine))!
    let timeout = ""
    const parts = { postgres, fleet, registry, types: new EventTypes(), folding: Semaphore.makeUnsafe(1) }
    const fold = (connection: Pick<Postgres["Service"], "query">) =>
      Effect.map(
        connection.query<{ ms: string }>(
          "select setting as ms from pg_settings where name = 'idle_in_transaction_session_timeout'"
        ),
        ({ rows }) => {
          timeout = rows[0]!.ms
        }
      )
    const source = { isStill: () => Effect.succeed(true) }
    await one.run(commitBatch(parts, NAME, { ...row, fold }, source, [], { to: 1, rate: 0 }))
    expect(Number(timeout)).toBeGreaterThan(0)
    expect(Number(timeout)).toBeLessThan(fleet.leaseMs)
  })

  it("is not folded where another server answers than the one that its events were read from", async () => {
    const { one, postgres, fleet, registry, claim } = await free()
    const row = (await claim(fleet.engine))!
    const parts = { postgres, fleet, registry, types: new EventTypes(), folding: Semaphore.makeUnsafe(1) }
    let isFolded = false
    const fold = () => Effect.sync(() => void (isFolded = true))
    const source = { isStill: () => Effect.succeed(false) }
    const failed = await one.run(
      Effect.flip(commitBatch(parts, NAME, { ...row, fold }, source, [], { to: 1, rate: 0 }))
    )
    expect(failed).toMatchObject({ _tag: "PostgresError", reason: { _tag: "ConnectionLost" } })
    expect(isFolded).toBe(false)
    expect(await registry.load(NAME).pipe(one.run)).toMatchObject({ position: 0 })
  })

  it("blames no event where the log turns out not to be fit to be read", async () => {
    const { one, postgres, fleet, registry, claim } = await free()
    const row = (await claim(fleet.engine))!
    const parts = { postgres, fleet, registry, types: new EventTypes(), folding: Semaphore.makeUnsafe(1) }
    const unfit = new PostgresError({
      reason: new Rejected({ detail: "the sequence gives out positions twice" })
    })
    const source = { isStill: () => Effect.fail(unfit) }
    const failed = await one.run(
      Effect.flip(
        commitBatch(parts, NAME, { ...row, fold: () => Effect.void }, source, [], { to: 1, rate: 0 })
      )
    )
    expect(failed).toMatchObject({
      reason: { _tag: "ConnectionLost", detail: expect.stringContaining("positions twice") as string }
    })
  })
})
