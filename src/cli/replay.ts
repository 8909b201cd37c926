import {
  type Engine,
  type Event,
  InvalidArgument,
  type ReplayOptions as EngineReplayOptions
} from "../index.ts"
import { ExitCode } from "./exit-code.ts"
import { Interruption } from "./interruption.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { type WhatIfCommand, whatIf } from "./rebuild/what-if.ts"
import { AuditRecords, type FindEvent } from "./terminal/audit-record.ts"
import { EventRows } from "./terminal/event-row.ts"
import { paintFor } from "./terminal/palette.ts"
import { jsonLine } from "./terminal/text.ts"

export interface ReplayOptions extends PlaceOptions, EngineReplayOptions {
  /** Ends after that many events. */
  readonly limit?: number
  readonly json?: boolean
  readonly audit?: boolean
  /** The events of that file, and not of the log. */
  readonly archive?: string
}

const ONLY_INTO = ["module", "projection", "keep"] as const

/** Whoever looks at an empty screen would not know whether that is all. */
const NOTHING = "The log has no such event."
const NOTHING_ARCHIVED = "The archive has no event."

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

type Write = (event: Event) => Promise<void>

const rowWriter = (): Write => {
  const paint = paintFor(process.stdout)
  let width = widthNow()
  let rows = new EventRows(paint, width, "past")
  if (process.stdout.isTTY) void writeLine(rows.header())
  return (event) => {
    if (widthNow() !== width) {
      width = widthNow()
      rows = new EventRows(paint, width, "past")
    }
    return writeLine(rows.row({ event, at: Date.now(), latencyMs: undefined }))
  }
}

/** An event that is a cause: what comes of it is found at once, and looking ends there. */
const finder =
  (engine: Engine): FindEvent =>
  async (id) => {
    if (!UUID.test(id)) return undefined
    const { entries } = await engine.audit({ event: id }, { limit: 1 })
    return entries[0]?.event
  }

const auditWriter = (engine: Engine): Write => {
  const records = new AuditRecords(paintFor(process.stdout), finder(engine))
  return async (event) => writeLine(await records.record(event, widthNow()))
}

const writerFor = (engine: Engine, { json, audit }: ReplayOptions): Write => {
  if (json === true) return (event) => writeLine(jsonLine(event))
  return audit === true ? auditWriter(engine) : rowWriter()
}

const wanted = (options: ReplayOptions): EngineReplayOptions => {
  const { from, to, since, until, streams, categories, types, labels, agent, correlation } = options
  const given = { from, to, since, until, streams, categories, types, labels, agent, correlation }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Writes event after event, until there were enough or nobody wants more; returns how many. */
const show = async (engine: Engine, options: ReplayOptions, interruption: Interruption): Promise<number> => {
  const { archive } = options
  const found = archive === undefined ? engine.replay(wanted(options)) : engine.archived(archive)
  const events = found[Symbol.asyncIterator]()
  const write = writerFor(engine, options)
  const most = options.limit ?? Number.POSITIVE_INFINITY
  let written = 0
  // A page that is on its way is not waited for.
  void interruption.requested.then(() => events.return?.())
  try {
    while (written < most && !interruption.isRequested) {
      const next = await events.next()
      if (next.done === true) break
      await write(next.value)
      written += 1
    }
    return written
  } finally {
    await events.return?.()
  }
}

/** `tidemark replay`, also into a schema. */
export interface ReplayCommand extends ReplayOptions, Partial<WhatIfCommand> {}

const isWhatIf = (options: ReplayCommand): options is ReplayCommand & WhatIfCommand =>
  options.into !== undefined

/** `tidemark replay`: shows the past of the log. One that was interrupted is not all of it, and says so by its exit code. */
export const replay = async (options: ReplayCommand): Promise<ExitCode> => {
  if (isWhatIf(options)) return whatIf(options)
  const astray = ONLY_INTO.find((name) => options[name] !== undefined)
  if (astray !== undefined)
    throw new InvalidArgument({ problem: `--${astray} is for a replay into a schema: give --into as well` })
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const written = await show(engine, options, interruption)
  if (interruption.isRequested) return ExitCode.interrupted
  if (written === 0 && options.json !== true)
    sayOnStandardError(options.archive === undefined ? NOTHING : NOTHING_ARCHIVED)
  return ExitCode.ok
}
