import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { migrate } from "../../src/engine/migration.ts"
import { testLog } from "../log/test-log.ts"
import { folded } from "./folded.ts"

// Who may do what with agents' states. The owner's engine keeps the read model for all.

const log = testLog()
const [writer, reader, both] = [
  `state_writer_${process.pid}`,
  `state_reader_${process.pid}`,
  `state_both_${process.pid}`
]

const nobody = `state_nobody_${process.pid}`

const DENIED = "42501"

/** What a statement fails with for a role; undefined where it is allowed. */
const refusal = async (role: string, sql: string, params: ReadonlyArray<unknown> = []) => {
  const session = await log.session()
  await session.query(`set role ${role}`)
  return session.query(sql, params).then(
    () => undefined,
    (thrown: { readonly code: string }) => thrown.code
  )
}

/** The log, for an engine that acts as a role. */
const as = (role: string): string => {
  const { url } = log.db
  return `${url}${url.includes("?") ? "&" : "?"}options=${encodeURIComponent(`-c role=${role}`)}`
}

beforeAll(async () => {
  for (const role of [writer, reader, both, nobody]) await log.db.query(`create role ${role}`)
  await migrate({ database: log.db.url, writers: [writer, both], readers: [reader, both] })
})

afterAll(async () => {
  for (const role of [writer, reader, both, nobody]) {
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

const secrets = "select secret from tidemark.agent_secrets"

test("a reader does not learn the keys of the hashes; who writes does, even if he is a reader as well", async () => {
  expect(await refusal(reader, secrets)).toBe(DENIED)
  expect(await refusal(reader, "select tidemark.agent_secret('written-1')")).toBe(DENIED)
  expect(await refusal(writer, secrets)).toBeUndefined()
  expect(await refusal(both, secrets)).toBeUndefined()
})

describe("in SQL", () => {
  const reading = [
    "select * from tidemark.get_current_state('asked')",
    "select * from tidemark.get_state_at_version('asked', 3)",
    "select * from tidemark.get_state_at_time('asked', now())",
    "select * from tidemark.get_state_statistics()",
    "select * from tidemark.agent_states where agent_id = 'asked'",
    "select * from tidemark.state_versions where agent = 'asked'",
    "select * from tidemark.state_conflict_inbox where target_agent = 'asked'",
    "select * from tidemark.state_branches, tidemark.state_tags, tidemark.state_checkpoints, tidemark.state_merges, tidemark.state_conflicts"
  ]
  const appending = [
    "select * from tidemark.create_state_checkpoint('asked')",
    "select * from tidemark.restore_state_checkpoint((select id from tidemark.state_checkpoints where agent_id = 'asked' limit 1))",
    "select * from tidemark.cleanup_expired_states()"
  ]

  beforeAll(async () => {
    const state = log.engine.state("asked")
    await state.update({ local: { list: Array.from({ length: 30 }, (_, n) => n) } })
    await state.checkpoint()
    // Some of a version's values are made of patches then.
    for (let n = 0; n < 3; n++) await state.patch([{ op: "replace", path: "/local/list/0", value: -n }])
    await folded(log)
  })

  test.each(reading)("readers and writers may: %s", async (sql) => {
    expect(await refusal(reader, sql)).toBeUndefined()
    expect(await refusal(writer, sql)).toBeUndefined()
    expect(await refusal(nobody, sql)).toBe(DENIED)
  })

  test.each(appending)("writers may, and readers may not: %s", async (sql) => {
    expect(await refusal(reader, sql)).toBe(DENIED)
    expect(await refusal(nobody, sql)).toBe(DENIED)
    expect(await refusal(writer, sql)).toBeUndefined()
    await log.db.query("select tidemark.wake()")
    await folded(log)
    expect(await log.engine.state("asked").verify()).toMatchObject({ isSound: true })
  })

  test("readers hold no stream up", async () => {
    expect(await refusal(reader, "select tidemark.hold_heads('{state-main@asked}')")).toBe(DENIED)
  })
})
