import { randomBytes } from "node:crypto"
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { once } from "node:events"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import type { Binaries } from "./binaries.ts"
import {
  DirectoryNotOurs,
  NoServerUser,
  OtherMajorVersion,
  ServerDidNotStart,
  errorCode
} from "./embedded-error.ts"
import type { Home } from "./home.ts"
import { reasonInOutput, runProgram } from "./program.ts"
import { isRoot, nameOfUid, type ServerUser } from "./server-user.ts"
import { lastLines } from "./server-log.ts"

export const SUPERUSER = "postgres"
const PASSWORD_BYTES = 24
const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600
const MAKING = "making-"

const give = (path: string, user: ServerUser | undefined): void => {
  if (user === undefined) return
  try {
    chownSync(path, user.uid, user.gid)
  } catch (cause) {
    const why = `the system does not let root give files to ${user.name} (${errorCode(cause) ?? String(cause)})`
    throw new NoServerUser({ why })
  }
}

/** Reads the superuser's password. */
export const passwordOf = (home: Home): string => {
  if (existsSync(home.password)) return readFileSync(home.password, "utf8").trim()
  throw new DirectoryNotOurs({
    directory: home.directory,
    why: `it holds data but no password file, ${home.password}`
  })
}

const newPassword = (home: Home): string => {
  const password = randomBytes(PASSWORD_BYTES).toString("base64url")
  writeFileSync(home.password, password, { mode: PRIVATE_FILE })
  chmodSync(home.password, PRIVATE_FILE)
  return password
}

const initdb = async (binaries: Binaries, home: Home, args: ReadonlyArray<string>): Promise<void> => {
  const child = await runProgram({
    program: binaries.initdb,
    args,
    user: home.user,
    stdio: ["ignore", "pipe", "pipe"]
  })
  const [, stdout, stderr] = await Promise.all([
    once(child, "close"),
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : ""
  ])
  if (child.exitCode === 0) return
  const output = `${stdout}${stderr}`
  const why = `initdb ended with ${child.exitCode ?? child.signalCode}`
  throw (
    reasonInOutput(home.directory, output) ??
    new ServerDidNotStart({ directory: home.directory, why, log: lastLines(output) })
  )
}

const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** initdb's own sync of every file costs twice what one pass over the finished folder does. */
const fill = async (binaries: Binaries, home: Home, folder: string, passwordFile: string): Promise<void> => {
  await initdb(binaries, home, [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // The builtin provider sorts by code point and needs no locale of the system.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions"
  ])
  await initdb(binaries, home, [`--pgdata=${folder}`, "--sync-only"])
}

/** Makes the cluster beside its place and renames it when it is whole and on disk: a half-made one is never used. */
const create = async (binaries: Binaries, home: Home): Promise<void> => {
  for (const name of readdirSync(home.directory)) {
    if (name.startsWith(MAKING)) rmSync(join(home.directory, name), { recursive: true, force: true })
  }
  const making = join(home.directory, `${MAKING}${process.pid}`)
  const passwordFile = `${making}.password`
  try {
    mkdirSync(making, { mode: PRIVATE_FOLDER })
    give(making, home.user)
    writeFileSync(passwordFile, newPassword(home), { mode: PRIVATE_FILE })
    give(passwordFile, home.user)
    await fill(binaries, home, making, passwordFile)
    renameSync(making, home.data)
    syncFolder(home.directory)
  } finally {
    rmSync(passwordFile, { force: true })
    rmSync(making, { recursive: true, force: true })
  }
}

const refuseOtherOwner = (home: Home): void => {
  const { uid } = statSync(home.data)
  const wanted = home.user?.uid ?? process.geteuid?.() ?? uid
  if (uid === wanted) return
  const why = `its data are owned by ${nameOfUid(uid)}${isRoot() ? ", as whom PostgreSQL refuses to run" : ""}`
  throw new DirectoryNotOurs({ directory: home.directory, why })
}

/** Makes sure that a cluster of this major version is there. To be called by the holder of the lock, without a server. */
export const prepareCluster = async (binaries: Binaries, home: Home): Promise<void> => {
  const versionFile = join(home.data, "PG_VERSION")
  if (!existsSync(home.data)) return create(binaries, home)
  refuseOtherOwner(home)
  if (!existsSync(versionFile)) {
    if (readdirSync(home.data).length === 0) return create(binaries, home)
    throw new DirectoryNotOurs({ directory: home.data, why: "it holds files that are no PostgreSQL data" })
  }
  const found = readFileSync(versionFile, "utf8").trim()
  if (found !== String(binaries.version)) {
    throw new OtherMajorVersion({ directory: home.data, found, wanted: binaries.version })
  }
  passwordOf(home)
}
