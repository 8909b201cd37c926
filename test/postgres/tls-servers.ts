import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import type { Cluster } from "../support/cluster.ts"
import { privateServer } from "../support/server.ts"
import type { Authority } from "./authority.ts"
import { answering, on } from "./connecting.ts"

// Roles that are let in by how they come in.
const rules = `
hostssl   all over_tls    all trust
hostnossl all over_tls    all reject
hostnossl all over_plain  all trust
hostssl   all over_plain  all reject
hostssl   all with_cert   all cert
host      all by_password all scram-sha-256
host      all all         all trust
`

/** The password of the role `by_password`. */
export const secret = "correct horse"

/** A server with TLS; its certificate is for the name localhost alone, and it takes client certificates. */
export const encryptedServer = async (authority: Authority): Promise<Cluster> => {
  const { cert, key } = await authority.forServer("localhost")
  const server = await privateServer()
  await server.place("root.crt", authority.cert)
  await server.place("server.crt", cert)
  await server.place("server.key", key)
  await server.place("pg_hba.conf", rules)
  await server.restart("fast", { ssl: "on", ssl_ca_file: "root.crt" })
  await answering(on(server), async (client) => {
    await client.query(
      "create role over_tls login; create role over_plain login; create role with_cert login"
    )
    await client.query(`create role by_password login password '${secret}'`)
  })
  return server
}

/** A server without TLS. */
export const plainServer = async (): Promise<Cluster> => {
  const server = await privateServer()
  await server.place("pg_hba.conf", rules)
  await server.restart()
  return server
}

export type Folder = {
  readonly directory: string
  /** Writes a file, with exactly this mode (default 0600), and returns its path. */
  readonly write: (name: string, contents: string, mode?: number) => Promise<string>
  readonly remove: () => Promise<void>
}

/** A place for the client's files. */
export const temporaryFolder = async (): Promise<Folder> => {
  const directory = await mkdtemp(path.join(tmpdir(), "tidemark-test-tls-"))
  const write = async (name: string, contents: string, mode = 0o600) => {
    const file = path.join(directory, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, contents)
    await chmod(file, mode)
    return file
  }
  return { directory, write, remove: () => rm(directory, { recursive: true, force: true }) }
}
