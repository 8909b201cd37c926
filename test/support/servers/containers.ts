import type { Provider } from "./provider.ts"

const image = "postgres:18"
const port = 5432
const password = "tidemark"

/** The image starts the server twice: once for its own set-up, then for good. */
const starts = 2

/** A PostgreSQL 18 in a container, where Docker answers. */
export const containerServer: Provider = async (settings) => {
  // Loaded only here: it is slow to import, and every other provider does without it.
  const { GenericContainer, Wait } = await import("testcontainers")
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withCommand([
      "postgres",
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    ])
    .withExposedPorts(port)
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, starts))
    .start()
    .catch((cause: unknown) => {
      throw new Error(
        `no container of ${image}: the tests on containers need a Docker that answers (docker info) and the image; ` +
          "npm test runs without Docker",
        { cause }
      )
    })
  const url = `postgresql://postgres:${password}@${container.getHost()}:${container.getMappedPort(port)}/postgres`
  return { url, stop: async () => void (await container.stop()) }
}
