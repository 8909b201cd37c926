import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { embeddedServer } from "../../dist/src/postgres/embedded/server.js"
import { serverAt, type Server } from "./server.ts"

// Several contenders hold a pool each at the same time, and eight processes hold eight pools.
const SETTINGS = { max_connections: "300" }

/** A PostgreSQL of the benchmark's own in a temporary directory, with the durability of a real one. */
export const temporaryServer = async (): Promise<Server> => {
  // Made by the server's start, which lets the server's user in.
  const wanted = join(tmpdir(), `tidemark-bench-${process.pid}-${Date.now()}`)
  const scope = Scope.makeUnsafe()
  const start = embeddedServer({ directory: wanted, settings: SETTINGS })
  const { url, directory } = await Effect.runPromise(Effect.provideService(start, Scope.Scope, scope))
  return serverAt(url, async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await rm(directory, { recursive: true, force: true })
  })
}
