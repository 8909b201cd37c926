import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { until } from "../support/eventually.ts"
import { startWorker } from "../support/process.ts"
import {
  entered,
  isRunning,
  leaves,
  place,
  postmasterPid,
  query,
  startUser,
  withServer
} from "./embedded-scene.ts"

const stopped = (home: string) => until(() => !isRunning(home), { what: "the server to stop" })

// Shared by the tests that need no new cluster.
const clone = place()
afterAll(() => clone[Symbol.dispose]())

describe("the processes that use the embedded server", () => {
  it("share one server, which outlives the one that started it and stops with the last", async () => {
    await using first = startUser(clone.home)
    const started = await entered(first)
    await using second = startUser(clone.home)
    const joined = await entered(second)
    expect(started).toMatchObject({ joined: false, version: 18, directory: clone.home })
    expect(joined).toEqual({ ...started, joined: true })

    await leaves(first)
    await query(joined.url, "create table kept as select 1 as one")
    await leaves(second)
    expect(isRunning(clone.home)).toBe(false)

    await withServer({ directory: clone.home }, async (server) => {
      expect(server.joined).toBe(false)
      expect(await query(server.url, "select one from kept")).toEqual([{ one: 1 }])
    })
    expect(isRunning(clone.home)).toBe(false)
  })

  it("make one cluster and one server when three start at the same moment", async () => {
    using clone = place()
    await using first = startUser(clone.home)
    await using second = startUser(clone.home)
    await using third = startUser(clone.home)
    const users = [first, second, third]
    const servers = await Promise.all(users.map(entered))
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1)
    expect(servers.map(({ joined }) => joined).toSorted()).toEqual([false, true, true])
    expect(readFileSync(join(clone.home, "server.log"), "utf8").match(/starting PostgreSQL/g)).toHaveLength(1)
    expect(readdirSync(clone.home).filter((name) => name.startsWith("making"))).toEqual([])

    await Promise.all(users.map(leaves))
    expect(isRunning(clone.home)).toBe(false)
    expect(readdirSync(join(clone.home, "users"))).toEqual([])
  })

  it("do not keep the server running once they were killed: the next that leaves stops it", async () => {
    await using killed = startUser(clone.home)
    await entered(killed)
    await killed.kill("SIGKILL")
    expect(isRunning(clone.home)).toBe(true)
    await withServer({ directory: clone.home }, (server) => expect(server.joined).toBe(true))
    expect(isRunning(clone.home)).toBe(false)
  })

  it("leave when they exit without leaving", async () => {
    await using user = startUser(clone.home)
    await entered(user)
    user.send("exit")
    await user.exited
    await stopped(clone.home)
  })

  it("help a server down that does not stop when asked, and start it again", async () => {
    await using user = startUser(clone.home)
    const { url } = await entered(user)
    await query(url, "create table held as select 1 as one")
    const [checkpointer] = await query(
      url,
      "select pid from pg_stat_activity where backend_type = 'checkpointer'"
    )
    // Without its last checkpoint a fast shutdown never ends.
    const stoppedPid = Number(checkpointer?.["pid"])
    process.kill(stoppedPid, "SIGSTOP")
    user.send("exit")
    await user.exited
    expect(isRunning(clone.home)).toBe(true)
    const used = withServer(
      { directory: clone.home },
      async (server) => {
        expect(server.joined).toBe(false)
        expect(await query(server.url, "select one from held")).toEqual([{ one: 1 }])
      },
      { fastWithinMs: 500 }
    )
    await until(
      () => readFileSync(join(clone.home, "server.log"), "utf8").includes("immediate shutdown request"),
      { what: "the server to be told to go at once" }
    )
    // PostgreSQL would kill it, five seconds later.
    process.kill(stoppedPid, "SIGCONT")
    await used
  })

  it("start the server again after it was killed, and find what was committed", async () => {
    await withServer({ directory: clone.home }, async (server) => {
      await query(server.url, "create table survived as select 1 as one")
      const killed = postmasterPid(clone.home) ?? 0
      process.kill(killed, "SIGKILL")
      await until(() => !isRunning(clone.home))
      expect(postmasterPid(clone.home)).toBe(killed)
      await withServer({ directory: clone.home }, async (again) => {
        expect(again.joined).toBe(false)
        expect(await query(again.url, "select one from survived")).toEqual([{ one: 1 }])
      })
      // The first use goes on, so the second must not have stopped the server.
      expect(isRunning(clone.home)).toBe(true)
    })
    expect(isRunning(clone.home)).toBe(false)
  })

  it("get a server of their own database, settings and port, with a password that only they can read", async () => {
    const options = { directory: clone.home, database: 'An "odd" name', settings: { max_connections: "17" } }
    await withServer(options, async ({ url, port }) => {
      expect(
        await query(url, "select current_database() as name, current_setting('max_connections') as most")
      ).toEqual([{ name: 'An "odd" name', most: "17" }])
      expect(
        await query(url, "select current_setting('fsync') as fsync, current_setting('port')::int as port")
      ).toEqual([{ fsync: "on", port }])
      await expect(query(url.replace(/:[^:@]+@/, ":wrong@"), "select 1")).rejects.toMatchObject({
        code: "28P01"
      })
    })
    expect(statSync(join(clone.home, "password")).mode & 0o777).toBe(0o600)
  })

  it("leave in peace when the directory was removed meanwhile, and do not make it again", async () => {
    let pid = 0
    await withServer({ directory: clone.home }, () => {
      pid = postmasterPid(clone.home) ?? 0
      rmSync(clone.home, { recursive: true })
    })
    // The server notices within a minute; the test does not wait.
    process.kill(pid, "SIGQUIT")
    expect(existsSync(clone.home)).toBe(false)
  })
})

describe("the lock of the embedded server", () => {
  it("lets one process in at a time, also while its owners are killed", async () => {
    using folder = place()
    const file = join(folder.path, "number")
    writeFileSync(file, "0")
    mkdirSync(join(folder.path, "lock"))
    const start = (dies: boolean) =>
      startWorker("embedded-lock", { input: { folder: join(folder.path, "lock"), file, times: 50, dies } })
    const workers = [start(false), start(true), start(false), start(true)]
    const ends = await Promise.all(workers.map(({ exited }) => exited))
    expect(ends.map(({ signal }) => signal)).toEqual([null, "SIGKILL", null, "SIGKILL"])
    expect(readFileSync(file, "utf8")).toBe("200")
  })
})
