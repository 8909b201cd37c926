import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { testLog } from "../log/test-log.ts"

// Who may do what with agents' states. The owner's engine keeps the read model for all.

const log = testLog()
const [writer, reader, both] = [
  `state_writer_${process.pid}`,
  `state_reader_${process.pid}`,
  `state_both_${process.pid}`
]

/** The log, for an engine that acts as a role. */
const as = (role: string): string => {
  const { url } = log.db
  return `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${role}`)}`
}

beforeAll(async () => {
  for (const role of [writer, reader, both]) await log.db.query(`create role ${role}`)
  await migrate({ database: log.db.url, writers: [writer, both], readers: [reader, both] })
})

afterAll(async () => {
  for (const role of [writer, reader, both]) {
    await log.db.query(`drop owned by ${role}`)
    await log.db.query(`drop role ${role}`)
  }
})

describe("a writer", () => {
  test("writes and reads the states of agents, new ones and known ones", async () => {
    const engine = await log.open({ database: as(writer) })
    const state = engine.state("written-1")
    await state.update({ local: { n: 1 } })
    expect((await log.engine.state("written-1").read()).local).toEqual({ n: 1 })
    await log.engine.state("written-1").update({ local: { n: 2 } })
    expect((await state.read()).local).toEqual({ n: 2 })
    expect(await state.verify()).toMatchObject({ isSound: true })
  })
})
