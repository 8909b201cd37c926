import { spawnSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { NoServerUser } from "./embedded-error.ts"
import type { Host } from "./host.ts"

/** The account that runs the server in place of root. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const ROOT = 0
const ID_OUTPUT = /^\d+$/
const NO_LOGIN = ["--shell", "/sbin/nologin"]
/** Each makes a system account without a home or a shell; the first that the system knows and allows is enough. */
const creators = (name: string): ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> => [
  [
    "useradd",
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    ...NO_LOGIN,
    name
  ],
  ["adduser", "--system", "--group", "--no-create-home", "--home", "/nonexistent", ...NO_LOGIN, name],
  ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", name]
]

export const isRoot = (): boolean => process.geteuid?.() === ROOT

const passwdLines = (): ReadonlyArray<ReadonlyArray<string>> => {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
  } catch {
    return []
  }
}

const numberFromId = (flag: "-u" | "-g", name: string): number | undefined => {
  const output = (spawnSync("id", [flag, name], { encoding: "utf8" }).stdout ?? "").trim()
  return ID_OUTPUT.test(output) ? Number(output) : undefined
}

/** Looks in /etc/passwd, then asks `id`, which knows accounts that a directory service keeps. */
export const accountNamed = (name: string): ServerUser | undefined => {
  const line = passwdLines().find((fields) => fields[0] === name)
  const uid = line ? Number(line[2]) : numberFromId("-u", name)
  const gid = line ? Number(line[3]) : numberFromId("-g", name)
  return uid === undefined || gid === undefined || uid === ROOT ? undefined : { name, uid, gid }
}

const nameIn = (uid: number): string | undefined =>
  passwdLines().find((fields) => Number(fields[2]) === uid)?.[0]

/** For messages: an account's name and number. */
export const nameOfUid = (uid: number): string => {
  const name = nameIn(uid)
  return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`
}

/** Who owns an existing cluster runs it, whatever accounts have come since. */
export const ownerOfCluster = (data: string): ServerUser | undefined => {
  const stat = statSync(data, { throwIfNoEntry: false })
  if (stat === undefined || stat.uid === ROOT) return undefined
  return { name: nameIn(stat.uid) ?? `uid ${stat.uid}`, uid: stat.uid, gid: stat.gid }
}

const create = (name: string, onNotice: (message: string) => void): ServerUser | undefined => {
  for (const [program, ...args] of creators(name)) {
    spawnSync(program, args, { stdio: "ignore" })
    const account = accountNamed(name)
    if (account) {
      onNotice(`PostgreSQL refuses to run as root, so the system account "${name}" was created for it.`)
      return account
    }
  }
  return undefined
}

const lastResort = (name: string, onNotice: (message: string) => void): ServerUser | undefined => {
  const account = accountNamed(name)
  if (account) {
    onNotice(
      `PostgreSQL refuses to run as root and no account could be created for it: it runs as "${name}".`
    )
  }
  return account
}

/** Who runs a new server: undefined means the caller; for root it is the first account that exists, else a new one. */
export const serverUser = (host: Host, onNotice: (message: string) => void): ServerUser | undefined => {
  if (!isRoot()) return undefined
  for (const name of host.accounts) {
    const account = accountNamed(name)
    if (account) return account
  }
  const created = host.accountToCreate === undefined ? undefined : create(host.accountToCreate, onNotice)
  const user = created ?? lastResort(host.lastResort, onNotice)
  if (user) return user
  throw new NoServerUser({ why: `none of ${[...host.accounts, host.lastResort].join(", ")} exists` })
}

const OWNER_ENTERS = 0o100
const GROUP_ENTERS = 0o010
const OTHERS_ENTER = 0o001

const enters = (directory: string, user: ServerUser): boolean => {
  const stat = statSync(directory, { throwIfNoEntry: false })
  if (!stat) return true
  if (stat.uid === user.uid) return (stat.mode & OWNER_ENTERS) !== 0
  if (stat.gid === user.gid) return (stat.mode & GROUP_ENTERS) !== 0
  return (stat.mode & OTHERS_ENTER) !== 0
}

/** The uppermost directory on the way to `path`, itself included, that `user` may not enter; undefined when there is none. */
export const barrierTo = (path: string, user: ServerUser): string | undefined => {
  const above = dirname(path) === path ? undefined : barrierTo(dirname(path), user)
  return above ?? (enters(path, user) ? undefined : path)
}
