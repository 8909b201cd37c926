import { randomBytes } from "node:crypto"
import type { TestProject } from "vitest/node"
import { connected } from "./admin.ts"
import { buildWorkers } from "./build-workers.ts"
import { containerServer } from "./servers/containers.ts"
import { embeddedPrograms, embeddedTestServer } from "./servers/embedded.ts"
import { givenServer } from "./servers/given.ts"
import { pg15Programs, pg15Server } from "./servers/pg15.ts"
import { chosenProvider, type Provider, type ProviderName, testSettings } from "./servers/provider.ts"
import { dropAll, makeTemplate } from "./template.ts"

const providers: Readonly<Record<ProviderName, Provider>> = {
  given: givenServer,
  containers: containerServer,
  pg15: pg15Server,
  embedded: embeddedTestServer
}

/** PostgreSQL programs for private servers, of the run's own version where that can be. */
const programsFor = async (provider: ProviderName) =>
  provider === "pg15" ? { ...pg15Programs(), remove: async () => {} } : embeddedPrograms()

const versionOf = (url: string) =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      "select current_setting('server_version_num')::integer as version"
    )
    return rows[0]?.version ?? 0
  })

/** Starts the run's server, makes its template and builds its workers; the function returned takes all of it away. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cleanups: Array<() => Promise<void>> = []
  const teardown = async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean()
  }
  // Runs that share a given server must not meet.
  const prefix = `tidemark_test_${randomBytes(3).toString("hex")}_`
  const startServer = async (provider: ProviderName) => {
    const { url, stop } = await providers[provider](testSettings)
    cleanups.push(stop)
    if (provider === "given") cleanups.push(() => dropAll(url, prefix))
    return { url, template: await makeTemplate(url, prefix), version: await versionOf(url) }
  }
  const prepare = async (provider: ProviderName) => {
    const { remove, ...programs } = await programsFor(provider)
    cleanups.push(remove)
    return programs
  }
  const build = async () => {
    const workers = await buildWorkers()
    cleanups.push(workers.remove)
    return workers
  }
  try {
    const provider = chosenProvider(process.env)
    const steps = [startServer(provider), prepare(provider), build()] as const
    // Also where one of them fails: what the others make has to be taken away.
    await Promise.allSettled(steps)
    const [server, programs, workers] = await Promise.all(steps)
    project.provide("run", { provider, ...server, programs, prefix, workers: workers.directory })
    project.onTestsRerun(workers.rebuild)
  } catch (error) {
    await teardown()
    throw error
  }
  return teardown
}
