import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { once } from "node:events"
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import { openHome } from "../../src/postgres/embedded/home.ts"
import { isRoot } from "../../src/postgres/embedded/server-user.ts"
import {
  asOrdinaryUser,
  entered,
  giveToServer,
  host,
  isRunning,
  place,
  postmasterPid,
  query,
  refusal,
  sleeper,
  startUser,
  withServer
} from "./embedded-scene.ts"

const nextPorts = vi.hoisted((): Array<number> => [])

vi.mock(import("../../src/postgres/embedded/port.ts"), async (importOriginal) => {
  const original = await importOriginal()
  return { ...original, freePort: async () => nextPorts.shift() ?? original.freePort() }
})

const clone = place()
const options = { directory: clone.home }
const versionFile = join(clone.home, "data", "PG_VERSION")

beforeAll(() => withServer(options, ({ url }) => query(url, "create table kept as select 1 as one")))
afterAll(() => clone[Symbol.dispose]())
beforeEach(() => void nextPorts.splice(0))

const dataAreThere = () =>
  withServer(options, async ({ url }) =>
    expect(await query(url, "select one from kept")).toEqual([{ one: 1 }])
  )

const takenPort = async () => {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.dispose]: () => void server.close() }
}

describe("the embedded server refuses", () => {
  it("a directory that holds other files, and leaves them alone", async () => {
    using other = place()
    mkdirSync(other.home)
    writeFileSync(join(other.home, "thesis.txt"), "mine")
    const reason = await refusal({ directory: other.home })
    expect(reason).toMatchObject({ _tag: "DirectoryNotOurs", directory: other.home })
    expect(reason.message).toContain("thesis.txt")
    expect(readFileSync(join(other.home, "thesis.txt"), "utf8")).toBe("mine")
  })

  it("a directory that is itself a PostgreSQL data directory, or a file", async () => {
    const reason = await refusal({ directory: join(clone.home, "data") })
    expect(reason._tag).toBe("DirectoryNotOurs")
    expect(await refusal({ directory: join(clone.home, "password") })).toMatchObject({
      _tag: "DirectoryNotOurs"
    })
  })

  it("a directory of somebody else, and names the owner", () => {
    // As root: a directory of root's seen by nobody. As anyone else: the root directory, which is root's.
    const directory = isRoot() ? clone.path : "/"
    const open = () => asOrdinaryUser(() => openHome(host(), directory, () => undefined))
    expect(open).toThrow(/root \(uid 0\)/)
    expect(open).toThrow(expect.objectContaining({ _tag: "DirectoryNotOurs" }))
  })

  it("data of another major version, and says how to keep them", async () => {
    writeFileSync(versionFile, "15\n")
    const reason = await refusal(options)
    writeFileSync(versionFile, "18\n")
    expect(reason).toMatchObject({ _tag: "OtherMajorVersion", found: "15", wanted: 18 })
    expect(reason.message).toContain("pg_dump")
    await dataAreThere()
  })

  it("data that the server's user can no longer reach, rather than begin elsewhere without them", async () => {
    chmodSync(clone.path, 0o700)
    const outcome = isRoot() ? await refusal(options) : await dataAreThere()
    chmodSync(clone.path, 0o755)
    if (isRoot()) {
      expect(outcome).toMatchObject({ _tag: "DirectoryUnreachable", blockedBy: clone.path })
      expect(outcome).toHaveProperty("message", expect.stringContaining("chmod o+x"))
    }
    await dataAreThere()
  })

  it("data whose password is lost", async () => {
    const file = join(clone.home, "password")
    const password = readFileSync(file, "utf8")
    rmSync(file)
    const reason = await refusal(options)
    writeFileSync(file, password, { mode: 0o600 })
    expect(reason).toMatchObject({ _tag: "DirectoryNotOurs", why: expect.stringContaining("password") })
    await dataAreThere()
  })

  it("a port that is taken", async () => {
    using taken = await takenPort()
    const reason = await refusal({ ...options, port: taken.port })
    expect(reason).toMatchObject({ _tag: "NoFreePort", port: taken.port, why: "address already in use" })
    expect(reason.message).toContain("another port")
  })

  it("to go on when every free port is taken before the server binds it", async () => {
    using taken = await takenPort()
    nextPorts.push(...Array.from({ length: 10 }, () => taken.port))
    expect(await refusal(options)).toMatchObject({ _tag: "NoFreePort", why: "address already in use" })
  })

  it("a server that does not let it in, and leaves it running", async () => {
    await using user = startUser(clone.home)
    await entered(user)
    await user.kill("SIGKILL")
    const file = join(clone.home, "password")
    const password = readFileSync(file, "utf8")
    writeFileSync(file, "of another server")
    const reason = await refusal(options)
    writeFileSync(file, password)
    expect(reason).toMatchObject({ _tag: "DirectoryInUse", directory: clone.home })
    expect(reason.message).not.toContain(password)
    expect(isRunning(clone.home)).toBe(true)
    await dataAreThere()
    expect(isRunning(clone.home)).toBe(false)
  })

  it("settings that the server does not take, and shows what it said", async () => {
    const reason = await refusal({ ...options, settings: { shared_buffers: "plenty" } })
    expect(reason).toMatchObject({
      _tag: "ServerDidNotStart",
      log: expect.stringContaining("shared_buffers")
    })
    expect(reason.message).toContain("plenty")
    await dataAreThere()
  })
})

describe("the embedded server gets over", () => {
  it("a free port that another program takes first", async () => {
    using taken = await takenPort()
    nextPorts.push(taken.port, taken.port)
    await withServer(options, ({ port }) => expect(port).not.toBe(taken.port))
  })

  it("a lock file of a dead server whose pid belongs to another program now", async () => {
    using other = await sleeper()
    const file = join(clone.home, "data", "postmaster.pid")
    const lines = [other.pid, join(clone.home, "data"), 1, 1, "", "127.0.0.1", "", "ready", ""]
    writeFileSync(file, lines.join("\n"))
    giveToServer(file)
    await withServer(options, (server) => {
      expect(server.joined).toBe(false)
      expect(postmasterPid(clone.home)).not.toBe(other.pid)
    })
    expect(other.exitCode).toBeNull()
  })

  it("a starter that was killed while it made the cluster", async () => {
    using fresh = place()
    openHome(host(), fresh.home, () => undefined)
    mkdirSync(join(fresh.home, "making-1"))
    writeFileSync(join(fresh.home, "making-1", "PG_VERSION"), "18\n")
    await withServer({ directory: fresh.home }, ({ url }) => query(url, "select 1"))
    expect(existsSync(join(fresh.home, "making-1"))).toBe(false)
  })
})
