import { Effect, Option } from "effect"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { ClientConfig } from "pg"

/** How long the server may take to let go of connections that were ended, in ms. */
const GOODBYE_MS = 1_000

type Tracked = Omit<ClientConfig, "stream"> & { readonly stream: () => Duplex }

/**
 * The sockets of one client or pool. pg ends a connection by asking the server to hang up; one that leads into a black hole
 * would be waited for without end, and keep the process alive. What is known here can be given up.
 */
export class Sockets {
  private readonly open = new Set<Duplex>()
  private whenEmpty: () => void = () => undefined

  /** The configuration with which every connection made is known here. */
  tracked(connection: ClientConfig): Tracked {
    const { stream = () => new Socket() } = connection
    return { ...connection, stream: () => this.track(stream() as Duplex) }
  }

  /** Ends with `end`, and gives up whatever connections are left a moment later. */
  closeWith(end: () => Promise<unknown>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const ended = yield* Effect.timeoutOption(Effect.ignore(Effect.tryPromise(end)), GOODBYE_MS)
      if (Option.isSome(ended)) yield* Effect.timeoutOption(this.allClosed, GOODBYE_MS)
      for (const socket of this.open) socket.destroy()
    })
  }

  private track(socket: Duplex): Duplex {
    this.open.add(socket)
    socket.once("close", () => {
      this.open.delete(socket)
      if (this.open.size === 0) this.whenEmpty()
    })
    return socket
  }

  private readonly allClosed: Effect.Effect<void> = Effect.callback<void>((resume) => {
    this.whenEmpty = () => resume(Effect.void)
    if (this.open.size === 0) this.whenEmpty()
  })
}
