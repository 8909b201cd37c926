import { rm } from "node:fs/promises"
import path from "node:path"
import { Effect, Exit, Scope } from "effect"
import { prepareBinaries } from "../../../src/postgres/embedded/binaries.ts"
import { openHome } from "../../../src/postgres/embedded/home.ts"
import { EmbeddedHost } from "../../../src/postgres/embedded/host.ts"
import { embeddedServer } from "../../../src/postgres/embedded/server.ts"
import type { Programs } from "../cluster.ts"
import { guard } from "../../../src/testing/guard.ts"
import { temporaryDirectory } from "../server-user.ts"
import type { Provider } from "./provider.ts"

const silent = () => {}

const removeAll = async (directories: ReadonlyArray<string>) => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
}

/** The embedded PostgreSQL's programs, made ready by the product's own code; `remove` takes away what it copied. */
export const embeddedPrograms = async (): Promise<Programs & { readonly remove: () => Promise<void> }> => {
  const directory = await temporaryDirectory("programs")
  const home = openHome(EmbeddedHost.defaultValue(), directory, silent)
  const { postgres } = prepareBinaries(EmbeddedHost.defaultValue(), home, silent)
  const directories = [home.directory, directory]
  const callOff = guard({ directories })
  const remove = async () => {
    await removeAll(directories)
    await callOff()
  }
  return { bin: path.dirname(postgres), user: home.user, remove }
}

/** The product's own embedded server, with its data in a temp directory. */
export const embeddedTestServer: Provider = async (settings) => {
  const directory = await temporaryDirectory("embedded")
  const scope = Effect.runSync(Scope.make())
  const start = embeddedServer({ directory, settings, database: "postgres" })
  const server = await Effect.runPromise(Scope.provide(start, scope))
  const directories = [server.directory, directory]
  const callOff = guard({ directories, data: path.join(server.directory, "data") })
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await removeAll(directories)
    await callOff()
  }
  return { url: server.url, stop }
}
