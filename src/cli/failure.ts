import { ExitCode } from "./exit-code.ts"
import { jsonLine, printable } from "./terminal/text.ts"

/** What the user wrote cannot be used. */
const USAGE: ReadonlySet<string> = new Set([
  "BadConnectionString",
  "InvalidArgument",
  "InvalidConfiguration",
  "InvalidIdentifier",
  "InvalidName",
  "NoDatabase",
  "TlsFileUnreadable"
])

/** There is no database now. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  "AccessDenied",
  "BinariesMissing",
  "Busy",
  "ConnectionLost",
  "DirectoryInUse",
  "DirectoryNotOurs",
  "DirectoryUnreachable",
  "DiskFull",
  "NoFreePort",
  "NoRoom",
  "NoServerUser",
  "OtherMajorVersion",
  "ServerDidNotStart",
  "TlsRefused",
  "TlsUnverified",
  "Unavailable",
  "Unreachable"
])

const DID_NOT_EXPECT = "This was not expected. Run it again with --verbose to see where it came from."

/** The errors of the engine carry a tag; their messages say what was wrong and what to do. */
const tagOf = (error: unknown): string | undefined =>
  error instanceof Error && "_tag" in error && typeof error._tag === "string" ? error._tag : undefined

const exitCodeOf = (tag: string | undefined): ExitCode => {
  if (tag === undefined) return ExitCode.failure
  if (USAGE.has(tag)) return ExitCode.usage
  return UNAVAILABLE.has(tag) ? ExitCode.unavailable : ExitCode.failure
}

const causesOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const stack = error.stack ?? String(error)
  return error.cause === undefined ? stack : `${stack}\ncaused by ${causesOf(error.cause)}`
}

export interface Failure {
  /** The class of the error. */
  readonly name: string
  readonly message: string
  readonly exitCode: ExitCode
  /** Where it came from; only where that was asked for. */
  readonly stack?: string
}

/** What to tell about an error: its message; where it came from only when asked. */
export const failure = (error: unknown, verbose: boolean): Failure => {
  const tag = tagOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const known = {
    name: tag ?? (error instanceof Error ? error.name : "Error"),
    message: tag === undefined && !verbose ? `${message}\n${DID_NOT_EXPECT}` : message,
    exitCode: exitCodeOf(tag)
  }
  return verbose ? { ...known, stack: causesOf(error) } : known
}

/** A failure for standard error: prose, or with --json one line for programs. */
export const failureText = ({ name, message, stack }: Failure, json: boolean): string =>
  // JSON leaves out a stack that is undefined.
  json
    ? jsonLine({ error: { name, message, stack } })
    : `error: ${(stack ?? message).split("\n").map(printable).join("\n")}`

/** Whether stacks are wanted: --verbose, or DEBUG set to anything. */
export const isVerbose = (options: { readonly verbose?: boolean }): boolean =>
  options.verbose === true || (process.env["DEBUG"] ?? "") !== ""
