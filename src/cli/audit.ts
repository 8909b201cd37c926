import type { Audit, AuditSubject } from "../index.ts"
import { ExitCode } from "./exit-code.ts"
import { failureText } from "./failure.ts"
import { Interruption } from "./interruption.ts"
import { widthNow, writeLine } from "./output.ts"
import { openAt, placeFor, type PlaceOptions, sayOnStandardError } from "./place.ts"
import { auditTree } from "./terminal/audit-tree.ts"
import { paintFor } from "./terminal/palette.ts"
import { counted } from "./terminal/quantity.ts"
import { jsonLine } from "./terminal/text.ts"

export interface AuditOptions extends PlaceOptions {
  readonly subject: string
  readonly as?: "event" | "correlation" | "stream" | "agent"
  /** How many events at most. */
  readonly limit?: number
  readonly json?: boolean
}

const subjectOf = ({ subject, as }: AuditOptions): AuditSubject => {
  switch (as) {
    case "event":
      return { event: subject }
    case "correlation":
      return { correlation: subject }
    case "stream":
      return { stream: subject }
    case "agent":
      return { agent: subject }
    default:
      return subject
  }
}

const notFound = ({ subject, as, json }: AuditOptions): string => {
  const what =
    as === undefined
      ? "is, belongs to, is in or concerns"
      : { event: "is", correlation: "belongs to", stream: "is in", agent: "concerns" }[as]
  const message = `No event of this log ${what} ${JSON.stringify(subject)}. Look for its id with \`tidemark replay\`.`
  return failureText({ name: "NotFound", message, exitCode: ExitCode.failure }, json === true)
}

const write = async (audit: Audit, options: AuditOptions): Promise<void> => {
  if (options.json === true) {
    for (const entry of audit.entries) await writeLine(jsonLine(entry))
  } else {
    for (const line of auditTree(audit, paintFor(process.stdout), widthNow())) await writeLine(line)
  }
  if (!audit.isComplete)
    sayOnStandardError(
      `Not all of it is shown, but ${counted(audit.entries.length, "event")}. Give a higher --limit for more.`
    )
}

/** `tidemark audit`: shows what led to what. */
export const audit = async (options: AuditOptions): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using place = await placeFor(options, sayOnStandardError)
  await using engine = await openAt(place, options, sayOnStandardError, "follow")
  const limit = options.limit === undefined ? {} : { limit: options.limit }
  const found = await Promise.race([engine.audit(subjectOf(options), limit), interruption.requested])
  if (found === undefined) return ExitCode.interrupted
  if (found.entries.length === 0) {
    sayOnStandardError(notFound(options))
    return ExitCode.failure
  }
  await write(found, options)
  return ExitCode.ok
}
