import { statfsSync } from "node:fs"
import { Schema } from "effect"
import { clause } from "../../base/clause.ts"

/** The wanted directory is foreign: it holds other files, or another account owns it. */
export class DirectoryNotOurs extends Schema.TaggedError<DirectoryNotOurs>()("DirectoryNotOurs", {
  directory: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return (
      `The embedded PostgreSQL cannot use ${this.directory}: ${clause(this.why)}. ` +
      `Name another directory, run as its owner, or set DATABASE_URL to use a server of your own.`
    )
  }
}

/** Another PostgreSQL, or another process that does not finish, holds the directory. */
export class DirectoryInUse extends Schema.TaggedError<DirectoryInUse>()("DirectoryInUse", {
  directory: Schema.String,
  holder: Schema.String
}) {
  override get message() {
    return (
      `The embedded PostgreSQL cannot use ${this.directory}: it is in use by ${this.holder}. ` +
      `Stop that process, or name another directory.`
    )
  }
}

/** The server's user may not enter a directory that already holds our cluster. */
export class DirectoryUnreachable extends Schema.TaggedError<DirectoryUnreachable>()("DirectoryUnreachable", {
  directory: Schema.String,
  blockedBy: Schema.String,
  user: Schema.String
}) {
  override get message() {
    return (
      `The cluster in ${this.directory} belongs to ${this.user}, who may not enter ${this.blockedBy}. ` +
      `Allow it with "chmod o+x ${this.blockedBy}", or move the directory to a place that ${this.user} can reach.`
    )
  }
}

/** Neither the asked port nor any other could be bound on 127.0.0.1. */
export class NoFreePort extends Schema.TaggedError<NoFreePort>()("NoFreePort", {
  port: Schema.optionalKey(Schema.Int),
  why: Schema.String
}) {
  override get message() {
    return this.port === undefined
      ? `No free port was found on 127.0.0.1 (${clause(this.why)}). Close programs that hold ports, or name one with { port }.`
      : `Port ${this.port} on 127.0.0.1 cannot be used (${clause(this.why)}). Name another port, or leave it out to get a free one.`
  }
}

/** The data were written by another major version of PostgreSQL, which this one cannot read. */
export class OtherMajorVersion extends Schema.TaggedError<OtherMajorVersion>()("OtherMajorVersion", {
  directory: Schema.String,
  found: Schema.String,
  wanted: Schema.Int
}) {
  override get message() {
    return (
      `${this.directory} holds data of PostgreSQL ${this.found}; the embedded server is PostgreSQL ${this.wanted}. ` +
      `To keep the data, start it with PostgreSQL ${this.found}, pg_dump it, and restore it into a new directory. ` +
      `To start afresh, remove ${this.directory}.`
    )
  }
}

/** The file system has no room left for the cluster or its write-ahead log. */
export class NoRoom extends Schema.TaggedError<NoRoom>()("NoRoom", {
  directory: Schema.String,
  /** Bytes that were free when the failure was noticed; absent where the system does not tell. */
  freeBytes: Schema.optionalKey(Schema.Finite)
}) {
  override get message() {
    const free =
      this.freeBytes === undefined ? "" : ` (${Math.floor(this.freeBytes / BYTES_PER_MIB)} MiB free)`
    return (
      `The disk that holds ${this.directory} has no room left${free}; a new cluster takes about ${NEW_CLUSTER_MIB} MiB. ` +
      `Free some space or name a directory on another disk, then start again: nothing written so far is lost.`
    )
  }
}

/** The PostgreSQL programs for this platform are not installed, or do not run here. */
export class BinariesMissing extends Schema.TaggedError<BinariesMissing>()("BinariesMissing", {
  platform: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return (
      `The PostgreSQL programs for ${this.platform} are missing: ${clause(this.why)}. ` +
      `Install again with optional dependencies (npm ci --include=optional), or set DATABASE_URL to use a server of your own.`
    )
  }
}

/** The process is root, which PostgreSQL refuses, and no other account can run the server. */
export class NoServerUser extends Schema.TaggedError<NoServerUser>()("NoServerUser", {
  why: Schema.String
}) {
  override get message() {
    return (
      `PostgreSQL refuses to run as root, and no other account can run it: ${clause(this.why)}. ` +
      `Add one ("useradd --system postgres"), run as an ordinary user, or set DATABASE_URL.`
    )
  }
}

/** The server, or its initdb, gave up for a reason that has no class of its own; `log` holds its last lines. */
export class ServerDidNotStart extends Schema.TaggedError<ServerDidNotStart>()("ServerDidNotStart", {
  directory: Schema.String,
  why: Schema.String,
  log: Schema.String
}) {
  override get message() {
    const log = this.log === "" ? "" : ` Its last lines:\n${this.log}`
    return `The embedded PostgreSQL in ${this.directory} did not start: ${clause(this.why)}.${log}`
  }
}

export const EmbeddedReason = Schema.Union([
  DirectoryNotOurs,
  DirectoryInUse,
  DirectoryUnreachable,
  NoFreePort,
  OtherMajorVersion,
  NoRoom,
  BinariesMissing,
  NoServerUser,
  ServerDidNotStart
])
export type EmbeddedReason = typeof EmbeddedReason.Type

/** Why the embedded server is not there; `reason` is a class per cause. */
export class EmbeddedError extends Schema.TaggedError<EmbeddedError>()("EmbeddedError", {
  reason: EmbeddedReason
}) {
  override get message() {
    return this.reason.message
  }
}

const BYTES_PER_MIB = 1024 * 1024
const NEW_CLUSTER_MIB = 50
const NO_ROOM = new Set(["ENOSPC", "EDQUOT"])
const UNUSABLE_PATH = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENAMETOOLONG"])
const isReason = Schema.is(EmbeddedReason)

export const errorCode = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

export const noRoom = (directory: string): NoRoom => {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return new NoRoom({ directory, freeBytes: bavail * bsize })
  } catch {
    return new NoRoom({ directory })
  }
}

/** Finds the reason behind whatever was thrown while `directory` was being prepared. */
export const embeddedError = (directory: string, cause: unknown): EmbeddedError => {
  if (isReason(cause)) return new EmbeddedError({ reason: cause })
  const code = errorCode(cause) ?? ""
  const why = cause instanceof Error ? cause.message : String(cause)
  if (NO_ROOM.has(code)) return new EmbeddedError({ reason: noRoom(directory) })
  if (UNUSABLE_PATH.has(code)) return new EmbeddedError({ reason: new DirectoryNotOurs({ directory, why }) })
  return new EmbeddedError({ reason: new ServerDidNotStart({ directory, why, log: "" }) })
}
