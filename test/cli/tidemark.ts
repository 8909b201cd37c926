import { spawn } from "node:child_process"
import path from "node:path"
import { stripVTControlCharacters } from "node:util"
import { type Collector, collector, deferred, inTime, type Wait } from "../support/eventually.ts"
import { eachLine } from "../support/lines.ts"
import type { Exit } from "../support/process.ts"
import { currentRun } from "../support/run.ts"

/** Starting Node and an engine takes longer on a busy machine than what is awaited then. */
const patience: Wait = { within: 25_000 }

export type Tidemark = AsyncDisposable & {
  readonly pid: number
  /** Its standard output and its standard error, whole lines. */
  readonly stdout: Collector<string>
  readonly stderr: Collector<string>
  /** Closes its standard output, as `head` does when it has enough. */
  readonly stopReading: () => void
  readonly signal: (signal: NodeJS.Signals) => void
  readonly exited: () => Promise<Exit>
}

export type TidemarkOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Starts `tidemark` as a process of its own. */
export const tidemark = (args: ReadonlyArray<string>, { env = {}, cwd }: TidemarkOptions = {}): Tidemark => {
  const file = path.join(currentRun().workers, "tidemark.js")
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd })
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`could not start ${file}`)
  const stdout = collector<string>()
  const stderr = collector<string>()
  const exit = deferred<Exit>()
  eachLine(child.stdout, stdout.push)
  eachLine(child.stderr, stderr.push)
  child.once("close", (code, signal) => {
    const over = new Error(
      `tidemark ${args.join(" ")} ended (${signal ?? code}):\n${stderr.items.join("\n")}`
    )
    stdout.end(over)
    stderr.end(over)
    exit.resolve({ code, signal })
  })
  const exited = (): Promise<Exit> =>
    inTime(exit.promise, { ...patience, what: `tidemark ${args.join(" ")} to end` }, () => stdout.items)
  return {
    pid,
    stdout,
    stderr,
    stopReading: () => void child.stdout.destroy(),
    signal: (signal) => void child.kill(signal),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL")
      await exited()
    }
  }
}

/** Resolves with the first line of the standard output that matches. */
export const saysThat = (process: Tidemark, pattern: RegExp): Promise<string> =>
  process.stdout.first((line) => pattern.test(line), { ...patience, what: String(pattern) })

export type Ran = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `tidemark` to its end. */
export const run = async (args: ReadonlyArray<string>, options: TidemarkOptions = {}): Promise<Ran> => {
  await using running = tidemark(args, options)
  const { code } = await running.exited()
  return { code, stdout: running.stdout.items.join("\n"), stderr: running.stderr.items.join("\n") }
}

/** Whether a text is as a file should hold it: printable, tabs and newlines. */
export const isPlain = (text: string): boolean =>
  // eslint-disable-next-line no-control-regex
  stripVTControlCharacters(text) === text && !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)
