import { stat } from "node:fs/promises"
import { Client } from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { connected } from "./support/admin.ts"
import type { Cluster } from "./support/cluster.ts"
import { until } from "./support/eventually.ts"
import { startWorker } from "./support/process.ts"
import { currentRun } from "./support/run.ts"
import { privateServer } from "./support/server.ts"

const write = (server: Cluster, id: number) =>
  connected(server.url, (client) => client.query("insert into kept values ($1)", [id]))

const kept = (server: Cluster) =>
  connected(server.url, async (client) => (await client.query("select id from kept order by id")).rows)

describe("a private server", () => {
  let server: Cluster
  beforeAll(async () => {
    server = await privateServer({ work_mem: "7MB" })
  })
  afterAll(() => server.remove())

  test("keeps its URL and what was committed through a fast and an immediate restart", async () => {
    const { url } = server
    await connected(url, (client) => client.query("create table kept (id integer)"))
    await write(server, 1)
    await server.restart("fast")
    await write(server, 2)
    await server.restart("immediate")
    expect(server.url).toBe(url)
    expect(await kept(server)).toEqual([{ id: 1 }, { id: 2 }])
    expect(server.log.join("\n")).toContain("was not properly shut down; automatic recovery in progress")
  })

  test("ends its clients' connections when it stops, and refuses new ones until it starts", async () => {
    const client = new Client({ connectionString: server.url })
    const lost = new Promise<Error>((resolve) => client.on("error", resolve))
    await client.connect()
    await server.stop("immediate")
    expect(await lost).toBeInstanceOf(Error)
    await expect(connected(server.url, async () => {})).rejects.toMatchObject({ code: "ECONNREFUSED" })
    await server.start()
    await connected(server.url, (again) => again.query("select 1"))
  })

  test("takes settings, and files that only its user can read", async () => {
    const file = await server.place("private.pem", "secret")
    const [placed, data] = await Promise.all([stat(file), stat(server.directory)])
    expect([placed.mode & 0o777, data.mode & 0o777]).toEqual([0o600, 0o700])
    expect([placed.uid, data.uid === 0]).toEqual([data.uid, false])
    await server.restart("fast", { max_connections: "17" })
    const shown = await connected(server.url, (client) =>
      client.query(
        "select current_setting('work_mem') as memory, current_setting('max_connections') as connections"
      )
    )
    expect(shown.rows).toEqual([{ memory: "7MB", connections: "17" }])
  })

  test("can be started in recovery, as a standby is", async () => {
    await server.stop()
    await server.place("standby.signal", "")
    await server.start()
    const state = await connected(server.url, (client) =>
      client.query("select pg_is_in_recovery() as recovering")
    )
    expect(state.rows).toEqual([{ recovering: true }])
  })

  test("says in the server's words why it did not start", async () => {
    await expect(privateServer({ shared_buffers: "nonsense" })).rejects.toThrow(
      /instead of starting[^]*shared_buffers/
    )
  })

  test("does not outlive a test process that is killed", async () => {
    const input = currentRun().programs
    const worker = startWorker<Pick<Cluster, "url" | "directory">>("../support/fixtures/cluster-worker", {
      input
    })
    const { url, directory } = await worker.saysThat(() => true, { within: 25_000 })
    await worker.kill()
    await until(
      () =>
        stat(directory).then(
          () => false,
          () => true
        ),
      { what: "its data to be gone" }
    )
    await expect(connected(url, async () => {})).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  test("leaves nothing behind", async () => {
    await server.remove()
    await expect(stat(server.directory)).rejects.toMatchObject({ code: "ENOENT" })
  })
})
