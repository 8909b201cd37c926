import { randomUUID } from "node:crypto"
import { createWriteStream } from "node:fs"
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import { Effect } from "effect"
import { PAGE_BYTES, PageSize } from "../../log/page-size.ts"
import type { TelemetryPartition } from "../../log/telemetry-partitions.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import {
  archivePaths,
  Digest,
  FORMAT,
  linesOf,
  type Manifest,
  manifestAt,
  settleFile,
  syncFile
} from "./archive-file.ts"
import { ArchiveNotWritten } from "./error.ts"
import type { ArchiveFile } from "./event.ts"

/** What an archive holds is nobody's but whoever may read the log. */
const PRIVATE_FILE = 0o600
const PRIVATE_DIRECTORY = 0o700

/** What a file that is being written ends with. */
const UNFINISHED = ".part"

/** What is to be archived, and where. */
export interface Archiving {
  readonly directory: string
  /** The id of the log. */
  readonly log: string
  readonly partition: TelemetryPartition
  readonly categories: ReadonlyArray<string>
  readonly now: Date
}

interface Line {
  readonly at: number
  readonly line: string
  /** The page has as many characters as one may have. */
  readonly isCut: boolean
}

/** The events of a partition as lines, in order. */
async function* linesIn(
  postgres: Postgres["Service"],
  { from, upTo }: TelemetryPartition,
  digest: Digest
): AsyncGenerator<string> {
  const { text } = statement("archived_page", postgres.schema)
  const size = new PageSize()
  const pageAfter = (at: number) =>
    size.read((limit) =>
      Effect.map(postgres.query<Line>(text, [at, upTo - 1, limit, PAGE_BYTES]), ({ rows }) => ({
        rows,
        count: rows.length,
        isFull: rows.length === limit || rows.at(-1)?.isCut === true
      }))
    )
  let at = from - 1
  for (let isThrough = false; !isThrough;) {
    const { rows, isFull } = await Effect.runPromise(pageAfter(at))
    for (const { line } of rows) {
      digest.take(line)
      yield `${line}\n`
    }
    at = rows.at(-1)?.at ?? at
    isThrough = !isFull
  }
}

/** What a partition has in it. */
const digestIn = async (postgres: Postgres["Service"], partition: TelemetryPartition): Promise<Digest> => {
  const digest = new Digest()
  for await (const _ of linesIn(postgres, partition, digest));
  return digest
}

/** Reads a file back, as whoever needs it one day would. */
const digestOf = async (file: string): Promise<Digest> => {
  const digest = new Digest()
  for await (const line of linesOf(file)) digest.take(line)
  return digest
}

const isSame = (one: Pick<Digest, "events" | "sha256">, other: Pick<Digest, "events" | "sha256">): boolean =>
  one.events === other.events && one.sha256 === other.sha256

const fileOf = ({ file, bytes, events, sha256 }: Manifest): ArchiveFile => ({ file, bytes, events, sha256 })

/** What an earlier run has written, whole, before it was cut off; undefined where it has not. */
const writtenBefore = async (
  postgres: Postgres["Service"],
  { directory, log, partition }: Archiving
): Promise<ArchiveFile | undefined> => {
  const paths = archivePaths(directory, log, partition.name)
  const manifest = await manifestAt(paths.manifest)
  if (manifest === undefined) return undefined
  const isOurs = manifest.log === log && manifest.from === partition.from && manifest.upTo === partition.upTo
  const isWhole = isOurs && isSame(await digestOf(paths.events), manifest)
  if (!isWhole || !isSame(await digestIn(postgres, partition), manifest))
    throw new Error(
      "another archive of that name is there, which is not what the partition holds now, and is never written over: move it away"
    )
  return fileOf(manifest)
}

/** What runs that were killed have left. */
const clearUnfinished = async (events: string): Promise<void> => {
  const directory = dirname(events)
  const left = (await readdir(directory)).filter(
    (name) => name.startsWith(basename(events)) && name.endsWith(UNFINISHED)
  )
  for (const name of left) await rm(join(directory, name), { force: true })
}

const write = async (
  postgres: Postgres["Service"],
  archiving: Archiving,
  signal: AbortSignal
): Promise<ArchiveFile> => {
  const { directory, log, partition, categories, now } = archiving
  const before = await writtenBefore(postgres, archiving)
  if (before !== undefined) return before
  const paths = archivePaths(directory, log, partition.name)
  await mkdir(dirname(paths.events), { recursive: true, mode: PRIVATE_DIRECTORY })
  await syncFile(directory)
  await clearUnfinished(paths.events)
  const temporary = `${paths.events}.${randomUUID()}${UNFINISHED}`
  try {
    const digest = new Digest()
    const file = createWriteStream(temporary, { flags: "wx", mode: PRIVATE_FILE })
    await pipeline(Readable.from(linesIn(postgres, partition, digest)), createGzip(), file, { signal })
    // The partition is read again: what was redacted meanwhile is not to stay in its archive, and whoever has lost his lock to another run sees that it is gone.
    const [readBack, standing] = [await digestOf(temporary), await digestIn(postgres, partition)]
    signal.throwIfAborted()
    if (digest.events === 0 || !isSame(readBack, digest) || !isSame(standing, digest))
      throw new Error(
        `it has ${readBack.events} events when it is read back, of ${standing.events} that the partition has now, or others`
      )
    const { size: bytes } = await stat(temporary)
    // Without a manifest it was not written to its end.
    await rm(paths.events, { force: true })
    await settleFile(temporary, paths.events)
    const manifest: Manifest = {
      format: FORMAT,
      log,
      partition: partition.name,
      from: partition.from,
      upTo: partition.upTo,
      categories,
      file: basename(paths.events),
      bytes,
      events: digest.events,
      sha256: digest.sha256,
      archivedAt: now.toISOString()
    }
    const unfinished = `${temporary}${basename(paths.manifest)}${UNFINISHED}`
    await writeFile(unfinished, `${JSON.stringify(manifest, undefined, 2)}\n`, {
      flag: "wx",
      mode: PRIVATE_FILE
    })
    await settleFile(unfinished, paths.manifest)
    return fileOf(manifest)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/**
 * Writes the events of a partition to a file, and reads it back before it takes its name: compressed JSON lines, and a manifest beside it, which is
 * written last. What is there already, whole, is left as it is. Where it is given up, it has ended when that is done.
 */
export const archive = (
  postgres: Postgres["Service"],
  archiving: Archiving
): Effect.Effect<ArchiveFile, ArchiveNotWritten> => {
  const { events } = archivePaths(archiving.directory, archiving.log, archiving.partition.name)
  const notWritten = (thrown: unknown): ArchiveNotWritten => {
    const detail = thrown instanceof Error ? thrown.message : String(thrown)
    return new ArchiveNotWritten({ file: events, detail })
  }
  return Effect.callback<ArchiveFile, ArchiveNotWritten>((resume) => {
    const giving = new AbortController()
    const writing = write(postgres, archiving, giving.signal).then(
      (file) => resume(Effect.succeed(file)),
      (thrown: unknown) => resume(Effect.fail(notWritten(thrown)))
    )
    return Effect.promise(() => {
      giving.abort()
      return writing
    })
  })
}
