import { createReadStream } from "node:fs"
import { link, open, readFile, rm } from "node:fs/promises"
import { createHash } from "node:crypto"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import { Result, Schema } from "effect"
import { ArchiveDamaged } from "./error.ts"

/** What the file of a partition ends with, and that of what is known of it. */
const EVENTS = ".jsonl.gz"
const MANIFEST = ".json"

/** How archives are written. It grows when they are written in another way. */
export const FORMAT = "tidemark-telemetry-archive/1"

/** What is known of an archive. It is written last: an archive without one was not written to its end. */
export const Manifest = Schema.Struct({
  format: Schema.String,
  /** The id of the log that it is of. */
  log: Schema.String,
  partition: Schema.String,
  from: Schema.Int,
  upTo: Schema.Int,
  categories: Schema.Array(Schema.String),
  file: Schema.String,
  bytes: Schema.Int,
  events: Schema.Int,
  /** Of the lines, each with its line feed, before they are compressed. */
  sha256: Schema.String,
  archivedAt: Schema.String
})
export type Manifest = typeof Manifest.Type

/** Where the events of a partition go, and what is known of them. */
export const archivePaths = (
  directory: string,
  log: string,
  partition: string
): { readonly events: string; readonly manifest: string } => {
  const path = join(directory, log, partition)
  return { events: `${path}${EVENTS}`, manifest: `${path}${MANIFEST}` }
}

/** The digest of lines as they come. */
export class Digest {
  events = 0
  private readonly hash = createHash("sha256")

  take(line: string): void {
    this.hash.update(`${line}\n`)
    this.events += 1
  }

  get sha256(): string {
    return this.hash.copy().digest("hex")
  }
}

/**
 * The lines of an archive. Throws what reading and decompressing throw. Nothing but a line feed ends a line: readline would take for one what JSON
 * may hold as it is.
 */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const text = createGunzip()
  const read = pipeline(createReadStream(file), text)
  // Whoever iterates over the text is told.
  read.catch(() => undefined)
  text.setEncoding("utf8")
  // A line may be as long as an event: its pieces are put together once, where it ends.
  let pieces: Array<string> = []
  for await (const chunk of text as AsyncIterable<string>) {
    const lines = chunk.split("\n")
    const begun = lines.pop()!
    for (const line of lines) {
      yield pieces.length === 0 ? line : [...pieces, line].join("")
      pieces = []
    }
    pieces.push(begun)
  }
  const rest = pieces.join("")
  if (rest !== "") yield rest
}

const decodeManifest = Schema.decodeUnknownResult(Manifest)

/** What is known of an archive; undefined where there is none. Throws ArchiveDamaged. */
export const manifestAt = async (path: string): Promise<Manifest | undefined> => {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })
  if (text === undefined) return undefined
  const damaged = (detail: string) => new ArchiveDamaged({ file: path, detail })
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw damaged("it is no JSON")
  }
  const decoded = decodeManifest(content)
  if (Result.isFailure(decoded)) throw damaged(decoded.failure.message)
  if (decoded.success.format !== FORMAT)
    throw damaged(`its format is "${decoded.success.format}", and this version reads ${FORMAT}`)
  return decoded.success
}

/** The manifest of an archive by the path of either of its files. Throws ArchiveDamaged. */
export const manifestOf = async (
  path: string
): Promise<{ readonly events: string; readonly manifest: Manifest }> => {
  const stem = path.endsWith(EVENTS)
    ? path.slice(0, -EVENTS.length)
    : path.endsWith(MANIFEST)
      ? path.slice(0, -MANIFEST.length)
      : path
  const manifest = await manifestAt(`${stem}${MANIFEST}`)
  if (manifest === undefined)
    throw new ArchiveDamaged({
      file: path,
      detail: `there is no ${basename(stem)}${MANIFEST} beside it, so it was not written to its end`
    })
  return { events: `${stem}${EVENTS}`, manifest }
}

/** Gives a file that is whole its name, for good, also where the machine stops right after; never in the place of another one. */
export const settleFile = async (temporary: string, path: string): Promise<void> => {
  await syncFile(temporary)
  await link(temporary, path)
  await rm(temporary)
  await syncFile(dirname(path))
}

/** Has a file, or what a directory lists, outlast the machine's power. */
export const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
