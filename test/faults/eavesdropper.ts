import net from "node:net"

export type Eavesdropper = AsyncDisposable & {
  /** The target's URL with the eavesdropper's address in it. */
  readonly url: string
  /** Whether a client has sent these bytes; a name in a statement's values goes over the wire as it is. */
  readonly heard: (text: string) => boolean
  /** How often clients have sent them. */
  readonly count: (text: string) => number
  /** Connections whose client has not closed. */
  readonly connections: number
  /** Connections whose client has closed. */
  readonly ended: number
}

/** A proxy that lets everything through and knows what the clients sent, whatever becomes of it behind. */
export const startEavesdropper = async (target: string): Promise<Eavesdropper> => {
  const goal = new URL(target)
  const open = new Set<net.Socket>()
  let connections = 0
  let ended = 0
  const said: Array<Array<Buffer>> = []

  const joined = (one: net.Socket, other: net.Socket): void => {
    open.add(one)
    one
      .on("error", () => other.resetAndDestroy())
      .on("close", () => {
        open.delete(one)
        other.destroy()
      })
    one.pipe(other)
  }

  const listener = net.createServer({ noDelay: true }, (client) => {
    const chunks: Array<Buffer> = []
    said.push(chunks)
    connections += 1
    client.on("close", () => {
      connections -= 1
      ended += 1
    })
    client.on("data", (chunk: Buffer) => chunks.push(chunk))
    const server = net.connect({ host: goal.hostname, port: Number(goal.port), noDelay: true })
    joined(client, server)
    joined(server, client)
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))

  const url = new URL(target)
  url.hostname = "127.0.0.1"
  url.port = `${(listener.address() as net.AddressInfo).port}`
  const count = (text: string): number =>
    said.reduce((sum, chunks) => sum + Buffer.concat(chunks).toString("latin1").split(text).length - 1, 0)
  return {
    url: url.href,
    heard: (text) => count(text) > 0,
    count,
    get connections() {
      return connections
    },
    get ended() {
      return ended
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    }
  }
}
