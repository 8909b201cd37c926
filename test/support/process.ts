import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import path from "node:path"
import { collector, deferred, inTime, type Wait } from "./eventually.ts"
import { eachLine } from "./lines.ts"
import { currentRun } from "./run.ts"

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type Worker<Said> = AsyncDisposable & {
  readonly pid: number
  /** Everything the worker has said so far. */
  readonly said: ReadonlyArray<Said>
  /** Resolves with the first `count` values as soon as there are as many. Fails at once when the worker ends before. */
  readonly says: (count: number, wait?: Wait) => Promise<ReadonlyArray<Said>>
  /** Resolves with the first value, past or to come, that matches. Fails at once when the worker ends before. */
  readonly saysThat: (matches: (said: Said) => boolean, wait?: Wait) => Promise<Said>
  readonly send: (value: unknown) => void
  /** Sends the signal and waits for the end; by then all the worker said is in `said`. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<Exit>
  readonly exited: Promise<Exit>
  /** The last of its stderr. */
  readonly stderr: string
}

export type WorkerOptions = {
  /** A value for the worker's `input()`; it has to survive JSON. */
  readonly input?: unknown
  readonly env?: Readonly<Record<string, string>>
}

const stderrKept = 16_384

/** Starts test/workers/<name>.ts as a process of its own. End it with `kill`, or declare it with `await using`. */
export const startWorker = <Said = unknown>(
  name: string,
  { input = null, env = {} }: WorkerOptions = {}
): Worker<Said> => {
  const file = path.join(currentRun().workers, `${name}.js`)
  if (!existsSync(file)) throw new Error(`there is no worker test/workers/${name}.ts`)
  const child = spawn(process.execPath, [file, JSON.stringify(input)], {
    // Vitest's own NODE_OPTIONS and the like are for its processes, not for a plain Node.
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["pipe", "pipe", "pipe"]
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`could not start ${file}`)

  const said = collector<Said>()
  const exit = deferred<Exit>()
  let stderr = ""
  eachLine(child.stdout, (line) => {
    try {
      said.push(JSON.parse(line) as Said)
    } catch (cause) {
      said.end(new Error(`the worker ${name} wrote a line to stdout that is not JSON: ${line}`, { cause }))
    }
  })
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk).slice(-stderrKept)))
  // Writing to a worker that has just been killed is no news.
  child.stdin.on("error", () => {})
  child.once("close", (code, signal) => {
    said.end(
      new Error(`the worker ${name} ended (${signal ?? code}) before it said what was awaited:\n${stderr}`)
    )
    exit.resolve({ code, signal })
  })

  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    child.kill(signal)
    return inTime(exit.promise, { what: `the worker ${name} to end after ${signal}` }, () => stderr)
  }

  return {
    pid,
    said: said.items,
    says: (count, wait) => said.reaches(count, wait),
    saysThat: (matches, wait) => said.first(matches, wait),
    send: (value) => void child.stdin.write(`${JSON.stringify(value)}\n`),
    kill,
    exited: exit.promise,
    get stderr() {
      return stderr
    },
    [Symbol.asyncDispose]: async () => void (await kill())
  }
}
