import { lineLogger } from "../../engine/line-logger.ts"
import { openWorkshop, type Workshop } from "../../engine/workshop.ts"
import { InvalidArgument, type ProjectionDefinition } from "../../index.ts"
import { ExitCode } from "../exit-code.ts"
import { Interruption } from "../interruption.ts"
import { placeFor, type PlaceOptions, sayOnStandardError, schemaOf } from "../place.ts"
import { definitionsOf } from "./definitions.ts"
import { givingUp } from "./giving-up.ts"
import { reportText } from "./progress-view.ts"

export interface RebuildOptions extends PlaceOptions {
  /** The name of a read model. */
  readonly subject?: string | undefined
  readonly all?: boolean
  readonly module?: string
  readonly verify?: boolean
  readonly keep?: number
  readonly force?: boolean
  readonly json?: boolean
}

export interface RollbackOptions extends PlaceOptions {
  readonly subject?: string | undefined
  readonly json?: boolean
}

/** A log that is opened to build read models in it. */
export const opened = async (options: PlaceOptions): Promise<Workshop & AsyncDisposable> => {
  const place = await placeFor(options, sayOnStandardError)
  try {
    const workshop = await openWorkshop({
      database: place.database,
      ...schemaOf(options),
      logger: lineLogger(({ text }) => sayOnStandardError(text))
    })
    return {
      ...workshop,
      [Symbol.asyncDispose]: async () => {
        await workshop[Symbol.asyncDispose]()
        await place.leave()
      }
    }
  } catch (thrown) {
    await place.leave()
    throw thrown
  }
}

/** Those that are meant, of a module or of every engine's; without a name or --all, a module's are. */
const chosen = async (
  { subject, all, module }: RebuildOptions,
  builtIn: ReadonlyArray<ProjectionDefinition>
): Promise<ReadonlyArray<ProjectionDefinition>> => {
  const given = module === undefined ? builtIn : await definitionsOf(module)
  if (subject === undefined) {
    if (all === true || module !== undefined) return given
    throw new InvalidArgument({ problem: "No read model is named: name one, or say --all" })
  }
  if (all === true) throw new InvalidArgument({ problem: "Name a read model, or say --all, not both" })
  const found = given.find(({ name }) => name === subject)
  if (found !== undefined) return [found]
  const known = given.map(({ name }) => name).join(", ")
  const where =
    module === undefined ? "Of your own, name the module that defines it with --module" : "Name another"
  throw new InvalidArgument({
    problem: `There is no read model ${JSON.stringify(subject)} among ${known}. ${where}`
  })
}

/** `tidemark rebuild`: builds read models again from the log, one after the other. */
export const rebuild = async (options: RebuildOptions): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using workshop = await opened(options)
  const { verify = false, force = false, keep, json = false } = options
  return await givingUp(interruption, "the live tables are as they were", async (view, signal) => {
    for (const definition of await chosen(options, workshop.builtIn)) {
      const report = await workshop.rebuild(definition, {
        verify,
        force,
        signal,
        ...(keep === undefined ? {} : { keep }),
        ...(json ? {} : { onProgress: (progress) => view.show(progress) })
      })
      view.clear()
      process.stdout.write(`${json ? JSON.stringify(report) : reportText(report)}\n`)
    }
  })
}

/** `tidemark rollback`: shows the generation before the live one again. */
export const rollback = async (options: RollbackOptions): Promise<ExitCode> => {
  const { subject = "", json = false } = options
  await using workshop = await opened(options)
  const report = await workshop.rollback(subject)
  const { from, to, position } = report
  const text = `${subject}: generation ${from.generation} → ${to.generation} (version ${to.version}), at position ${position}; ${from.generation} is kept`
  process.stdout.write(`${json ? JSON.stringify(report) : text}\n`)
  return ExitCode.ok
}
