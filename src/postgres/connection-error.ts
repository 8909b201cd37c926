import { Schema } from "effect"
import { clause } from "../base/clause.ts"

/** What the caller gave cannot be read as connection settings. Names the part, never its value: it may be a password. */
export class BadConnectionString extends Schema.TaggedError<BadConnectionString>()("BadConnectionString", {
  part: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `The connection settings cannot be used: ${this.part} ${clause(this.problem)}.`
  }
}

/** A certificate or key file named by the settings cannot be used. */
export class TlsFileUnreadable extends Schema.TaggedError<TlsFileUnreadable>()("TlsFileUnreadable", {
  /** The setting that leads to the file, e.g. `sslrootcert`. */
  setting: Schema.String,
  file: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `The file ${this.file} (${this.setting}) cannot be used: ${clause(this.problem)}.`
  }
}

/** The server answered that it does not speak TLS, and `sslmode` does not allow to go on without. */
export class TlsRefused extends Schema.TaggedError<TlsRefused>()("TlsRefused", {
  /** Host and port. */
  server: Schema.String,
  sslmode: Schema.String
}) {
  override get message() {
    return (
      `${this.server} does not offer TLS, and sslmode=${this.sslmode} requires it. Set ssl=on (with ssl_cert_file ` +
      "and ssl_key_file) on the server, or, where the network itself is trusted, connect with sslmode=disable."
    )
  }
}

/**
 * The server's certificate is not from a trusted authority (`chain`) or not for this host (`host`), or the server did not prove
 * by channel binding that the TLS ends with it (`channel`).
 */
export class TlsUnverified extends Schema.TaggedError<TlsUnverified>()("TlsUnverified", {
  /** Host and port. */
  server: Schema.String,
  sslmode: Schema.String,
  check: Schema.Literals(["chain", "host", "channel"]),
  /** What the TLS library says, e.g. `SELF_SIGNED_CERT_IN_CHAIN`. */
  problem: Schema.String
}) {
  override get message() {
    if (this.check === "channel")
      return (
        `${this.server} did not sign in with channel binding (channel_binding=require): ${clause(this.problem)}. Use a role with a ` +
        "scram-sha-256 password, and TLS without anything in between that ends it; or, where the certificate is verified " +
        "(sslmode=verify-full), channel_binding=prefer."
      )
    const remedy =
      this.check === "host"
        ? "Connect by a name that the certificate carries, or, when only your own authority signs for your servers, " +
          "use sslmode=verify-ca, which leaves the host name unchecked."
        : "Give the certificate of the authority that signed it as sslrootcert (for a public authority " +
          "sslrootcert=system), and look at the certificate's dates. If nothing was changed on purpose, somebody may " +
          "be in between: do not weaken sslmode before you know."
    return `The certificate of ${this.server} did not verify (sslmode=${this.sslmode}): ${clause(this.problem)}. ${remedy}`
  }
}

export const ConnectionReason = Schema.Union([
  BadConnectionString,
  TlsFileUnreadable,
  TlsRefused,
  TlsUnverified
])
export type ConnectionReason = typeof ConnectionReason.Type

/** A connection could not be configured, or its TLS could not be agreed on. Catch the reason by its class. */
export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  reason: ConnectionReason
}) {
  override get message() {
    return this.reason.message
  }
}

export const badConnectionString = (part: string, problem: string) =>
  new ConnectionError({ reason: new BadConnectionString({ part, problem }) })
