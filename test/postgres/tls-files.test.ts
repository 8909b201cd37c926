import path from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { makeAuthority, type Authority } from "./authority.ts"
import { configured, misconfigured, noHome } from "./connecting.ts"
import { temporaryFolder, type Folder } from "./tls-servers.ts"

const anywhere = { host: "localhost", sslmode: "require" } as const

let authority: Authority
let folder: Folder

beforeAll(async () => {
  folder = await temporaryFolder()
  authority = await makeAuthority("Tidemark test authority")
})

afterAll(() => folder?.remove())

test.each(["verify-ca", "verify-full"] as const)(
  "%s without any authority is refused with what to do",
  async (sslmode) => {
    expect(await misconfigured({ ...anywhere, sslmode })).toMatchObject({
      _tag: "TlsFileUnreadable",
      file: path.join(noHome, ".postgresql", "root.crt"),
      message: expect.stringContaining("sslrootcert=system")
    })
  }
)

test("a file that was named and is not there is refused under every mode with TLS", async () => {
  const sslrootcert = path.join(folder.directory, "missing.pem")
  for (const sslmode of ["allow", "prefer", "require", "verify-full"] as const) {
    expect(await misconfigured({ ...anywhere, sslmode, sslrootcert })).toMatchObject({
      _tag: "TlsFileUnreadable",
      setting: "sslrootcert",
      file: sslrootcert
    })
  }
  await expect(configured({ ...anywhere, sslmode: "disable", sslrootcert })).resolves.toBeDefined()
})

test("a directory or a text is no certificate", async () => {
  const text = await folder.write("text.pem", "hello")
  for (const file of [folder.directory, text]) {
    expect(await misconfigured({ ...anywhere, sslrootcert: file })).toMatchObject({
      setting: "sslrootcert",
      file
    })
    expect(await misconfigured({ ...anywhere, sslcert: file })).toMatchObject({ setting: "sslcert", file })
  }
})

test("a client certificate needs its own key", async () => {
  const [one, other] = await Promise.all([authority.forClient("one"), authority.forClient("other")])
  const sslcert = await folder.write("one.crt", one.cert)
  expect(await misconfigured({ ...anywhere, sslcert })).toMatchObject({
    setting: "sslcert",
    problem: expect.stringContaining("sslkey")
  })
  const sslkey = await folder.write("other.key", other.key)
  expect(await misconfigured({ ...anywhere, sslcert, sslkey })).toMatchObject({
    setting: "sslkey",
    file: sslkey
  })
})

test("a key that others can read is refused", async () => {
  const { cert, key } = await authority.forClient("open")
  const settings = {
    ...anywhere,
    sslcert: await folder.write("open.crt", cert),
    sslkey: await folder.write("open.key", key, 0o644)
  }
  expect(await misconfigured(settings)).toMatchObject({ problem: expect.stringContaining("chmod 0600") })
})

test("a Unix socket has no TLS, so nothing is asked of files", async () => {
  const config = await configured({ host: "/run/postgresql", sslmode: "verify-full" })
  expect(config.stream).toBeUndefined()
})
