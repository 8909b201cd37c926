import { type Cause, Layer, Logger, type LogLevel, References } from "effect"
import { destination, type Level, type Logger as Pino, pino } from "pino"
import { redacted, redactedError, redactedText } from "./redaction.ts"

const DEFAULT_LEVEL: Level = "warn"

const STANDARD_ERROR = 2

const LEVELS: Record<LogLevel.LogLevel, Level> = {
  All: "trace",
  Trace: "trace",
  Debug: "debug",
  Info: "info",
  Warn: "warn",
  Error: "error",
  Fatal: "fatal",
  None: "trace"
}

const defaultPino = (): Pino =>
  pino({ name: "tidemark", level: DEFAULT_LEVEL }, destination({ dest: STANDARD_ERROR, sync: true }))

const isFields = (part: unknown): part is object =>
  typeof part === "object" && part !== null && !Array.isArray(part) && !(part instanceof Error)

const textOf = (part: unknown): string =>
  typeof part === "string" ? redactedText(part) : (JSON.stringify(redacted(part)) ?? String(part))

const errorsOf = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> =>
  cause.reasons.flatMap((reason) => {
    if (reason._tag === "Interrupt") return []
    return [reason._tag === "Fail" ? reason.error : reason.defect]
  })

/** The first error, and the others beside it where pino's serialiser looks for them. */
const errorFields = (errors: ReadonlyArray<unknown>): { readonly err?: Error } => {
  const [err, ...others] = errors.map((error) => redactedError(error))
  if (err === undefined) return {}
  if (others.length > 0) Object.defineProperty(err, "errors", { value: others })
  return { err }
}

const bridge = (to: Pino): Logger.Logger<unknown, void> =>
  Logger.make(({ message, logLevel, cause, fiber }) => {
    const level = LEVELS[logLevel]
    if (!to.isLevelEnabled(level)) return
    const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
    const errors = [...errorsOf(cause), ...parts.filter((part) => part instanceof Error)]
    const texts = parts.filter((part) => !isFields(part) && !(part instanceof Error))
    const fields = parts.filter(isFields)
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const record = {
      ...(redacted(Object.assign({}, annotations, ...fields)) as object),
      ...errorFields(errors)
    }
    to[level](record, texts.map(textOf).join(" "))
  })

/**
 * Where the engine's log goes: to the pino given; by default, warnings and errors as JSON lines on standard error; `false`
 * for nowhere. Passwords and connection strings are blanked before pino sees them.
 */
export const loggerLayer = (logger: Pino | false | undefined): Layer.Layer<never> =>
  logger === false
    ? Layer.merge(Logger.layer([]), Layer.succeed(References.MinimumLogLevel, "None"))
    : Layer.merge(
        Logger.layer([bridge(logger ?? defaultPino())]),
        // The level is pino's to decide, and its owner may change it at any time.
        Layer.succeed(References.MinimumLogLevel, "All")
      )
