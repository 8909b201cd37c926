#!/usr/bin/env node
import { readFileSync } from "node:fs"
import { CommanderError } from "commander"
import { ExitCode } from "./exit-code.ts"
import { failureText } from "./failure.ts"
import { type Commands, program } from "./program.ts"

/** Each command is loaded when it runs: the help and mistakes of the command line are answered at once. */
const commands: Commands = {
  start: async (options) => (await import("./start/start.ts")).start(options),
  setup: async (options) => (await import("./setup/setup.ts")).setup(options),
  migrate: async (options) => (await import("./migrate.ts")).migrate(options),
  tail: async (options) => (await import("./tail.ts")).tail(options),
  replay: async (options) => (await import("./replay.ts")).replay(options),
  audit: async (options) => (await import("./audit.ts")).audit(options),
  status: async (options) => (await import("./status.ts")).status(options),
  rebuild: async (options) => (await import("./rebuild/rebuild.ts")).rebuild(options),
  compact: async (options) => (await import("./compact.ts")).compact(options),
  maintain: async (options) => (await import("./maintain.ts")).maintain(options),
  retention: async (options) => (await import("./retention.ts")).retention(options),
  health: async (options) => (await import("./health.ts")).health(options),
  doctor: async (options) => (await import("./doctor.ts")).doctor(options),
  rollback: async (options) => (await import("./rebuild/rebuild.ts")).rollback(options)
}

/** Found from the folder of the schema, which is in the same place for the sources and for what they are built to. */
const version = (): string => {
  const file = new URL("../package.json", import.meta.resolve("#schema/README.md"))
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version
}

/** Whoever reads us may stop reading, as `head` does: then there is nothing more to do. */
const NO_READER = "EPIPE"

/** The terminal was closed. The signal that comes with it asks for a clean end, which needs no output. */
const NO_TERMINAL = "EIO"

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === NO_READER) process.exit(ExitCode.ok)
  if (error.code !== NO_TERMINAL) throw error
})

/** --json behind a lone `--` is no flag. */
const wantsJson = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return (end === -1 ? args : args.slice(0, end)).includes("--json")
}

/** What cannot be understood of the command line, as every other failure under --json. */
const usageText = ({ message }: CommanderError): string =>
  failureText(
    { name: "UsageError", message: message.replace(/^error: /, ""), exitCode: ExitCode.usage },
    true
  )

const run = async (): Promise<ExitCode> => {
  let code: ExitCode = ExitCode.ok
  const isForPrograms = wantsJson(process.argv)
  const report = (reported: ExitCode): void => {
    code = reported
  }
  const tidemark = program(commands, version(), report, isForPrograms)
  try {
    await tidemark.parseAsync(process.argv)
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return ExitCode.ok
    if (isForPrograms) process.stderr.write(`${usageText(error)}\n`)
    return ExitCode.usage
  }
}

process.exitCode = await run()
