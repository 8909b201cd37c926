import { execFileSync } from "node:child_process"
import { chown, mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"

/** Whom a PostgreSQL of ours runs as; undefined means as ourselves. */
export type ServerUser = { readonly uid: number; readonly gid: number }

/** For `spawn`. */
export const asUser = (user: ServerUser | undefined) =>
  user === undefined ? {} : { uid: user.uid, gid: user.gid }

const accountName = "postgres"

const idOf = (flag: "-u" | "-g") =>
  Number(execFileSync("id", [flag, accountName], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }))

/** PostgreSQL refuses to run as root, so root hands it to the user `postgres`. */
export const serverUser = (): ServerUser | undefined => {
  if (process.getuid?.() !== 0) return undefined
  try {
    return { uid: idOf("-u"), gid: idOf("-g") }
  } catch (cause) {
    throw new Error(
      `PostgreSQL does not run as root, and there is no user ${accountName} to run it as: ` +
        `create one (useradd --system ${accountName}) or run the tests as an ordinary user`,
      { cause }
    )
  }
}

/** A new directory in the system's temp directory, mode 0700, owned by `user`. */
export const temporaryDirectory = async (purpose: string, user?: ServerUser): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), `tidemark-test-${purpose}-`))
  if (user !== undefined) await chown(directory, user.uid, user.gid)
  return directory
}

/** Writes a file that only `user` can read. */
export const placeFile = async (file: string, contents: string, user?: ServerUser): Promise<void> => {
  await writeFile(file, contents, { mode: 0o600 })
  if (user !== undefined) await chown(file, user.uid, user.gid)
}
