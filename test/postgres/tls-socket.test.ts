import { once } from "node:events"
import net from "node:net"
import path from "node:path"
import { Client, Pool } from "pg"
import PgListen from "pg-listen"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { TlsSocket } from "../../src/postgres/tls-socket.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { makeAuthority } from "./authority.ts"
import { answering, configured, encryption, failure, joined, listening, on, reason } from "./connecting.ts"
import { encryptedServer, plainServer, temporaryFolder, type Folder } from "./tls-servers.ts"

const sslRequestLength = 8

let folder: Folder
let encrypted: Cluster
let plain: Cluster
let rootFile: string

beforeAll(async () => {
  folder = await temporaryFolder()
  const authority = await makeAuthority("Tidemark test authority")
  rootFile = await folder.write("root.pem", authority.cert)
  plain = await plainServer()
  encrypted = await encryptedServer(authority)
})

afterAll(async () => {
  await Promise.all([encrypted?.remove(), plain?.remove()])
  await folder?.remove()
})

// Servers that stand before the plain one, or alone.

const passingOn = (socket: net.Socket) => joined(socket, net.connect(plain.port, "127.0.0.1"))

const answeringWith = (bytes: string) => (socket: net.Socket) =>
  void socket.once("data", () => socket.write(bytes))

const hangingUp = (socket: net.Socket) =>
  void socket.once("data", (first: Buffer) => {
    if (first.length === sslRequestLength) return void socket.end()
    const server = net.connect(plain.port, "127.0.0.1")
    server.write(first)
    joined(socket, server)
  })

describe("an encrypted connection", () => {
  test("a pool sends and receives large values over several encrypted connections at once", async () => {
    const pool = new Pool(await configured(on(encrypted, { sslmode: "verify-full", sslrootcert: rootFile })))
    const sizes = [1, 100_000, 3_000_000, 8_000_000]
    const echoed = await Promise.all(
      sizes.map(async (size) => {
        const sent = "x".repeat(size)
        const found = await pool.query<{ text: string }>("select $1::text as text", [sent])
        return found.rows[0]?.text === sent
      })
    )
    expect(echoed).toEqual(sizes.map(() => true))
    await pool.end()
  })

  test("a reader that pauses makes the server wait instead of filling the memory, and loses nothing", async () => {
    const config = await configured(on(encrypted, { sslmode: "require", application_name: "paused" }))
    const socket = config.stream?.() as TlsSocket
    const client = new Client({ ...config, stream: () => socket })
    await client.connect()
    socket.pause()
    const rows = 40_000
    const result = client.query("select repeat('x', 1000) from generate_series(1, $1::int)", [rows])
    await answering(on(encrypted), (other) =>
      until(
        async () => {
          const found = await other.query(
            "select 1 from pg_stat_activity where application_name = 'paused' and wait_event = 'ClientWrite'"
          )
          return found.rowCount
        },
        { what: "the server to wait for its client" }
      )
    )
    expect(socket.readableLength).toBeLessThan(1_000_000)
    socket.resume()
    expect((await result).rowCount).toBe(rows)
    await client.end()
  })

  test("an ended backend is an error of the client, as without TLS", async () => {
    const client = new Client(await configured(on(encrypted, { sslmode: "require" })))
    await client.connect()
    const ended = new Promise<void>((resolve) => void client.once("end", resolve))
    const failed = new Promise<Error>((resolve) => void client.once("error", resolve))
    await client.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {})
    expect(await failed).toBeInstanceOf(Error)
    await ended
  })

  test("pg-listen hears a notification through it", async () => {
    const listener = PgListen.default(await configured(on(encrypted, { sslmode: "require" })))
    const heard = new Promise((resolve) => listener.notifications.on("tidemark_test", resolve))
    await listener.connect()
    await listener.listenTo("tidemark_test")
    await listener.notify("tidemark_test", 7)
    expect(await heard).toBe(7)
    await listener.close()
  })
})

describe("against a server without TLS", () => {
  test.each(["disable", "allow", "prefer"] as const)("%s connects without it", async (sslmode) => {
    expect(await encryption(on(plain, { sslmode }))).toBe(false)
  })

  test.each([undefined, "allow", "prefer", "require"] as const)(
    "channel_binding=require fails under sslmode=%s, and does not go on without TLS",
    async (sslmode) => {
      const settings = { channel_binding: "require", ...(sslmode === undefined ? {} : { sslmode }) }
      expect(await reason(on(plain, settings))).toMatchObject({
        _tag: "TlsUnverified",
        check: "channel",
        problem: "it does not offer TLS"
      })
    }
  )

  test.each(["require", "verify-ca", "verify-full"] as const)("%s fails with TlsRefused", async (sslmode) => {
    expect(await reason(on(plain, { sslmode, sslrootcert: rootFile }))).toMatchObject({
      _tag: "TlsRefused",
      server: `localhost:${plain.port}`,
      sslmode,
      message: expect.stringContaining("ssl=on")
    })
  })

  test("a Unix socket is reached through its directory, whatever sslmode says", async () => {
    const throughSocket = on({ port: 6000 }, { host: folder.directory, sslmode: "verify-full" })
    const work = () => encryption(throughSocket)
    expect(await listening(passingOn, work, { path: path.join(folder.directory, ".s.PGSQL.6000") })).toBe(
      false
    )
  })

  test("prefer does not ask twice when the server without TLS turns the client away", async () => {
    let connections = 0
    const counting = (socket: net.Socket) => {
      connections += 1
      joined(socket, net.connect(plain.port, "127.0.0.1"))
    }
    await listening(counting, async (server) => {
      expect(await failure(on(server, { user: "over_tls" }))).toMatchObject({ code: "28000" })
    })
    expect(connections).toBe(1)
  })

  test("allow shows the server's own refusal when TLS is no way either", async () => {
    const error = await failure(on(plain, { user: "over_tls", sslmode: "allow" }))
    expect(error).toMatchObject({ code: "28000", message: expect.stringContaining("no encryption") })
  })
})

describe("against a server that behaves oddly", () => {
  test.each([
    ["an error", "E\0\0\0\x10FATAL"],
    ["another protocol", "HTTP/1.1 400 Bad Request"],
    ["bytes put before the handshake", "Sx"]
  ])("%s in answer to the request for TLS ends the attempt", async (_, bytes) => {
    const error = await listening(answeringWith(bytes), (server) =>
      failure(on(server, { sslmode: "require" }))
    )
    expect(error).toMatchObject({ message: expect.stringContaining("did not answer the request for TLS") })
  })

  test("require fails and prefer goes on without TLS when the server hangs up at the request for it", async () => {
    await listening(hangingUp, async (server) => {
      expect(await failure(on(server, { sslmode: "require" }))).toMatchObject({
        message: expect.stringContaining("closed the connection")
      })
      expect(await encryption(on(server, { sslmode: "prefer" }))).toBe(false)
    })
  })

  test("a server that never answers costs no more than the connect timeout, and no socket", async () => {
    let closed: Promise<unknown> | undefined
    const silent = (socket: net.Socket) => {
      closed = once(socket.resume(), "close")
    }
    await listening(silent, async (server) => {
      const error = await failure(on(server, { connect_timeout: 1 }))
      expect(error).toMatchObject({ message: expect.stringContaining("timeout") })
      await closed
    })
  })

  test("a port where nobody listens is reported as such", async () => {
    const gone = await listening(
      () => {},
      async (server) => server
    )
    expect(await failure(on(gone, { host: "127.0.0.1" }))).toMatchObject({ code: "ECONNREFUSED" })
  })
})
