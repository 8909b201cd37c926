import net from "node:net"

/** A backend message: its type, and a length that counts itself and what follows. */
const headerBytes = 5
const typeBytes = 1
const notification = "A".charCodeAt(0)

/** The answer to a request for TLS is this one byte, and no message. */
const noTls = "N".charCodeAt(0)

export type DeafProxy = AsyncDisposable & {
  readonly url: string
  /** How many notifications it has kept back. */
  readonly dropped: number
  /** From now on it lets notifications through. */
  readonly hear: () => void
}

/** A proxy that lets everything through but notifications, as a pooler does that lends a connection per transaction. */
export const startDeafProxy = async (target: string): Promise<DeafProxy> => {
  const goal = new URL(target)
  const open = new Set<net.Socket>()
  let dropped = 0
  let deaf = true

  const withoutNotifications = (write: (bytes: Buffer) => void) => {
    let rest = Buffer.alloc(0)
    let first = true
    return (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (first && rest.length === 1 && rest[0] === noTls) {
        write(rest)
        rest = Buffer.alloc(0)
      }
      first = false
      while (rest.length >= headerBytes) {
        const length = typeBytes + rest.readInt32BE(typeBytes)
        if (rest.length < length) return
        if (deaf && rest[0] === notification) dropped += 1
        else write(rest.subarray(0, length))
        rest = rest.subarray(length)
      }
    }
  }

  const listener = net.createServer({ noDelay: true }, (client) => {
    const server = net.connect({ host: goal.hostname, port: Number(goal.port), noDelay: true })
    const end = () => [client, server].forEach((socket) => socket.destroy())
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on("error", end).on("close", () => {
        open.delete(socket)
        end()
      })
    }
    client.on("data", (chunk) => server.write(chunk))
    server.on(
      "data",
      withoutNotifications((bytes) => client.write(bytes))
    )
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))

  const url = new URL(target)
  url.hostname = "127.0.0.1"
  url.port = `${(listener.address() as net.AddressInfo).port}`
  return {
    url: url.href,
    get dropped() {
      return dropped
    },
    hear: () => {
      deaf = false
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    }
  }
}
