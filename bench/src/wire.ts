import { connect, createServer, type Socket } from "node:net"

const QUERY = 0x51 // 'Q', a simple query
const EXECUTE = 0x45 // 'E', the run of a prepared one
const LENGTH_BYTES = 4
const DEFAULT_PORT = 5432

// A connection opens with untyped messages: maybe one of these two requests for encryption, then the start-up itself.
const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const REFUSED = "N"

/** A proxy in front of a database server that counts the statements which pass it. */
export interface Wire {
  readonly url: string
  readonly statements: number
  close(): Promise<void>
}

interface FrontendMessage {
  readonly bytes: Buffer
  readonly isStatement: boolean
  readonly asksForEncryption: boolean
}

/** Cuts what a client sends into messages, however the network cut it. */
const cutter = (onMessage: (message: FrontendMessage) => void): ((chunk: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  let typeBytes = 0
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= typeBytes + LENGTH_BYTES) {
      const size = typeBytes + rest.readInt32BE(typeBytes)
      if (rest.length < size) return
      const bytes = rest.subarray(0, size)
      rest = rest.subarray(size)
      const code = typeBytes === 0 ? bytes.readInt32BE(LENGTH_BYTES) : 0
      const asksForEncryption = code === SSL_REQUEST || code === GSS_REQUEST
      const isStatement = typeBytes === 1 && (bytes[0] === QUERY || bytes[0] === EXECUTE)
      if (!asksForEncryption) typeBytes = 1
      onMessage({ bytes, isStatement, asksForEncryption })
    }
  }
}

/** Listens on a free port of the loopback and passes everything on; encryption is refused, so that it can be read. */
export const wire = async (database: string): Promise<Wire> => {
  const target = new URL(database)
  const open = new Set<Socket>()
  let statements = 0

  const server = createServer((client) => {
    const upstream = connect(Number(target.port || DEFAULT_PORT), target.hostname)
    const cut = cutter(({ bytes, isStatement, asksForEncryption }) => {
      if (isStatement) statements += 1
      if (asksForEncryption) client.write(REFUSED)
      else upstream.write(bytes)
    })
    client.on("data", cut)
    upstream.pipe(client)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on("error", () => {})
      socket.on("close", () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
  })

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The counting proxy got no port.")
  const url = new URL(database)
  url.hostname = "127.0.0.1"
  url.port = String(address.port)
  return {
    url: url.href,
    get statements() {
      return statements
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      })
  }
}
