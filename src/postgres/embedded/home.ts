import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { DirectoryNotOurs, DirectoryUnreachable } from "./embedded-error.ts"
import type { Host } from "./host.ts"
import { barrierTo, isRoot, nameOfUid, ownerOfCluster, serverUser, type ServerUser } from "./server-user.ts"

/** The directory of one embedded server, and who runs that server (undefined: the caller). */
export interface Home {
  readonly directory: string
  readonly data: string
  readonly password: string
  readonly log: string
  readonly lock: string
  readonly users: string
  readonly user: ServerUser | undefined
}

const MARKER = "README.txt"
const MARKER_TEXT = `The embedded PostgreSQL of Tidemark keeps its data here ("data"), the password of its superuser
("password"), its log ("server.log") and the list of the processes that use it ("users", "lock").
While no process uses it, the whole directory may be moved or removed; removing it removes the data.
`
const PRIVATE = 0o700
/** Root's directory lets the server's user pass to its data, and see nothing else. */
const PASSABLE = 0o711
const HASH_LENGTH = 12
const WRITABLE_BY_OTHERS = 0o022

const homeIn = (directory: string, user: ServerUser | undefined): Home => {
  const home = {
    directory,
    data: join(directory, "data"),
    password: join(directory, "password"),
    log: join(directory, "server.log"),
    lock: join(directory, "lock"),
    users: join(directory, "users"),
    user
  }
  for (const folder of [home.lock, home.users]) mkdirSync(folder, { recursive: true, mode: PRIVATE })
  return home
}

const holdsCluster = (directory: string): boolean => existsSync(join(directory, "data", "PG_VERSION"))

const refuseOtherOwner = (path: string): void => {
  const { uid } = lstatSync(path)
  const me = process.geteuid?.() ?? uid
  if (uid !== me) throw new DirectoryNotOurs({ directory: path, why: `it is owned by ${nameOfUid(uid)}` })
}

/** For root every directory made on the way is passable too, whatever the umask says. */
const make = (directory: string): void => {
  const uppermost = mkdirSync(directory, { recursive: true, mode: PRIVATE })
  if (uppermost === undefined || !isRoot()) return
  for (let made = directory; made.startsWith(uppermost); made = dirname(made)) chmodSync(made, PASSABLE)
}

/** Makes the directory if it is missing, and refuses one that is another's or holds other files. */
const claim = (directory: string): void => {
  make(directory)
  refuseOtherOwner(directory)
  const entries = readdirSync(directory)
  if (!entries.includes(MARKER)) {
    const why = entries.includes("PG_VERSION")
      ? "it is itself a PostgreSQL data directory"
      : "it holds other files"
    if (entries.length > 0) throw new DirectoryNotOurs({ directory, why: `${why} (${entries[0]})` })
    writeFileSync(join(directory, MARKER), MARKER_TEXT)
  }
  if (isRoot()) chmodSync(directory, PASSABLE)
}

const isShelter = (directory: string, user: ServerUser): boolean => {
  try {
    mkdirSync(directory, { recursive: true, mode: PASSABLE })
    const stat = lstatSync(directory)
    const safe = stat.isDirectory() && stat.uid === 0 && (stat.mode & WRITABLE_BY_OTHERS) === 0
    if (safe) chmodSync(directory, PASSABLE)
    return safe && barrierTo(directory, user) === undefined
  } catch {
    return false
  }
}

/** The same wanted directory always leads to the same place, so that the next start finds its data. */
const placeIn = (shelter: string, wanted: string): string => {
  const clone = basename(dirname(wanted)).replaceAll(/[^\w.-]/g, "_") || "root"
  const hash = createHash("sha256").update(wanted).digest("hex").slice(0, HASH_LENGTH)
  return join(shelter, `${clone}-${hash}`)
}

const realPathOf = (directory: string): string => {
  const path = resolve(directory)
  if (existsSync(path)) return realpathSync(path)
  return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path))
}

const openShelter = (
  host: Host,
  wanted: string,
  blockedBy: string,
  newUser: ServerUser,
  onNotice: (message: string) => void
): Home => {
  for (const shelter of host.shelters) {
    const place = placeIn(shelter, wanted)
    const user = ownerOfCluster(join(place, "data")) ?? newUser
    if (!isShelter(shelter, user)) continue
    claim(place)
    onNotice(
      `The data live in ${place}, because the server's user, ${user.name}, may not enter ${blockedBy}, ` +
        `where ${wanted} was wanted.`
    )
    return homeIn(place, user)
  }
  throw new DirectoryNotOurs({
    directory: wanted,
    why: `the server's user may not enter ${blockedBy}, and none of ${host.shelters.join(", ")} can be used instead`
  })
}

/**
 * Makes the directory ready, or the one that stands in for it: as root, a directory that the server's user cannot reach is
 * replaced by one that it can, and `onNotice` hears where.
 */
export const openHome = (host: Host, wanted: string, onNotice: (message: string) => void): Home => {
  const directory = realPathOf(wanted)
  const owner = isRoot() ? ownerOfCluster(join(directory, "data")) : undefined
  const user = owner ?? serverUser(host, onNotice)
  if (user) {
    // Our own directory is made passable by claim(); what lies above it is not ours to open.
    const blockedBy = barrierTo(dirname(directory), user)
    if (blockedBy !== undefined) {
      if (holdsCluster(directory)) throw new DirectoryUnreachable({ directory, blockedBy, user: user.name })
      return openShelter(host, directory, blockedBy, user, onNotice)
    }
  }
  claim(directory)
  return homeIn(directory, user)
}
