import { X509Certificate } from "node:crypto"
import { readFileSync, statSync, type Stats } from "node:fs"
import { join } from "node:path"
import { createSecureContext, type SecureContext } from "node:tls"
import { Effect } from "effect"
import { badConnectionString, ConnectionError, TlsFileUnreadable } from "./connection-error.ts"
import type { Keywords } from "./connection-string.ts"

export const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const

export type SslMode = (typeof sslModes)[number]

/** How a connection agrees on TLS, with the files read and parsed once. */
export type Tls = {
  readonly mode: Exclude<SslMode, "disable">
  /** `direct` begins the TLS handshake at once (PostgreSQL 17 or newer) and saves a round trip. */
  readonly negotiation: "postgres" | "direct"
  /** What must be true of the server's certificate: nothing, its chain, or its chain and host name. */
  readonly verify: "nothing" | "chain" | "chain and host"
  readonly context: SecureContext
}

const defaultMode = "prefer" satisfies SslMode
const systemRoots = "system"
const strongest = "verify-full" satisfies SslMode
// The modes under which no connection is ever made without TLS.
const encrypted: ReadonlyArray<SslMode> = ["require", "verify-ca", "verify-full"]

const groupOrOthersMayUse = 0o077
const groupMayChangeOrOthersMayUse = 0o037
const superuserId = 0

/**
 * What libpq would do with these keywords, files under `<home>/.postgresql` included; `undefined` means no TLS at all.
 * Without an authority, `require` takes any certificate; with one (`sslrootcert`, or the default `root.crt`), every mode
 * checks the chain. `sslrootcert=system` means the roots that Node trusts, and demands `verify-full`.
 */
export const tls = Effect.fnUntraced(function* (
  keywords: Keywords,
  home: string
): Effect.fn.Return<Tls | undefined, ConnectionError> {
  const system = keywords.sslrootcert === systemRoots
  const mode = yield* sslMode(keywords.sslmode ?? (system ? strongest : defaultMode))
  const negotiation = keywords.sslnegotiation ?? "postgres"
  if (negotiation !== "postgres" && negotiation !== "direct") {
    return yield* badConnectionString("sslnegotiation", "is neither postgres nor direct")
  }
  if (negotiation === "direct" && !encrypted.includes(mode)) {
    return yield* badConnectionString("sslnegotiation=direct", `needs sslmode ${encrypted.join(", ")}`)
  }
  if (system && mode !== strongest) {
    return yield* badConnectionString(
      "sslrootcert=system",
      "needs sslmode=verify-full: anyone can have a certificate from a public authority"
    )
  }
  if (mode === "disable") return undefined
  const ca = system
    ? undefined
    : yield* authority(keywords.sslrootcert, mode, join(home, ".postgresql", "root.crt"))
  const context = yield* secureContext(keywords, home, ca)
  const verify = mode === strongest ? "chain and host" : ca === undefined ? "nothing" : "chain"
  return { mode, negotiation, verify, context }
})

const sslMode = (value: string): Effect.Effect<SslMode, ConnectionError> => {
  const mode = sslModes.find((known) => known === value)
  return mode === undefined
    ? Effect.fail(badConnectionString("sslmode", `is not one of ${sslModes.join(", ")}`))
    : Effect.succeed(mode)
}

type PemFile = {
  readonly setting: string
  readonly file: string
  readonly content: Buffer
  readonly status: Stats
}

const unreadable = (setting: string, file: string, problem: string) =>
  new ConnectionError({ reason: new TlsFileUnreadable({ setting, file, problem }) })

/** A file that was asked for must be there; a default one may be missing. */
const pemFile = Effect.fnUntraced(function* (
  setting: string,
  asked: string | undefined,
  byDefault: string
): Effect.fn.Return<PemFile | undefined, ConnectionError> {
  const file = asked ?? byDefault
  const read = Effect.try({
    try: () => ({ setting, file, content: readFileSync(file), status: statSync(file) }),
    catch: (cause) => cause as NodeJS.ErrnoException
  })
  return yield* Effect.catch(read, (cause) =>
    asked === undefined && cause.code === "ENOENT"
      ? Effect.succeed(undefined)
      : Effect.fail(unreadable(setting, file, cause.code === "ENOENT" ? "it does not exist" : cause.message))
  )
})

const authority = Effect.fnUntraced(function* (
  asked: string | undefined,
  mode: SslMode,
  byDefault: string
): Effect.fn.Return<PemFile | undefined, ConnectionError> {
  const ca = yield* pemFile("sslrootcert", asked, byDefault)
  if (ca === undefined && mode.startsWith("verify-")) {
    const remedy =
      "name the authority's certificate with sslrootcert, or use sslrootcert=system for public authorities"
    return yield* unreadable("the default of sslrootcert", byDefault, `sslmode=${mode} needs it; ${remedy}`)
  }
  return ca
})

const secureContext = Effect.fnUntraced(function* (
  keywords: Keywords,
  home: string,
  ca: PemFile | undefined
): Effect.fn.Return<SecureContext, ConnectionError> {
  const cert = yield* pemFile("sslcert", keywords.sslcert, join(home, ".postgresql", "postgresql.crt"))
  for (const file of [ca, cert]) if (file !== undefined) yield* isCertificate(file)
  const trust = ca === undefined ? {} : { ca: ca.content }
  if (cert === undefined) return createSecureContext(trust)
  const key = yield* pemFile("sslkey", keywords.sslkey, join(home, ".postgresql", "postgresql.key"))
  if (key === undefined) {
    return yield* unreadable(cert.setting, cert.file, "it has no key; name the key's file with sslkey")
  }
  yield* isPrivate(key)
  const passphrase = keywords.sslpassword === undefined ? {} : { passphrase: keywords.sslpassword }
  return yield* Effect.try({
    try: () => createSecureContext({ ...trust, ...passphrase, cert: cert.content, key: key.content }),
    catch: () =>
      unreadable(
        key.setting,
        key.file,
        `it is not a PEM key, does not belong to ${cert.file}, or needs another sslpassword`
      )
  })
})

// Node takes any bytes as an authority and then trusts nobody, which reads like a wrong server instead of a wrong file.
const isCertificate = ({ setting, file, content }: PemFile) =>
  Effect.try({
    try: () => void new X509Certificate(content),
    catch: () => unreadable(setting, file, "it does not begin with a PEM certificate")
  })

// As libpq: a key of root's may be read by its group, so that a service can be let in; any other is its owner's alone.
const isPrivate = ({ setting, file, status }: PemFile): Effect.Effect<void, ConnectionError> => {
  const forbidden = status.uid === superuserId ? groupMayChangeOrOthersMayUse : groupOrOthersMayUse
  return process.platform === "win32" || (status.mode & forbidden) === 0
    ? Effect.void
    : Effect.fail(unreadable(setting, file, "others than its owner can use it; chmod 0600 it"))
}
