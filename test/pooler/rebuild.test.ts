import { describe, expect, test } from "vitest"
import type { Engine, ProjectionDefinition } from "../../src/index.ts"
import { RebuildDiffers } from "../../src/errors.ts"
import { run } from "../cli/tidemark.ts"
import { upTo } from "../log/test-log.ts"
import { Counted, counters, entries } from "../projection/scene.ts"
import { tablesOf } from "../projection/rebuild/looks.ts"
import { pooledLog } from "./scene.ts"

// Rebuilds, what-ifs, replays and audits by way of PgBouncer in transaction mode: what needs one session for several statements has
// it for the time of a transaction.

const log = pooledLog()

const STREAMS = 20

/** A read model of an engine that is up to date with some events; the position of the last. */
const filled = async (engine: Engine, definition: ProjectionDefinition): Promise<number> => {
  await engine.project(definition)
  let last = 0
  for (const n of upTo(STREAMS)) {
    const events = [Counted.make({ by: 1 }), Counted.make({ by: n })]
    last = (await engine.emit(`${definition.name}-${n}`, events)).position
  }
  await engine.rebuild(definition, { keep: 0 })
  return last
}

/** A definition folds all there is of its types, so each test has a log of its own. */
const rowsOf = (name: string) => log.db.query(`select * from log_${name}.${name} order by 1`)
const openLog = (name: string) => log.open({ schema: `log_${name}` })

const whole = { different: 0, onlyLive: 0, onlyRebuilt: 0 }

describe("behind PgBouncer in transaction mode a read model", () => {
  test.each([
    ["of entities", counters({ name: "entities" })],
    ["of rows", entries({ name: "rows" })]
  ])("%s is built again, compared in a snapshot, swapped and rolled back", async (_, definition) => {
    const { name } = definition
    const engine = await openLog(name)
    await filled(engine, definition)
    const before = await rowsOf(name)
    const phases = new Set<string>()
    const report = await engine.rebuild(definition, {
      verify: true,
      onProgress: ({ phase }) => phases.add(phase)
    })
    expect(report.verified).toMatchObject({ sameDefinition: true, tables: [whole] })
    expect(phases).toContain("verify")
    expect(await rowsOf(name)).toEqual(before)
    const kept = report.from!.generation
    expect(await engine.rollback(name)).toMatchObject({ to: { generation: kept } })
    expect(await rowsOf(name)).toEqual(before)
    const { token } = await engine.emit(`${name}-1`, Counted.make({ by: 7 }))
    await engine.rebuild(definition, { verify: true, keep: 0 })
    expect(await rowsOf(name)).not.toEqual(before)
    expect(token).not.toBe("")
    expect(await tablesOf(log.db, name)).toHaveLength(1)
  })

  test("that does not compare is told so with examples, row by row, through a cursor of its own", async () => {
    const engine = await openLog("spoilt")
    const definition = counters({ name: "spoilt" })
    await filled(engine, definition)
    const [table] = await tablesOf(log.db, "spoilt")
    await log.db.query(`update log_spoilt.${table} set total = 0 where id in ('spoilt-3', 'spoilt-4')`)
    await log.db.query(`delete from log_spoilt.${table} where id = 'spoilt-5'`)
    const error = await engine.rebuild(definition, { verify: true }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RebuildDiffers)
    expect(error).toMatchObject({ different: 2, onlyLive: 0, onlyRebuilt: 1 })
    expect(await tablesOf(log.db, "spoilt")).toEqual([table])
  })

  test("is rebuilt while events come and several engines follow", async () => {
    const [one, two] = [await openLog("busy"), await openLog("busy")]
    const definition = entries({ name: "busy" })
    await filled(one, definition)
    await two.project(definition)
    const over = new AbortController()
    const writing = (async () => {
      let count = 0
      for (; !over.signal.aborted; count += 1) await two.emit("busy-more", Counted.make({ by: count }))
      return count
    })()
    for (const _ of upTo(3)) await one.rebuild(definition, { verify: true })
    over.abort()
    const written = await writing
    await one.rebuild(definition, { verify: true, keep: 0 })
    expect(await rowsOf("busy")).toHaveLength(2 * STREAMS + written)
  })
})

describe("behind PgBouncer in transaction mode a what-if", () => {
  test("folds a changed definition into a schema of its own, and tells what differs", async () => {
    const engine = await openLog("iffy")
    await filled(engine, counters({ name: "iffy" }))
    const changed = counters({ name: "iffy", version: 2, count: (by) => (by === 3 ? 30 : Number(by)) })
    const report = await engine.whatIf({ definitions: [changed], into: "scratch", keep: true })
    expect(report.projections[0]!.compared).toMatchObject({
      sameDefinition: false,
      tables: [{ different: 1, onlyLive: 0, onlyRebuilt: 0, examples: [{ key: "(iffy-3)" }] }]
    })
    expect(await log.db.query("select total from scratch.iffy where id = 'iffy-3'")).toEqual([{ total: 31 }])
    await engine.whatIf({ definitions: [changed], into: "scratch" })
    expect(await log.db.query("select from pg_namespace where nspname = 'scratch'")).toEqual([])
  })

  test("is asked for by the command line, as rebuilds, replays and audits are", async () => {
    const engine = await log.open()
    await engine.agents.register({ agent: "cli" })
    const { events } = await engine.emit("cli-1", { type: "Asked" })
    const [asked] = events
    await engine.emit("cli-2", { type: "Answered" }, { meta: { causationId: asked!.id } })
    expect((await engine.agents.list()).map(({ agent }) => agent)).toEqual(["cli"])
    const tidemark = (...args: ReadonlyArray<string>) => run([...args, "-d", log.url])
    const whatIf = await tidemark("replay", "--into", "scratch", "--projection", "agents")
    expect(whatIf).toMatchObject({ code: 0, stdout: expect.stringContaining("agents") })
    const rebuilt = await tidemark("rebuild", "agents", "--verify")
    expect(rebuilt).toMatchObject({ code: 0, stdout: expect.stringContaining("all alike") })
    const [replay, audit] = await Promise.all([
      tidemark("replay", "--categories", "cli", "--json"),
      tidemark("audit", asked!.id)
    ])
    expect(replay.stdout.split("\n")).toHaveLength(2)
    expect(audit.stdout).toMatch(/Asked[^]*Answered/)
  })
})

describe("behind PgBouncer in transaction mode a replay", () => {
  test("is whole and in order, over many pages, while its sessions change under it and are ended", async () => {
    const engine = await log.open()
    const batches = upTo(30)
    for (const n of batches)
      await engine.emit(
        `page-${n}`,
        Array.from({ length: 100 }, () => ({ type: "Page" }))
      )
    const positions: Array<number> = []
    for await (const { position } of engine.replay({ categories: ["page"] })) {
      positions.push(position)
      if (positions.length % 1_000 === 500) await log.endSessions()
    }
    expect(positions).toHaveLength(3_000)
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    expect(new Set(positions).size).toBe(3_000)
  })

  test("waits for its token, and an audit draws the whole tree", async () => {
    const [one, two] = [await log.open(), await log.open()]
    const { events } = await one.emit("tree-1", { type: "Root" })
    const { token } = await one.emit("tree-2", { type: "Leaf" }, { meta: { causationId: events[0]!.id } })
    const types: Array<string> = []
    for await (const { type } of two.replay({ to: token, categories: ["tree"] })) types.push(type)
    expect(types).toEqual(["Root", "Leaf"])
    const { entries: tree } = await two.audit({ event: events[0]!.id })
    expect(tree.map(({ event, depth }) => [event.type, depth])).toEqual([
      ["Root", 0],
      ["Leaf", 1]
    ])
  })
})
