import { isIP, type Socket } from "node:net"
import { checkServerIdentity, connect as connectTls, type TLSSocket } from "node:tls"
import { ConnectionError, TlsRefused, TlsUnverified } from "./connection-error.ts"
import type { Tls } from "./tls.ts"

export type Server = { readonly host: string; readonly port: number }

// SSLRequest of the PostgreSQL protocol: its length, then a code that is no protocol version.
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const accepted = "S"
const refused = "N"
const alpnProtocol = "postgresql"
const wrongHost = "ERR_TLS_CERT_ALTNAME_INVALID"

/**
 * Agrees on TLS over a connected socket. Resolves with the encrypted socket or, when the server has no TLS and
 * `orPlain`, with the same one. Rejects with {@link ConnectionError} (TlsRefused, TlsUnverified) or a network error.
 */
export const negotiate = async (
  socket: Socket,
  tls: Tls,
  server: Server,
  orPlain: boolean
): Promise<Socket> => {
  if (tls.negotiation === "postgres") {
    socket.write(sslRequest)
    const answer = String(await event(socket, "data"))
    if (answer === refused && orPlain) return socket
    if (answer === refused) {
      throw new ConnectionError({ reason: new TlsRefused({ server: shown(server), sslmode: tls.mode }) })
    }
    // More than the one byte was not sent by the server but put before the handshake by somebody in between, and a text
    // that comes without TLS is nobody's word.
    if (answer !== accepted)
      throw new Error(`${shown(server)} did not answer the request for TLS as PostgreSQL does`)
  }
  return handshake(socket, tls, server)
}

const handshake = async (socket: Socket, tls: Tls, server: Server): Promise<TLSSocket> => {
  // What happens to the transport is reported by the TLS socket over it.
  socket.on("error", () => {})
  const secure = connectTls({
    socket,
    secureContext: tls.context,
    ALPNProtocols: [alpnProtocol],
    // Server names are host names: an address must not be sent as one (RFC 6066 §3).
    ...(isIP(server.host) === 0 ? { servername: server.host } : {}),
    rejectUnauthorized: tls.verify !== "nothing",
    checkServerIdentity: (_, certificate) =>
      tls.verify === "chain and host" ? checkServerIdentity(server.host, certificate) : undefined
  })
  try {
    await event(secure, "secureConnect")
  } catch (cause) {
    // Set only when the handshake itself went well and the certificate was then rejected.
    throw secure.authorizationError ? unverified(cause, tls, server) : cause
  }
  if (tls.negotiation === "direct" && secure.alpnProtocol !== alpnProtocol) {
    secure.destroy()
    throw new Error(
      `${shown(server)} speaks TLS but does not take PostgreSQL over it; use sslnegotiation=postgres`
    )
  }
  return secure
}

const unverified = (cause: unknown, tls: Tls, server: Server) => {
  const { message, code } = cause as NodeJS.ErrnoException
  const check = code === wrongHost ? "host" : "chain"
  const problem = code === undefined || code === wrongHost ? message : `${message} (${code})`
  return new ConnectionError({
    reason: new TlsUnverified({ server: shown(server), sslmode: tls.mode, check, problem })
  })
}

export const shown = ({ host, port }: Server) =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** The next event of that name; rejects when the socket fails or closes before it. */
export const event = (socket: Socket, name: "connect" | "data" | "secureConnect"): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const settled = (settle: () => void) => {
      socket.off(name, arrived).off("error", failed).off("close", closed)
      settle()
    }
    const arrived = (value: unknown) => settled(() => resolve(value))
    const failed = (error: Error) => settled(() => reject(error))
    const closed = () =>
      settled(() => reject(new Error("The server closed the connection while TLS was agreed on")))
    socket.on(name, arrived).on("error", failed).on("close", closed)
  })
