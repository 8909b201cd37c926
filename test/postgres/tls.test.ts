import net from "node:net"
import { TLSSocket } from "node:tls"
import { Effect } from "effect"
import { Client, Pool } from "pg"
import PgListen from "pg-listen"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { connection } from "../../src/postgres/connection.ts"
import type { TlsSocket } from "../../src/postgres/tls-socket.ts"
import type { Cluster } from "../support/cluster.ts"
import { makeAuthority, type Authority, type Certificate } from "./authority.ts"
import {
  answering,
  configured,
  encryption,
  failure,
  listening,
  noHome,
  on,
  reason,
  tied
} from "./connecting.ts"
import { encryptedServer, secret, temporaryFolder, type Folder } from "./tls-servers.ts"

const firstWithDirectTls = 170_000

let authority: Authority
let folder: Folder
let encrypted: Cluster
let rootFile: string
let otherRootFile: string

beforeAll(async () => {
  folder = await temporaryFolder()
  authority = await makeAuthority("Tidemark test authority")
  rootFile = await folder.write("root.pem", authority.cert)
  otherRootFile = await folder.write("other-root.pem", (await makeAuthority("Somebody else")).cert)
  encrypted = await encryptedServer(authority)
})

afterAll(async () => {
  await encrypted?.remove()
  await folder?.remove()
})

/** What a server asks for when a client signs in. */
const asking = (what: number, rest = Buffer.alloc(0)): Buffer => {
  const header = Buffer.from("R\0\0\0\0\0\0\0\0", "latin1")
  header.writeUInt32BE(8 + rest.length, 1)
  header.writeUInt32BE(what, 5)
  return Buffer.concat([header, rest])
}

const saslOffer = (...mechanisms: ReadonlyArray<string>): Buffer =>
  asking(10, Buffer.from([...mechanisms, "", ""].join("\0")))

/** Ends the client's TLS with its own certificate and talks TLS to the real server. */
const inBetween = async (own: Certificate) => {
  const upstream = await configured(on(encrypted, { sslmode: "require" }))
  return (socket: net.Socket) =>
    void socket.once("data", () => {
      socket.write("S")
      const client = new TLSSocket(socket, { isServer: true, cert: own.cert, key: own.key })
      const server = upstream.stream?.() as TlsSocket
      // A client that rejects the certificate leaves before the server is there.
      tied(client, server)
      server.once("connect", () => client.pipe(server).pipe(client))
      server.connect(encrypted.port, "localhost")
    })
}

describe("against a server with a certificate of a private authority", () => {
  test("verify-full passes with the authority and the right host name", async () => {
    expect(await encryption(on(encrypted, { sslmode: "verify-full", sslrootcert: rootFile }))).toBe(true)
  })

  test.each(["require", "verify-ca", "verify-full"] as const)(
    "%s fails with TlsUnverified when another authority is given",
    async (sslmode) => {
      expect(await reason(on(encrypted, { sslmode, sslrootcert: otherRootFile }))).toMatchObject({
        _tag: "TlsUnverified",
        check: "chain",
        server: `localhost:${encrypted.port}`,
        sslmode,
        message: expect.stringContaining("sslrootcert")
      })
    }
  )

  test("verify-full fails with TlsUnverified when only public authorities are trusted", async () => {
    expect(await reason(on(encrypted, { sslrootcert: "system" }))).toMatchObject({
      _tag: "TlsUnverified",
      check: "chain",
      sslmode: "verify-full"
    })
  })

  test("a wrong host name fails under verify-full and passes under verify-ca", async () => {
    const wrong = on(encrypted, { host: "127.0.0.1", sslrootcert: rootFile })
    expect(await reason({ ...wrong, sslmode: "verify-full" })).toMatchObject({
      _tag: "TlsUnverified",
      check: "host",
      message: expect.stringContaining("verify-ca")
    })
    expect(await encryption({ ...wrong, sslmode: "verify-ca" })).toBe(true)
  })

  test("require takes any certificate when no authority is given", async () => {
    expect(await encryption(on(encrypted, { sslmode: "require" }))).toBe(true)
  })

  test("prefer, which is the default, encrypts; allow and disable do not", async () => {
    expect(await encryption(on(encrypted))).toBe(true)
    expect(await encryption(on(encrypted, { sslmode: "prefer" }))).toBe(true)
    expect(await encryption(on(encrypted, { sslmode: "allow" }))).toBe(false)
    expect(await encryption(on(encrypted, { sslmode: "disable" }))).toBe(false)
  })

  test("allow encrypts where pg_hba.conf turns the plain client away, and prefer the other way round", async () => {
    expect(await encryption(on(encrypted, { user: "over_tls", sslmode: "allow" }))).toBe(true)
    expect(await encryption(on(encrypted, { user: "over_plain", sslmode: "prefer" }))).toBe(false)
  })

  test("require does not go on without TLS where pg_hba.conf turns the encrypted client away", async () => {
    const error = await failure(on(encrypted, { user: "over_plain", sslmode: "require" }))
    expect(error).toMatchObject({ code: "28000", message: expect.stringContaining("SSL encryption") })
  })

  test("a client certificate logs in, and without it the server says no", async () => {
    const own = await authority.forClient("with_cert")
    const sslcert = await folder.write("client.crt", own.cert)
    const sslkey = await folder.write("client.key", own.key)
    const settings = on(encrypted, { user: "with_cert", sslmode: "require" })
    expect(await encryption({ ...settings, sslcert, sslkey })).toBe(true)
    expect(await failure(settings)).toMatchObject({ code: "28000" })
  })

  test("sslnegotiation=direct encrypts from PostgreSQL 17 on and fails before it", async () => {
    const version = await answering(on(encrypted), async (client) =>
      Number(
        (await client.query<{ v: string }>("select current_setting('server_version_num') as v")).rows[0]?.v
      )
    )
    const settings = on(encrypted, {
      sslmode: "verify-full",
      sslrootcert: rootFile,
      sslnegotiation: "direct"
    })
    const outcome = encryption(settings).catch(() => "failed")
    expect(await outcome).toBe(version >= firstWithDirectTls ? true : "failed")
  })

  test("a password is accepted with channel binding, without it, and without TLS", async () => {
    const settings = on(encrypted, { user: "by_password", password: secret })
    expect(await encryption({ ...settings, sslmode: "require" })).toBe(true)
    expect(await encryption({ ...settings, sslmode: "require", channel_binding: "disable" })).toBe(true)
    expect(await encryption({ ...settings, sslmode: "allow" })).toBe(false)
    expect(await encryption({ ...settings, sslmode: "disable" })).toBe(false)
    expect(await failure({ ...settings, sslmode: "require", password: "wrong" })).toMatchObject({
      code: "28P01"
    })
  })

  test("channel binding keeps somebody in between out, whom require alone lets through", async () => {
    const other = await makeAuthority("Somebody in between")
    await listening(await inBetween(await other.forServer("localhost")), async (server) => {
      const settings = on(server, { user: "by_password", password: secret, sslmode: "require" })
      expect(await encryption({ ...settings, channel_binding: "disable" })).toBe(true)
      expect(await failure(settings)).toMatchObject({ message: expect.stringContaining("channel binding") })
    })
  })

  describe("channel_binding=require", () => {
    const required = { user: "by_password", password: secret, channel_binding: "require" } as const

    test.each([undefined, "allow", "prefer", "require", "verify-full"] as const)(
      "signs in with a password, over TLS, under sslmode=%s",
      async (sslmode) => {
        const settings = { ...required, sslrootcert: rootFile, ...(sslmode === undefined ? {} : { sslmode }) }
        expect(await encryption(on(encrypted, settings))).toBe(true)
      }
    )

    test("is honoured in a URL as providers give it, by a pool and a listener as well", async () => {
      const url = `postgresql://by_password:${encodeURIComponent(secret)}@localhost:${encrypted.port}/postgres?sslmode=require&channel_binding=require`
      const config = await Effect.runPromise(connection(url, { HOME: noHome }))
      const pool = new Pool(config)
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }])
      await pool.end()
      const listener = PgListen.default(config)
      await listener.connect()
      await listener.listenTo("anything")
      await listener.close()
    })

    test("leaves a wrong password to the server's own words", async () => {
      expect(await failure(on(encrypted, { ...required, password: "wrong" }))).toMatchObject({
        code: "28P01"
      })
    })

    test("fails where the server asks for no password at all", async () => {
      expect(
        await reason(on(encrypted, { ...required, user: "over_tls", sslmode: "require" }))
      ).toMatchObject({
        _tag: "TlsUnverified",
        check: "channel",
        server: `localhost:${encrypted.port}`,
        problem: expect.stringContaining("without proving"),
        message: expect.stringContaining("channel_binding=prefer")
      })
    })

    test("keeps somebody in between out who passes everything on", async () => {
      const other = await makeAuthority("Somebody in between")
      await listening(await inBetween(await other.forServer("localhost")), async (server) => {
        const settings = on(server, { ...required, sslmode: "require" })
        expect(await failure(settings)).toMatchObject({ message: expect.stringContaining("channel binding") })
      })
    })

    test.each([
      ["takes channel binding off the offer", saslOffer("SCRAM-SHA-256"), "does not offer"],
      ["asks for the password itself", asking(3), "another way"],
      ["asks for its MD5 sum", asking(5, Buffer.from("salt")), "another way"],
      ["lets everybody in", asking(0), "without proving"],
      [
        "lets everybody in after the offer",
        Buffer.concat([saslOffer("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"), asking(0)]),
        "without proving"
      ]
    ])("tells somebody in between nothing who %s", async (_, question, problem) => {
      const heard: Array<Buffer> = []
      const own = await (await makeAuthority("Somebody in between")).forServer("localhost")
      const asks = (socket: net.Socket) =>
        void socket.once("data", () => {
          socket.write("S")
          const client = new TLSSocket(socket, { isServer: true, cert: own.cert, key: own.key })
          client.on("error", () => undefined)
          client.once("data", () => {
            client.on("data", (chunk: Buffer) => heard.push(chunk))
            // In pieces, as a network may hand them over.
            for (const byte of question) client.write(Buffer.of(byte))
          })
        })
      await listening(asks, async (server) => {
        expect(await reason(on(server, { ...required, sslmode: "require" }))).toMatchObject({
          _tag: "TlsUnverified",
          check: "channel",
          problem: expect.stringContaining(problem)
        })
      })
      expect(Buffer.concat(heard).toString("latin1")).not.toContain(secret)
    })
  })

  test("a host may be an address that the certificate carries", async () => {
    await listening(await inBetween(await authority.forServer("127.0.0.1")), async (server) => {
      const settings = on(server, { host: "127.0.0.1", sslmode: "verify-full", sslrootcert: rootFile })
      expect(await encryption(settings)).toBe(true)
    })
  })

  test("an expired certificate fails with TlsUnverified", async () => {
    await listening(await inBetween(await authority.expired("localhost")), async (server) => {
      expect(await reason(on(server, { sslmode: "verify-ca", sslrootcert: rootFile }))).toMatchObject({
        _tag: "TlsUnverified",
        check: "chain",
        problem: expect.stringContaining("CERT_HAS_EXPIRED")
      })
    })
  })

  test("root.crt of the home is the default authority, also for require", async () => {
    await folder.write(".postgresql/root.crt", (await makeAuthority("Somebody else")).cert)
    const client = new Client(await configured(on(encrypted, { sslmode: "require" }), folder.directory))
    await expect(client.connect()).rejects.toMatchObject({ reason: { _tag: "TlsUnverified" } })
    await client.end()
  })
})
