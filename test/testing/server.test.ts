import { existsSync } from "node:fs"
import { Client } from "pg"
import { expect, test } from "vitest"
import { testPostgres } from "../../src/testing.ts"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"

/** What a server says of itself. */
const asked = async <Row extends object>(database: string, what: string): Promise<Row> => {
  const client = new Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query<Row>(`select ${what}`)
  await client.end()
  return rows[0]!
}

test("a PostgreSQL for tests starts by itself, and is gone with its data in the end", async () => {
  const postgres = await testPostgres()
  const engine = await postgres.open()
  await engine.emit("a-1", { type: "Counted" })
  const { directory, fsync } = await asked<{ directory: string; fsync: string }>(
    postgres.database as string,
    "current_setting('data_directory') as directory, current_setting('fsync') as fsync"
  )
  expect(fsync).toBe("off")
  expect(existsSync(directory)).toBe(true)
  await postgres.stop()
  expect(existsSync(directory)).toBe(false)
  await expect(engine.emit("a-1", { type: "Counted" })).rejects.toMatchObject({ name: "Unavailable" })
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

type Ending = (worker: Worker<{ readonly database: string }>) => unknown

test.each<readonly [string, Ending]>([
  ["exits", (worker) => worker.send("exit")],
  ["ends by an error", (worker) => worker.send("throw")],
  ["is told to end", (worker) => worker.kill("SIGTERM")],
  ["is killed", (worker) => worker.kill("SIGKILL")]
])("and goes with its data, too, where the process %s", async (_, end) => {
  await using worker = startWorker<{ readonly database: string }>("tester")
  const [{ database }] = (await worker.says(1)) as [{ database: string }]
  const { directory, pid } = await asked<{ directory: string; pid: string }>(
    database,
    "current_setting('data_directory') as directory, split_part(pg_read_file('postmaster.pid'), chr(10), 1) as pid"
  )
  expect(isAlive(Number(pid))).toBe(true)
  await end(worker)
  await worker.exited
  await until(() => !isAlive(Number(pid)), { what: "the server to end" })
  await until(() => !existsSync(directory), { what: "its data to be gone" })
})
