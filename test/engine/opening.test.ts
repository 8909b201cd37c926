import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import { findPlace } from "../../src/engine/place.ts"
import { DirectoryNotOurs, NoDatabase, TlsRefused, TlsUnverified } from "../../src/errors.ts"
import { open, type OpenOptions, Unreachable } from "../../src/index.ts"
import { makeAuthority } from "../postgres/authority.ts"
import { on } from "../postgres/connecting.ts"
import { encryptedServer, type Folder, plainServer, temporaryFolder } from "../postgres/tls-servers.ts"
import type { Cluster } from "../support/cluster.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

/** Why an engine does not open; closes it and fails when it does. */
const refusal = async (options: OpenOptions): Promise<unknown> => {
  try {
    await (await open({ logger: false, ...options })).close()
  } catch (thrown) {
    return thrown
  }
  return expect.unreachable("it opened")
}

const opens = async (options: OpenOptions): Promise<boolean> => {
  await using engine = await open({ logger: false, ...options })
  return (await engine.settled()) >= 0
}

describe("opening a log whose TLS cannot be agreed on", () => {
  let folder: Folder
  let encrypted: Cluster
  let plain: Cluster
  let rootFile: string

  beforeAll(async () => {
    folder = await temporaryFolder()
    rootFile = await folder.write("root.pem", (await makeAuthority("Somebody else")).cert)
    encrypted = await encryptedServer(await makeAuthority("Tidemark test authority"))
    plain = await plainServer()
  })
  afterAll(async () => {
    await encrypted?.remove()
    await plain?.remove()
    await folder?.remove()
  })

  test("rejects with TlsRefused where TLS is required and the server has none, and says what to set", async () => {
    const database = `postgres://postgres@localhost:${plain.port}/postgres?sslmode=require`
    const error = await refusal({ database })
    expect(error).toBeInstanceOf(TlsRefused)
    expect(error).toMatchObject({ sslmode: "require", message: expect.stringContaining("ssl=on") })
  })

  test("rejects with TlsUnverified where another authority signed the server's certificate", async () => {
    const database = on(encrypted, { sslmode: "verify-full", sslrootcert: rootFile })
    const error = await refusal({ database })
    expect(error).toBeInstanceOf(TlsUnverified)
    expect(error).toMatchObject({ check: "chain", message: expect.stringContaining("sslrootcert") })
  })
})

describe("the database that is opened", () => {
  const foreign = mkdtempSync(path.join(tmpdir(), "tidemark-foreign-"))
  const nowhere = "postgres://127.0.0.1:1/nowhere"
  writeFileSync(path.join(foreign, "letter.txt"), "not a cluster")

  afterEach(() => vi.unstubAllEnvs())
  afterAll(() => rmSync(foreign, { recursive: true }))

  test("is the named one, whatever else is given", async () => {
    vi.stubEnv("DATABASE_URL", nowhere)
    expect(await opens({ database: db.url, embedded: { directory: foreign } })).toBe(true)
  })

  test("is the embedded one that is asked for, also where DATABASE_URL is set", async () => {
    vi.stubEnv("DATABASE_URL", nowhere)
    expect(await refusal({ embedded: { directory: foreign } })).toBeInstanceOf(DirectoryNotOurs)
    const found = findPlace({ embedded: { directory: foreign } })
    await expect(found).rejects.toBeInstanceOf(DirectoryNotOurs)
  })

  test("is that of DATABASE_URL where nothing else is asked for", async () => {
    vi.stubEnv("DATABASE_URL", db.url)
    expect(await opens({})).toBe(true)
    expect(await opens({ embedded: false })).toBe(true)
    await using place = await findPlace({ onNotice: () => undefined })
    expect(place).toMatchObject({ database: db.url, embedded: undefined })
    vi.stubEnv("DATABASE_URL", nowhere)
    expect(await refusal({})).toBeInstanceOf(Unreachable)
  })

  test("is missing, as NoDatabase says, where none is named and none may be started", async () => {
    vi.stubEnv("DATABASE_URL", "")
    const error = await refusal({ embedded: false })
    expect(error).toBeInstanceOf(NoDatabase)
    expect(error).toMatchObject({ name: "NoDatabase", message: expect.stringContaining("DATABASE_URL") })
  })
})
