import { existsSync } from "node:fs"
import { Client } from "pg"
import { expect, test } from "vitest"
import { testPostgres } from "../../src/testing.ts"

test("a PostgreSQL for tests starts by itself, and is gone with its data in the end", async () => {
  const postgres = await testPostgres()
  const engine = await postgres.open()
  await engine.emit("a-1", { type: "Counted" })
  const client = new Client({ connectionString: postgres.database as string })
  await client.connect()
  const { rows } = await client.query<{ directory: string; fsync: string }>(
    "select current_setting('data_directory') as directory, current_setting('fsync') as fsync"
  )
  await client.end()
  expect(rows[0]!.fsync).toBe("off")
  expect(existsSync(rows[0]!.directory)).toBe(true)
  await postgres.stop()
  expect(existsSync(rows[0]!.directory)).toBe(false)
  await expect(engine.emit("a-1", { type: "Counted" })).rejects.toMatchObject({ name: "Unavailable" })
})
