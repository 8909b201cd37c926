import { randomBytes } from "node:crypto"
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isAlive, thisProcess } from "./process-identity.ts"

/** One use of the server by this process; a process may use it several times at once. */
export interface UserEntry {
  remove(): void
}

const SUFFIX = /\.[0-9a-f]+$/

/** Notes that this process uses the server. To be called by the holder of the lock. */
export const enterUser = (folder: string): UserEntry => {
  const file = join(folder, `${thisProcess}.${randomBytes(6).toString("hex")}`)
  writeFileSync(file, "", { mode: 0o600 })
  return { remove: () => rmSync(file, { force: true }) }
}

/** How many uses by living processes there are; entries of dead ones are removed. To be called by the holder of the lock. */
export const countUsers = (folder: string): number => {
  // Who removed the directory meanwhile wanted its server gone, too.
  if (!existsSync(folder)) return 0
  const entries = readdirSync(folder)
  const dead = entries.filter((entry) => !isAlive(entry.replace(SUFFIX, "")))
  for (const entry of dead) rmSync(join(folder, entry), { force: true })
  return entries.length - dead.length
}
