import { lineLogger } from "../../engine/line-logger.ts"
import type { RebuildProgress } from "../../engine/rebuilding.ts"
import { openWorkshop, type Workshop } from "../../engine/workshop.ts"
import { ExitCode } from "../exit-code.ts"
import { untilGivenUp } from "../giving-up.ts"
import { Interruption } from "../interruption.ts"
import { placeFor, type PlaceOptions, sayOnStandardError, saidOf } from "../place.ts"
import { ProgressView } from "./progress-view.ts"

/** A log that is opened to build read models in it. */
export const opened = async (options: PlaceOptions): Promise<Workshop & AsyncDisposable> => {
  const place = await placeFor(options, sayOnStandardError)
  try {
    const workshop = await openWorkshop({
      database: place.database,
      ...saidOf(options),
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

/** Where a command builds. */
export interface Workbench {
  readonly workshop: Workshop
  /** What every piece of work takes: when to give up, and whom to tell how far it is. */
  readonly watched: {
    readonly signal: AbortSignal
    readonly onProgress?: (progress: RebuildProgress) => void
  }
  /** Writes what came of it: as JSON where that is wanted, else as text. */
  readonly report: <Report>(report: Report, textOf: (report: Report) => string) => void
}

export interface WorkbenchOptions extends PlaceOptions {
  readonly json?: boolean
}

/** Builds until it is done or the user gives it up, and then says what that means. */
export const atWorkbench = async (
  options: WorkbenchOptions,
  givenUp: string,
  work: (bench: Workbench) => Promise<void>
): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using workshop = await opened(options)
  const { json = false } = options
  const view = new ProgressView(process.stderr)
  const build = async (signal: AbortSignal): Promise<ExitCode> => {
    await work({
      workshop,
      watched: json ? { signal } : { signal, onProgress: (progress) => view.show(progress) },
      report: (report, textOf) => {
        view.clear()
        process.stdout.write(`${json ? JSON.stringify(report) : textOf(report)}\n`)
      }
    })
    return ExitCode.ok
  }
  return await untilGivenUp(interruption, givenUp, build, () => view.clear())
}
