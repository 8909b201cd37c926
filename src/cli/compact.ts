import type { Engine } from "../index.ts"
import { ExitCode } from "./exit-code.ts"
import { writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { counted, size } from "./terminal/quantity.ts"
import { table } from "./terminal/table.ts"
import { jsonLine } from "./terminal/text.ts"

export interface CompactCommand extends PlaceOptions {
  readonly agent?: string
  /** In days. */
  readonly olderThan?: number
  readonly dryRun?: boolean
  readonly json?: boolean
}

type Compacted = Awaited<ReturnType<Engine["states"]["compact"]>>

const MS_PER_DAY = 24 * 60 * 60 * 1_000

/** For people: what of which branch, and what it comes to. */
const textOf = (compacted: Compacted, isDry: boolean): ReadonlyArray<string> => {
  const did = isDry ? "would be let go of" : "were let go of"
  const values = compacted.reduce((sum, one) => sum + one.values, 0)
  const bytes = compacted.reduce((sum, one) => sum + one.bytes, 0)
  const total = `${counted(values, "value")} (${size(bytes)}) ${did}; every version can still be read`
  if (compacted.length === 0) return [total]
  const rows = compacted.map(({ agent, branch, before, values: count, bytes: of }) => [
    agent,
    branch,
    before,
    count,
    size(of)
  ])
  return [...table([["agent", "branch", "before version", "values", "size"], ...rows]), "", total]
}

/** `tidemark compact`: lets go of values of old versions of states that nothing names. */
export const compact = async (options: CompactCommand): Promise<ExitCode> => {
  const { agent, olderThan, dryRun = false, json = false } = options
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "keep")
  const compacted = await engine.states.compact({
    dryRun,
    ...(agent === undefined ? {} : { agent }),
    ...(olderThan === undefined ? {} : { olderThanMs: olderThan * MS_PER_DAY })
  })
  for (const line of json ? compacted.map((one) => jsonLine(one)) : textOf(compacted, dryRun))
    await writeLine(line)
  return ExitCode.ok
}
