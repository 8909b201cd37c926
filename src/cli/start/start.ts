import type { Engine } from "../../index.ts"
import type { Place } from "../../engine/place.ts"
import { ExitCode } from "../exit-code.ts"
import { Interruption } from "../interruption.ts"
import { openAt, placeFor, type PlaceOptions, type Say, sayOnStandardError } from "../place.ts"
import { Screen } from "../terminal/screen.ts"
import { DEFAULT_THRESHOLDS } from "./limits.ts"
import { notice } from "./live-view.ts"
import { Run } from "./run.ts"
import { summaryLines } from "./summary.ts"
import type { Threshold } from "./threshold.ts"

export interface StartOptions extends PlaceOptions {
  /** Ends by itself after that many seconds. */
  readonly seconds?: number
  /** Replaces the default thresholds. */
  readonly threshold?: ReadonlyArray<Threshold>
  /** The summary as JSON, and nothing else. */
  readonly json?: boolean
}

const MS_PER_SECOND = 1000

/** How long closing may take where the log is out of reach, in ms: the engine would go on trying for longer. */
const CLOSE_MS = 3_000

const leaveWithin = (ms: number): void => {
  setTimeout(() => process.exit(ExitCode.failure), ms).unref()
}

const describeServer = ({ version, joined, directory }: NonNullable<Place["embedded"]>): string =>
  `embedded PostgreSQL ${version} ${joined ? "joined, which was running" : "started"}; its data live in ${directory}`

const describePlace = (place: Place): string =>
  place.embedded === undefined ? `PostgreSQL at ${place.where}` : describeServer(place.embedded)

const describeLog = (settled: number): string =>
  settled === 0 ? "a new log begins" : `continuing at position ${settled}`

/** Runs the agents and the view until it is interrupted, or the time is over. */
const runUntilAsked = async (
  engine: Engine,
  place: Place,
  screen: Screen | undefined,
  interruption: Interruption,
  options: StartOptions,
  say: Say
): Promise<ExitCode> => {
  const from = await engine.settled()
  say(describeLog(from))
  const run = new Run({
    engine,
    screen,
    from,
    say,
    limits: options.threshold ?? DEFAULT_THRESHOLDS,
    directory: place.embedded?.directory,
    measureMs: place.measureMs
  })
  const timer =
    options.seconds === undefined
      ? undefined
      : setTimeout(() => interruption.request(), options.seconds * MS_PER_SECOND)
  try {
    await run.begin()
    await Promise.race([interruption.requested, run.failed])
  } catch (error) {
    await run.end()
    throw error
  } finally {
    clearTimeout(timer)
  }
  if (options.seconds === undefined) say("stopping …")
  const { summary, isClean } = await run.end()
  if (screen === undefined) process.stdout.write(`${JSON.stringify(summary)}\n`)
  else await screen.print(["", ...summaryLines(summary, screen.paint)].join("\n"))
  if (isClean) return ExitCode.ok
  leaveWithin(CLOSE_MS)
  return ExitCode.failure
}

/** `tidemark start`: the main job, on what this machine measures of itself. */
export const start = async (options: StartOptions): Promise<ExitCode> => {
  const screen = options.json === true ? undefined : new Screen(process.stdout)
  const say: Say = screen === undefined ? sayOnStandardError : (text) => void notice(screen, text)
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  try {
    screen?.show(() => [` ${screen.paint("starting …", "dim")}`])
    await using place = await placeFor(options, say)
    say(describePlace(place))
    await using engine = await openAt(place, options, say, "keep")
    if (interruption.isRequested) return ExitCode.ok
    return await runUntilAsked(engine, place, screen, interruption, options, say)
  } finally {
    screen?.close()
  }
}
