import { once } from "node:events"
import net from "node:net"
import { Effect } from "effect"
import { Client } from "pg"
import { expect } from "vitest"
import { ConnectionError } from "../../src/postgres/connection-error.ts"
import type { ConnectionSettings } from "../../src/postgres/connection-settings.ts"
import { connection } from "../../src/postgres/connection.ts"
import type { TlsSocket } from "../../src/postgres/tls-socket.ts"

/** So that the default files of the machine's own user do not count. */
export const noHome = "/nonexistent"

/** The certificate is for the name localhost, not for the address. */
export const on = (
  server: { readonly port: number },
  settings: ConnectionSettings = {}
): ConnectionSettings => ({
  host: "localhost",
  port: server.port,
  user: "postgres",
  database: "postgres",
  ...settings
})

export const configured = (settings: ConnectionSettings, home = noHome) =>
  Effect.runPromise(connection(settings, { HOME: home }))

export const answering = async <A>(settings: ConnectionSettings, work: (client: Client) => Promise<A>) => {
  const client = new Client(await configured(settings))
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Whether the server says that the connection is encrypted. */
export const encryption = (settings: ConnectionSettings) =>
  answering(settings, async (client) => {
    const found = await client.query<{ ssl: boolean }>(
      "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    )
    return found.rows[0]?.ssl
  })

export const failure = async (settings: ConnectionSettings): Promise<unknown> => {
  const client = new Client(await configured(settings))
  const error = await client.connect().then(
    () => "it connected",
    (cause: unknown) => cause
  )
  await client.end()
  return error
}

/** The reason of a {@link ConnectionError}. */
export const reason = async (settings: ConnectionSettings) => {
  const error = await failure(settings)
  expect(error).toBeInstanceOf(ConnectionError)
  return (error as ConnectionError).reason
}

/** The reason for which the settings themselves are refused. */
export const misconfigured = async (settings: ConnectionSettings, home?: string) => {
  const error = await configured(settings, home).then(
    () => expect.unreachable("the settings were accepted"),
    (cause: unknown) => cause
  )
  expect(error).toBeInstanceOf(ConnectionError)
  return (error as ConnectionError).reason
}

/** A server of the test's own, up while `work` runs, on a port or at the path of a Unix socket. */
export const listening = async <A>(
  serve: (socket: net.Socket) => void,
  work: (server: { readonly port: number }) => Promise<A>,
  at: net.ListenOptions = { port: 0, host: "127.0.0.1" }
) => {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => {}))
    serve(socket)
  })
  await once(server.listen(at), "listening")
  const address = server.address()
  try {
    return await work({ port: typeof address === "object" ? (address?.port ?? 0) : 0 })
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((closed) => server.close(closed))
  }
}

/** Either ends with the other, also before they are joined. */
export const tied = (one: net.Socket | TlsSocket, other: net.Socket | TlsSocket) => {
  one.on("error", () => other.destroy()).on("close", () => other.destroy())
  other.on("error", () => one.destroy()).on("close", () => one.destroy())
}

export const joined = (one: net.Socket | TlsSocket, other: net.Socket | TlsSocket) => {
  tied(one, other)
  one.pipe(other)
  other.pipe(one)
}
