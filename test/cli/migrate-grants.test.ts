import { Client } from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { quoted } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { run } from "./tidemark.ts"

const db = testDatabase()
const made = `tidemark_cli_${process.pid}`
const [writer, other, reader] = [`${made}_writer`, `${made}_other`, `${made}_reader`]

beforeAll(async () => {
  for (const role of [writer, other, reader]) await db.query(`create role ${quoted(role)}`)
})
afterAll(async () => {
  for (const role of [writer, other, reader]) {
    await db.query(`drop owned by ${quoted(role)}`)
    await db.query(`drop role ${quoted(role)}`)
  }
})

const append = `select from tidemark.append_events('agent-1', '[{"type": "Woke"}]')`
const look = "select from tidemark.read_log()"

const may = async (role: string, sql: string): Promise<boolean> => {
  const client = new Client({ connectionString: db.url, application_name: "granted" })
  await client.connect()
  try {
    await client.query(`set role ${quoted(role)}`)
    return await client.query(sql).then(
      () => true,
      () => false
    )
  } finally {
    await client.end()
  }
}

describe("tidemark migrate", () => {
  test("lets roles write and read, and no more than that, and says so", async () => {
    expect(await may(reader, look)).toBe(false)
    const args = ["migrate", "-d", db.url, "--grant-writer", `${writer},${other}`, "--grant-reader", reader]
    const { code, stdout } = await run(args)
    expect(code).toBe(0)
    for (const role of [writer, other]) {
      expect(stdout).toContain(`Role "${role}" may write it.`)
      expect(await may(role, append)).toBe(true)
    }
    expect(stdout).toContain(`Role "${reader}" may read it.`)
    expect([await may(reader, look), await may(reader, append)]).toEqual([true, false])
  })

  test("tells programs whom it granted what, also where that was granted before", async () => {
    const args = ["migrate", "--json", "-d", db.url]
    for (const role of [writer, other]) args.push("--grant-writer", role)
    const { stdout } = await run([...args, "--grant-reader", reader])
    expect(JSON.parse(stdout)).toMatchObject({ applied: [], writers: [writer, other], readers: [reader] })
  })

  test("fails for a role that is not there, and names it", async () => {
    const { code, stderr } = await run(["migrate", "--json", "-d", db.url, "--grant-reader", `${made}_none`])
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toEqual({
      error: { name: "Rejected", message: expect.stringContaining(`${made}_none`) }
    })
  })
})
