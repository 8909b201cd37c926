import { type Engine, open } from "../index.ts"
import { lineLogger } from "../engine/line-logger.ts"
import { findPlace, type Place } from "../engine/place.ts"

/** Where the log is, as every command takes it. */
export interface PlaceOptions {
  readonly config?: string
  readonly database?: string
  readonly schema?: string
  readonly directory?: string
  readonly verbose?: boolean
}

/** Says something beside the command's own output. */
export type Say = (text: string) => void

export const sayOnStandardError: Say = (text) => void process.stderr.write(`${text}\n`)

/** Finds the database, or starts one. */
export const placeFor = (options: PlaceOptions, say: Say): Promise<Place> =>
  findPlace({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(options.directory === undefined ? {} : { embedded: { directory: options.directory } }),
    onNotice: say
  })

/** What the command line says beside the place. */
export const saidOf = ({ config, schema }: PlaceOptions): Pick<PlaceOptions, "config" | "schema"> => ({
  ...(config === undefined ? {} : { config }),
  ...(schema === undefined ? {} : { schema })
})

/** Opens the log that is there; warnings are said, not logged. Who only looks leaves the read models to others. */
export const openAt = (
  place: Place,
  options: PlaceOptions,
  say: Say,
  readModels: "keep" | "follow"
): Promise<Engine> =>
  open({
    readModels,
    ...saidOf(options),
    database: place.database,
    logger: lineLogger(({ text }) => say(text))
  })
