import { spawn } from "node:child_process"
import path from "node:path"
import { deferred, inTime, type Wait } from "../support/eventually.ts"
import { currentRun } from "../support/run.ts"
import { Terminal } from "./terminal.ts"

/** Starting Node and an engine takes longer on a busy machine than what is awaited then. */
const patience: Wait = { within: 25_000 }

const howToInstall =
  "the program `script` is not there, which gives this test a terminal: install bsdutils (Debian, Ubuntu) or util-linux"

/** The beginning of a control code whose rest is still to come. */
// eslint-disable-next-line no-control-regex
const cutOff = /\x1b(?:\[\??\d*)?$/

export type OnTerminal = AsyncDisposable & {
  /** What is on the terminal now. */
  readonly terminal: Terminal
  /** Types on its keyboard. */
  readonly type: (keys: string) => void
  readonly isOver: boolean
  /** The exit code of the program. */
  readonly exited: () => Promise<number | null>
}

/** Starts `tidemark` on a terminal of its own, so many columns wide. */
export const tidemarkOn = (
  columns: number,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): OnTerminal => {
  const file = path.join(currentRun().workers, "tidemark.js")
  const program = [process.execPath, file, ...args].map((part) => `'${part}'`).join(" ")
  const child = spawn("script", ["-qefc", `stty cols ${columns} rows 40; exec ${program}`, "/dev/null"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      SHELL: "/bin/sh",
      TERM: "xterm",
      NO_COLOR: "1",
      ...env
    },
    stdio: ["pipe", "pipe", "inherit"]
  })
  const terminal = new Terminal(columns)
  const exit = deferred<number | null>()
  let rest = ""
  let isOver = false
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const known = rest + text
    rest = cutOff.exec(known)?.[0] ?? ""
    terminal.write(known.slice(0, known.length - rest.length))
  })
  child.once("error", (error: NodeJS.ErrnoException) => {
    isOver = true
    exit.reject(error.code === "ENOENT" ? new Error(howToInstall) : error)
  })
  child.once("close", (code) => {
    isOver = true
    exit.resolve(code)
  })
  const exited = () =>
    inTime(exit.promise, { ...patience, what: "tidemark on a terminal to end" }, () => terminal.text)
  return {
    terminal,
    get isOver() {
      return isOver
    },
    type: (keys) => void child.stdin.write(keys),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM")
      // Whoever waits for its end is told why it did not start.
      await exited().catch(() => undefined)
    }
  }
}
