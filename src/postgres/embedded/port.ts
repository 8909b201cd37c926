import { once } from "node:events"
import { createServer } from "node:net"
import { NoFreePort } from "./embedded-error.ts"

export const LOOPBACK = "127.0.0.1"

/** A port of 127.0.0.1 that is free now; another program may still take it before the server does. */
export const freePort = async (): Promise<number> => {
  const probe = createServer()
  try {
    probe.listen({ host: LOOPBACK, port: 0, exclusive: true })
    await once(probe, "listening")
    const address = probe.address()
    if (address !== null && typeof address === "object") return address.port
    throw new NoFreePort({ why: "the system gave no address" })
  } catch (cause) {
    throw cause instanceof NoFreePort
      ? cause
      : new NoFreePort({ why: cause instanceof Error ? cause.message : String(cause) })
  } finally {
    probe.close()
  }
}
