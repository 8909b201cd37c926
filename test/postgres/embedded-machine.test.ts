import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { prepareBinaries } from "../../src/postgres/embedded/binaries.ts"
import { openHome } from "../../src/postgres/embedded/home.ts"
import { accountNamed, barrierTo, isRoot, serverUser } from "../../src/postgres/embedded/server-user.ts"
import {
  asOrdinaryUser,
  entered,
  host,
  isRunning,
  missingLinks,
  packageWithoutLinks,
  place,
  query,
  refusal,
  startUser,
  withServer
} from "./embedded-scene.ts"

const notices = () => {
  const heard: Array<string> = []
  return { heard, onNotice: (notice: string) => void heard.push(notice) }
}

describe("the embedded server on a machine", () => {
  it("runs as the caller, or, for root, as an account that is not root", async () => {
    using clone = place()
    await withServer({ directory: clone.home }, ({ url }) => query(url, "select 1"))
    const { uid } = statSync(join(clone.home, "data"))
    expect(uid).toBe(isRoot() ? serverUser(host(), () => undefined)?.uid : userInfo().uid)
    expect(uid).not.toBe(0)
  })

  it("runs as the account of last resort where root finds no postgres account and can create none", async () => {
    using clone = place()
    const { heard, onNotice } = notices()
    const bare = { accounts: ["tidemark-absent"], accountToCreate: undefined, lastResort: "nobody" }
    await withServer({ directory: clone.home, onNotice }, ({ url }) => query(url, "select 1"), bare)
    const nobody = accountNamed("nobody")
    expect(statSync(join(clone.home, "data")).uid).toBe(isRoot() ? nobody?.uid : userInfo().uid)
    expect(heard.join()).toContain(isRoot() ? 'it runs as "nobody"' : "")
    // The owner of the data goes on running them, although a better account is there now.
    await withServer({ directory: clone.home }, ({ url }) => query(url, "select 1"))
  })

  it("says what to do where root finds no account at all", async () => {
    using clone = place()
    const options = { directory: clone.home }
    const none = { accounts: [], accountToCreate: undefined, lastResort: "tidemark-absent" }
    if (isRoot()) {
      expect(await refusal(options, none)).toMatchObject({
        _tag: "NoServerUser",
        message: expect.stringContaining("useradd")
      })
    } else expect(serverUser(host(none), () => undefined)).toBeUndefined()
  })

  it("moves data and binaries out of a private clone whose install scripts did not run, and finds them again", async () => {
    using clone = place("private")
    using outside = place()
    const native = packageWithoutLinks(clone.path)
    const shelters = [join(outside.path, "shelter")]
    const first = startUser(clone.home, { native, shelters, umask: 0o077 })
    const { directory } = await entered(first)
    const said = first.said[0]?.notices?.join("\n") ?? ""
    await first.kill("SIGKILL")
    expect(dirname(directory)).toBe(isRoot() ? shelters[0] : clone.path)
    expect(said.includes(directory)).toBe(isRoot())
    expect(missingLinks(native).length > 0).toBe(isRoot())
    expect(existsSync(join(directory, "data", "PG_VERSION"))).toBe(true)

    const { heard, onNotice } = notices()
    const again = { directory: clone.home, onNotice }
    const changes = { nativeFolder: () => native, shelters }
    await withServer(again, (server) => expect(server).toMatchObject({ directory, joined: true }), changes)
    expect(heard.join("\n").includes(directory)).toBe(isRoot())
    expect(isRunning(directory)).toBe(false)
  })

  it("makes the library links that a skipped install script left out", async () => {
    using clone = place()
    const native = packageWithoutLinks(clone.path)
    expect(missingLinks(native)).not.toEqual([])
    const changes = { nativeFolder: () => native }
    await withServer({ directory: clone.home }, ({ url }) => query(url, "select 1"), changes)
    expect(missingLinks(native)).toEqual([])
    expect(existsSync(join(clone.home, "binaries"))).toBe(false)
  })

  it("copies the binaries where the package cannot be written, and once only", () => {
    using clone = place()
    const native = packageWithoutLinks(clone.path)
    const library = join(native, "lib")
    chmodSync(library, 0o555)
    using _ = { [Symbol.dispose]: () => chmodSync(library, 0o755) }
    mkdirSync(join(clone.path, "open"), { mode: 0o700 })
    chmodSync(join(clone.path, "open"), 0o777)
    const directory = join(clone.path, "open", ".tidemark")
    const { heard, onNotice } = notices()
    const changed = host({ nativeFolder: () => native })
    const prepare = () => prepareBinaries(changed, openHome(changed, directory, onNotice), onNotice)
    const { postgres } = asOrdinaryUser(prepare)
    expect(postgres.startsWith(join(directory, "binaries"))).toBe(true)
    expect(missingLinks(dirname(dirname(postgres)))).toEqual([])
    expect(readdirSync(dirname(postgres)).toSorted()).toEqual(["initdb", "pg_ctl", "postgres"])
    expect(heard).toHaveLength(1)
    asOrdinaryUser(prepare)
    expect(heard).toHaveLength(1)
  })

  it("says what to install where the platform's binaries are missing", async () => {
    using clone = place()
    const changes = { nativeFolder: () => join(clone.path, "nowhere", "native") }
    expect(await refusal({ directory: clone.home }, changes)).toMatchObject({
      _tag: "BinariesMissing",
      message: expect.stringContaining("npm ci --include=optional")
    })
  })

  it("keeps its data where a link points", () => {
    using clone = place()
    const target = join(clone.path, "elsewhere")
    mkdirSync(target)
    symlinkSync(target, clone.home)
    expect(openHome(host(), clone.home, () => undefined).directory).toBe(target)
  })

  it("sees which directory on the way keeps an account out", () => {
    using clone = place("private")
    const inside = join(clone.path, "a", "b")
    mkdirSync(inside, { recursive: true })
    const { uid, gid } = statSync(clone.path)
    const stranger = { name: "stranger", uid: uid + 4321, gid: gid + 4321 }
    expect(barrierTo(inside, stranger)).toBe(clone.path)
    expect(barrierTo(inside, { name: "owner", uid, gid })).toBeUndefined()
    chmodSync(clone.path, 0o711)
    expect(barrierTo(join(inside, "missing"), stranger)).toBeUndefined()
  })
})
