import { migrate as migrateLog } from "../engine/migration.ts"
import { ExitCode } from "./exit-code.ts"
import { placeFor, type PlaceOptions, sayOnStandardError, saidOf } from "./place.ts"

export interface MigrateOptions extends PlaceOptions {
  readonly json?: boolean
  readonly grantWriter?: ReadonlyArray<string>
  readonly grantReader?: ReadonlyArray<string>
}

/** `tidemark migrate`: brings the schema up to date, and says what it did. */
export const migrate = async (options: MigrateOptions): Promise<ExitCode> => {
  await using place = await placeFor(options, sayOnStandardError)
  const { grantWriter: writers = [], grantReader: readers = [] } = options
  const { applied, schema } = await migrateLog({
    database: place.database,
    ...saidOf(options),
    writers,
    readers
  })
  const { where } = place
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ schema, database: where, applied, writers, readers })}\n`)
    return ExitCode.ok
  }
  const what = `schema "${schema}" of ${where}`
  const lines =
    applied.length === 0
      ? [`The ${what} is up to date.`]
      : [`The ${what} was migrated:`, ...applied.map((name) => `  ${name}`)]
  for (const role of writers) lines.push(`Role "${role}" may write it.`)
  for (const role of readers) lines.push(`Role "${role}" may read it.`)
  process.stdout.write(lines.map((line) => `${line}\n`).join(""))
  return ExitCode.ok
}
