import { createWriteStream } from "node:fs"
import { mkdir, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import { Effect } from "effect"
import { clause } from "../../base/clause.ts"
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
  settleFile
} from "./archive-file.ts"
import { ArchiveNotWritten } from "./error.ts"
import type { ArchiveFile } from "./event.ts"

/** How many events are read at a time. */
const EVENTS_AT_ONCE = 2_000

/** How long the server may take to count a partition, in ms: as long as Node's timers go. */
const COUNTED_MS = 2_147_483_647

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
  readonly position: number
  readonly line: string
}

/** The events of a partition as lines, in order. */
async function* linesIn(
  postgres: Postgres["Service"],
  { from, upTo }: TelemetryPartition,
  digest: Digest
): AsyncGenerator<string> {
  const { text } = statement("archived_page", postgres.schema)
  let at = from - 1
  for (;;) {
    const values = [at, upTo - 1, EVENTS_AT_ONCE]
    const { rows } = await Effect.runPromise(postgres.query<Line>(text, values))
    for (const { line } of rows) digest.take(line)
    if (rows.length > 0) yield rows.map(({ line }) => `${line}\n`).join("")
    if (rows.length < EVENTS_AT_ONCE) return
    at = rows.at(-1)!.position
  }
}

const counted = async (
  postgres: Postgres["Service"],
  { from, upTo }: TelemetryPartition
): Promise<number> => {
  const { text } = statement("count_telemetry", postgres.schema)
  const counting = postgres.query<{ events: number }>(text, [from - 1, upTo - 1], {
    answerTimeoutMs: COUNTED_MS
  })
  const { rows } = await Effect.runPromise(counting)
  return rows[0]!.events
}

/** Reads a file back, as whoever needs it one day would. */
const digestOf = async (file: string): Promise<Digest> => {
  const digest = new Digest()
  for await (const line of linesOf(file)) digest.take(line)
  return digest
}

const fileOf = ({ file, bytes, events, sha256 }: Manifest): ArchiveFile => ({ file, bytes, events, sha256 })

/** What an earlier run has written, whole, before it was cut off; undefined where it has not. */
const writtenBefore = async (
  postgres: Postgres["Service"],
  { directory, log, partition }: Archiving
): Promise<ArchiveFile | undefined> => {
  const paths = archivePaths(directory, log, partition.name)
  const manifest = await manifestAt(paths.manifest)
  if (manifest === undefined) return undefined
  const { from, upTo } = partition
  const isOurs = manifest.log === log && manifest.from === from && manifest.upTo === upTo
  const digest = await digestOf(paths.events)
  const isWhole = digest.sha256 === manifest.sha256 && digest.events === (await counted(postgres, partition))
  if (!isOurs || !isWhole)
    throw new Error("another archive of that name is in the way, and is never written over")
  return fileOf(manifest)
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
  await mkdir(dirname(paths.events), { recursive: true })
  const temporary = `${paths.events}.part`
  const digest = new Digest()
  await pipeline(
    Readable.from(linesIn(postgres, partition, digest)),
    createGzip(),
    createWriteStream(temporary),
    { signal }
  )
  const readBack = await digestOf(temporary)
  const events = await counted(postgres, partition)
  if (readBack.sha256 !== digest.sha256 || readBack.events !== events)
    throw new Error(
      `it has ${readBack.events} of ${events} events when it is read back, or others than were written`
    )
  const { size: bytes } = await stat(temporary)
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
    events,
    sha256: digest.sha256,
    archivedAt: now.toISOString()
  }
  await writeFile(`${paths.manifest}.part`, `${JSON.stringify(manifest, undefined, 2)}\n`)
  await settleFile(`${paths.manifest}.part`, paths.manifest)
  return fileOf(manifest)
}

/**
 * Writes the events of a partition to a file, and reads it back before it takes its name: compressed JSON lines, and a manifest beside it, which is
 * written last. What is there already, whole, is left as it is.
 */
export const archive = (
  postgres: Postgres["Service"],
  archiving: Archiving
): Effect.Effect<ArchiveFile, ArchiveNotWritten> => {
  const { events } = archivePaths(archiving.directory, archiving.log, archiving.partition.name)
  const temporary = `${events}.part`
  return Effect.tryPromise({
    try: (signal) => write(postgres, archiving, signal),
    catch: (thrown) =>
      new ArchiveNotWritten({
        file: events,
        detail: clause(thrown instanceof Error ? thrown.message : String(thrown))
      })
  }).pipe(Effect.onError(() => Effect.promise(() => rm(temporary, { force: true }).catch(() => undefined))))
}
