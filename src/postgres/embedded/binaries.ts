import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync
} from "node:fs"
import { basename, dirname, extname, join, relative } from "node:path"
import { Schema } from "effect"
import { BinariesMissing, errorCode } from "./embedded-error.ts"
import type { Home } from "./home.ts"
import { platformName, type Host } from "./host.ts"
import { barrierTo } from "./server-user.ts"

/** PostgreSQL programs that the server's user can run. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** The major version. */
  readonly version: number
}

const Links = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String }))
)
const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))
const LINKS_FILE = "pg-symlinks.json"
const PROGRAMS = ["initdb", "postgres", "pg_ctl"]
const EXECUTABLE = 0o755
/** What a program is built from, not what it runs on. */
const BUILD_ONLY = { extensions: new Set([".a"]), folders: new Set(["pkgconfig", "include"]) }
const NOT_WRITABLE = new Set(["EACCES", "EPERM", "EROFS"])

const manifestVersion = (native: string): string =>
  Schema.decodeUnknownSync(Manifest)(readFileSync(join(native, "..", "package.json"), "utf8")).version

const linksOf = (native: string) => {
  const file = join(native, LINKS_FILE)
  return existsSync(file) ? Schema.decodeUnknownSync(Links)(readFileSync(file, "utf8")) : []
}

/** What the package's install script would have made: library links, and the right to execute. */
const complete = (native: string): void => {
  const root = dirname(native)
  for (const { source, target } of linksOf(native)) {
    const link = join(root, target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link)
    } catch (cause) {
      if (errorCode(cause) !== "EEXIST") throw cause
    }
  }
  for (const program of PROGRAMS.map((name) => join(native, "bin", name))) {
    if (existsSync(program) && !isExecutable(program)) chmodSync(program, EXECUTABLE)
  }
}

const isExecutable = (program: string): boolean => {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const canComplete = (native: string): boolean => {
  try {
    complete(native)
    return true
  } catch (cause) {
    if (NOT_WRITABLE.has(errorCode(cause) ?? "")) return false
    throw cause
  }
}

const isNeededToRun = (path: string): boolean =>
  !BUILD_ONLY.extensions.has(extname(path)) && !BUILD_ONLY.folders.has(basename(path))

/** Everyone may read the copy, whatever the umask or the modes of the original say: the server's user must. */
const copyTree = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true })
  chmodSync(to, EXECUTABLE)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (!isNeededToRun(source)) continue
    if (entry.isDirectory()) copyTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else {
      copyFileSync(source, target, constants.COPYFILE_FICLONE)
      chmodSync(target, EXECUTABLE)
    }
  }
}

/** Copies beside the final place and renames, so that a copy that broke off is never taken for a whole one. */
const copyTo = (native: string, target: string): void => {
  if (existsSync(target)) return
  const partial = `${target}.partial`
  rmSync(partial, { recursive: true, force: true })
  try {
    mkdirSync(partial, { recursive: true })
    for (const folder of [dirname(target), partial]) chmodSync(folder, EXECUTABLE)
    copyTree(native, join(partial, "native"))
    complete(join(partial, "native"))
    renameSync(partial, target)
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true })
    throw cause
  }
}

const programsIn = (native: string, version: number): Binaries => {
  const suffix = process.platform === "win32" ? ".exe" : ""
  const program = (name: string) => join(native, "bin", name + suffix)
  return { initdb: program("initdb"), postgres: program("postgres"), version }
}

/**
 * Finds the programs and mends what a skipped install script left undone. They are copied into the home where they lie
 * out of the server user's reach, or cannot be mended in place. To be called by the holder of the lock.
 */
export const prepareBinaries = (host: Host, home: Home, onNotice: (message: string) => void): Binaries => {
  const native = host.nativeFolder()
  if (!statSync(join(native, "bin"), { throwIfNoEntry: false })) {
    throw new BinariesMissing({ platform: platformName, why: `${native} holds no programs` })
  }
  const release = manifestVersion(native)
  const version = Number.parseInt(release, 10)
  const barrier = home.user && barrierTo(join(native, "bin"), home.user)
  if (barrier === undefined && canComplete(native)) return programsIn(native, version)
  const target = join(home.directory, "binaries", release)
  const why =
    barrier === undefined
      ? "their own folder cannot be written"
      : `the server's user may not enter ${barrier}`
  if (!existsSync(target)) onNotice(`The PostgreSQL programs were copied to ${target}, because ${why}.`)
  copyTo(native, target)
  return programsIn(join(target, "native"), version)
}
