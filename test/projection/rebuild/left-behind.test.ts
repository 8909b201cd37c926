import { pino } from "pino"
import { afterEach, beforeEach, expect, it } from "vitest"
import { type Engine, open } from "../../../src/index.ts"
import { until } from "../../support/eventually.ts"
import { Counted, counters, scene } from "../scene.ts"

// What is said of a throw-away schema that could not be dropped, and who drops it then.

const { db, start } = scene()

let engine: Engine
let warnings: Array<string>

beforeEach(async () => {
  warnings = []
  const logger = pino({ level: "warn" }, { write: (line: string) => warnings.push(JSON.parse(line).msg) })
  engine = await open({ database: db.url, readModels: "follow", logger })
})
afterEach(() => engine.close())

const definition = counters({ name: "looked_into" })

const into = "scratch"

const isThere = async () => (await db.query("select where to_regnamespace('scratch') is not null")).length > 0

/** A what-if that compares, and cannot go on; and somebody who may read its tables meanwhile. */
const comparing = async () => {
  const one = await start()
  await one.project(definition)
  await one.reaches("looked_into", await one.emit("a-1", Counted.make({ by: 1 })))
  const [holder, reader] = [await db.session(), await db.session()]
  await holder.query("begin; lock table tidemark.looked_into__1 in access exclusive mode")
  const folding = engine.whatIf({ definitions: [definition], into })
  const isComparing =
    "select from pg_locks where relation = 'tidemark.looked_into__1'::regclass and not granted"
  await until(async () => (await db.query(isComparing)).length > 0)
  return { folding, reader, goOn: () => holder.query("commit") }
}

it("a schema that somebody still reads is left behind, which is said, and the next what-if of any engine drops it", async () => {
  const { folding, reader, goOn } = await comparing()
  await reader.query("begin; select from scratch.looked_into__1")
  await goOn()
  const { leftBehind, kept } = await folding
  expect(kept).toBe(true)
  expect(leftBehind).toMatch(/"scratch".*left behind.*next what-if into it drops it.*lock/)
  expect(warnings).toEqual([leftBehind])
  await reader.query("commit")
  const other = await open({ database: db.url, readModels: "follow", logger: false })
  try {
    expect(await other.whatIf({ definitions: [definition], into })).toMatchObject({ kept: false })
  } finally {
    await other.close()
  }
  expect(await isThere()).toBe(false)
})

it("what others put into a schema meanwhile is named where it is left behind", async () => {
  const { folding, goOn } = await comparing()
  await db.query("create table scratch.precious as select 1 as one")
  await goOn()
  expect((await folding).leftBehind).toMatch(/left behind.*table scratch\.precious/)
  expect(warnings).toHaveLength(1)
  expect(await db.query("select one from scratch.precious")).toEqual([{ one: 1 }])
})
