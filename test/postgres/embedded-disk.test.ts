import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { EmbeddedError } from "../../src/postgres/embedded/embedded-error.ts"
import { isRunning, place, query, refusal, smallDisk, withServer, type SmallDisk } from "./embedded-scene.ts"

/** A cluster of 41 MiB, and the segments of WAL (16 MiB each) that recovery may write side by side. */
const ROOM_TO_RECOVER_MIB = 160
const MEBIBYTE = 1024 * 1024
/** More than what is left of the only segment of a new cluster. */
const MUCH_WAL =
  "select pg_logical_emit_message(false, 'padding', repeat('x', 1000000)) from generate_series(1, 40)"

const NO_ROOM = "could not write file: No space left on device"

/** Programs that find the disk full, for systems that let us mount no small one. */
const programsWithoutRoom = (folder: string) => {
  const native = join(folder, "package", "native")
  mkdirSync(join(native, "bin"), { recursive: true })
  writeFileSync(join(dirname(native), "package.json"), JSON.stringify({ version: "18.4.0" }))
  for (const name of ["initdb", "postgres"]) {
    writeFileSync(join(native, "bin", name), `#!/bin/sh\necho "${NO_ROOM}" >&2\nexit 1\n`)
    chmodSync(join(native, "bin", name), 0o755)
  }
  return () => native
}

/** Leaves no byte free, until what it returns is disposed of. */
const filled = (disk: SmallDisk): Disposable => {
  const filler = join(disk.path, "filler")
  try {
    if (disk.isReal) writeFileSync(filler, Buffer.alloc(ROOM_TO_RECOVER_MIB * MEBIBYTE))
  } catch {
    // Full, as intended.
  }
  return { [Symbol.dispose]: () => rmSync(filler, { force: true }) }
}

const noRoomIn = async (disk: SmallDisk, directory: string) => {
  if (disk.isReal) expect(await refusal({ directory })).toMatchObject({ _tag: "NoRoom", directory })
}

const keptIsThere = (directory: string) =>
  withServer({ directory }, async ({ url }) =>
    expect(await query(url, "select one from kept")).toEqual([{ one: 1 }])
  )

describe("a disk without room", () => {
  it("is named when a cluster cannot be made, which leaves nothing behind", async () => {
    using folder = place()
    using disk = smallDisk(folder.path, 30)
    const changes = disk.isReal ? {} : { nativeFolder: programsWithoutRoom(folder.path) }
    const directory = join(disk.path, ".tidemark")
    const reason = await refusal({ directory }, changes)
    expect(reason).toMatchObject({ _tag: "NoRoom", directory })
    expect(reason.message).toContain("Free some space")
    expect(() => readFileSync(join(directory, "data", "PG_VERSION"))).toThrow()
    expect(new EmbeddedError({ reason }).message).toBe(reason.message)
  })

  it("is recognised by what initdb and the server say", async () => {
    using folder = place()
    const changes = { nativeFolder: programsWithoutRoom(folder.path) }
    const directory = folder.home
    expect(await refusal({ directory }, changes)).toMatchObject({ _tag: "NoRoom" })
    await withServer({ directory }, ({ url }) => query(url, "create table kept as select 1 as one"))
    expect(await refusal({ directory }, changes)).toMatchObject({ _tag: "NoRoom" })
    await keptIsThere(directory)
  })

  it("that fills up while the server runs does not keep it from stopping, nor lose what was committed", async () => {
    using folder = place()
    using disk = smallDisk(folder.path, ROOM_TO_RECOVER_MIB)
    const directory = join(disk.path, ".tidemark")
    let full: Disposable | undefined
    await withServer({ directory }, async ({ url }) => {
      await query(url, "create table kept as select 1 as one")
      full = filled(disk)
    })
    expect(isRunning(directory)).toBe(false)
    await noRoomIn(disk, directory)
    full?.[Symbol.dispose]()
    await keptIsThere(directory)
  })

  it("crashes a server that needs more of it, which ends nevertheless, and starts once there is room", async () => {
    using folder = place()
    using disk = smallDisk(folder.path, ROOM_TO_RECOVER_MIB)
    const directory = join(disk.path, ".tidemark")
    let full: Disposable | undefined
    await withServer({ directory }, async ({ url }) => {
      await query(url, "create table kept as select 1 as one")
      full = filled(disk)
      if (disk.isReal) await expect(query(url, MUCH_WAL)).rejects.toThrow()
    })
    expect(isRunning(directory)).toBe(false)
    await noRoomIn(disk, directory)
    full?.[Symbol.dispose]()
    await keptIsThere(directory)
  })
})
