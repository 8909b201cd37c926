import { type ChildProcess, spawn } from "node:child_process"
import net from "node:net"
import { deferred, inTime } from "./eventually.ts"
import { eachLine } from "./lines.ts"
import { asUser, type ServerUser } from "./server-user.ts"

/** How a server of the tests is run and known to be ready. */
export type ServerProcessOptions = {
  /** What it is called in errors. */
  readonly what: string
  readonly user: ServerUser | undefined
  /** Its log says so on stderr when it serves. */
  readonly readyLine: RegExp
  /** In ms. */
  readonly startingWithin: number
  readonly stoppingWithin: number
}

/** One server program, as a process of the tests' own that may be started and ended again and again. */
export type ServerProcess = {
  /** Resolves when the server is ready; rejects with its log when it ends instead. */
  readonly start: (program: string, args: ReadonlyArray<string>) => Promise<void>
  /** Sends a signal and waits for the end; does nothing where it does not run. */
  readonly end: (signal: NodeJS.Signals) => Promise<void>
  /** The last lines of its log, over all its starts. */
  readonly log: ReadonlyArray<string>
  /** Has it started at a free port, and returns that. */
  readonly atFreePort: (start: (port: number) => Promise<void>) => Promise<number>
}

const linesKept = 200
const linesTold = 20
const portTakenLine = /Address already in use/
const portAttempts = 5

/** LC_ALL=C keeps the log in English, whatever the caller's language: we read it. */
export const serverEnvironment = () => ({ PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" })

export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const probe = net.createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })

export const serverProcess = ({
  what,
  user,
  readyLine,
  startingWithin,
  stoppingWithin
}: ServerProcessOptions): ServerProcess => {
  const log: Array<string> = []
  let running: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined
  const last = () => log.slice(-linesTold)

  const start = async (program: string, args: ReadonlyArray<string>) => {
    if (running !== undefined) throw new Error(`${what} runs already`)
    const child = spawn(program, args, {
      ...asUser(user),
      env: serverEnvironment(),
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"]
    })
    const ready = deferred()
    const ended = deferred()
    child.once("error", ready.reject)
    eachLine(child.stderr, (line) => {
      log.push(line)
      if (log.length > linesKept) log.shift()
      if (readyLine.test(line)) ready.resolve()
    })
    child.once("close", (code) => {
      running = undefined
      ended.resolve()
      ready.reject(new Error(`${what} ended with code ${code} instead of starting:\n${log.join("\n")}`))
    })
    running = { child, ended: ended.promise }
    await inTime(ready.promise, { within: startingWithin, what: `${what} to start` }, last)
  }

  const end = async (signal: NodeJS.Signals) => {
    if (running === undefined) return
    const { child, ended } = running
    child.kill(signal)
    await inTime(ended, { within: stoppingWithin, what: `${what} to stop (${signal})` }, last)
  }

  /** Between finding a free port and binding it somebody else may take it. */
  const atFreePort = async (startAt: (port: number) => Promise<void>) => {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort()
      try {
        await startAt(port)
        return port
      } catch (error) {
        if (attempt === portAttempts || !log.some((line) => portTakenLine.test(line))) throw error
        log.length = 0
      }
    }
  }

  return { start, end, log, atFreePort }
}
