import net from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { deferred } from "./eventually.ts"

/** `toServer` is what the client sends, `toClient` what the server answers. */
export type Direction = "toServer" | "toClient"

type Connection = {
  readonly client: net.Socket
  readonly server: net.Socket
  /** Directions in which bytes were swallowed: TCP would never skip a piece, so nothing may pass there again. */
  readonly deaf: Set<Direction>
}

type LostReply = { readonly to: RegExp; readonly by: "silence" | "cut"; readonly lost: () => void }

export type Proxy = AsyncDisposable & {
  /** The target's URL with the proxy's address in it. */
  readonly url: string
  /** Connections whose client has not closed. */
  readonly connections: number
  /** Connections accepted since the start. */
  readonly accepted: number
  /** Bytes that went through, in both directions. */
  readonly carried: number
  /** Bytes that vanished in a black hole or with a lost reply. */
  readonly swallowed: number
  /** Swallows bytes and keeps connections open, as a dead network does: both ways unless one is named. */
  readonly blackHole: (direction?: Direction) => void
  /** Holds every piece back for as long, in ms, in its order. */
  readonly latency: (milliseconds: number) => void
  /**
   * Lets the next request that matches through and loses the answer: "silence" swallows it and all that follows on
   * that connection, "cut" resets the connection when the answer comes. Resolves when the answer was lost.
   */
  readonly loseReply: (to: RegExp, by?: "silence" | "cut") => Promise<void>
  /** Leads new connections to another server; open ones stay where they are. */
  readonly lead: (target: string) => void
  /** Resets every open connection now; returns how many. */
  readonly cut: () => number
  /** New connections get ECONNREFUSED; open ones live on. */
  readonly refuse: () => void
  /** Ends every trouble for connections to come; those that lost bytes stay lost. */
  readonly heal: () => Promise<void>
  readonly close: () => Promise<void>
}

const bothWays: ReadonlyArray<Direction> = ["toServer", "toClient"]

/** Starts a TCP proxy in front of the server of a postgres URL. Close it, or declare it with `await using`. */
export const startProxy = async (target: string): Promise<Proxy> => {
  let goal = new URL(target)
  const open = new Set<Connection>()
  const closing = new AbortController()
  let holes: ReadonlyArray<Direction> = []
  let lag = 0
  let accepted = 0
  let carried = 0
  let swallowed = 0
  let losing: LostReply | undefined

  const cutOne = ({ client, server }: Connection) => {
    client.resetAndDestroy()
    server.resetAndDestroy()
  }

  const swallows = (connection: Connection, direction: Direction, bytes: number) => {
    if (holes.includes(direction)) connection.deaf.add(direction)
    const deaf = connection.deaf.has(direction)
    if (deaf) swallowed += bytes
    return deaf
  }

  /** The lost reply this connection waits for, once its request has passed. */
  const asked = new Map<Connection, LostReply>()

  const loses = (connection: Connection, direction: Direction, chunk: Buffer): boolean => {
    if (direction === "toServer") {
      if (losing?.to.test(chunk.toString("latin1"))) {
        asked.set(connection, losing)
        losing = undefined
      }
      return false
    }
    const reply = asked.get(connection)
    if (reply === undefined) return false
    asked.delete(connection)
    connection.deaf.add("toClient")
    swallowed += chunk.length
    if (reply.by === "cut") cutOne(connection)
    reply.lost()
    return true
  }

  const pump = (connection: Connection, direction: Direction) => {
    const [from, to] =
      direction === "toServer"
        ? [connection.client, connection.server]
        : [connection.server, connection.client]
    let last = Promise.resolve()
    const inOrder = (deliver: () => void, bytes = 0) => {
      const due = performance.now() + lag
      const held = async () => {
        // A timer may be early by a part of a millisecond.
        while (performance.now() < due)
          await delay(Math.ceil(due - performance.now()), undefined, { signal: closing.signal })
        if (!to.destroyed && !swallows(connection, direction, bytes)) deliver()
      }
      last = last.then(held).catch(() => {})
    }
    from.on("data", (chunk: Buffer) =>
      inOrder(() => {
        if (loses(connection, direction, chunk)) return
        carried += chunk.length
        if (to.write(chunk)) return
        from.pause()
        to.once("drain", () => from.resume())
      }, chunk.length)
    )
    from.on("end", () => inOrder(() => to.end()))
    from.on("error", () => inOrder(() => to.resetAndDestroy()))
  }

  const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted += 1
    const server = net.connect({
      host: goal.hostname,
      port: Number(goal.port || 5432),
      allowHalfOpen: true,
      noDelay: true
    })
    const connection: Connection = { client, server, deaf: new Set() }
    open.add(connection)
    for (const direction of bothWays) pump(connection, direction)
    const forget = () => {
      if (!client.destroyed || !server.destroyed) return
      open.delete(connection)
      asked.delete(connection)
    }
    client.on("close", forget)
    server.on("close", forget)
  })

  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      listener.once("error", reject)
      listener.listen(port, "127.0.0.1", () => {
        listener.off("error", reject)
        resolve((listener.address() as net.AddressInfo).port)
      })
    })

  const port = await listen(0)
  const url = new URL(target)
  url.hostname = "127.0.0.1"
  url.port = String(port)

  const living = () => [...open].filter(({ client }) => !client.destroyed && !client.readableEnded)
  const cut = () => {
    const connections = living()
    connections.forEach(cutOne)
    return connections.length
  }
  const close = async () => {
    closing.abort()
    const closed = [...open]
      .flatMap(({ client, server }) => [client, server])
      .filter((socket) => !socket.closed)
      .map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())))
    open.forEach(cutOne)
    await Promise.all(closed)
    if (listener.listening) await new Promise((resolve) => listener.close(resolve))
  }

  return {
    url: url.href,
    get connections() {
      return living().length
    },
    get accepted() {
      return accepted
    },
    get carried() {
      return carried
    },
    get swallowed() {
      return swallowed
    },
    blackHole: (direction) => {
      holes = direction === undefined ? bothWays : [direction]
    },
    latency: (milliseconds) => {
      lag = milliseconds
    },
    loseReply: (to, by = "silence") => {
      const { promise, resolve } = deferred()
      losing = { to, by, lost: resolve }
      return promise
    },
    lead: (other) => {
      goal = new URL(other)
    },
    cut,
    refuse: () => void listener.close(),
    heal: async () => {
      holes = []
      lag = 0
      losing = undefined
      asked.clear()
      if (!listener.listening) await listen(port)
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
