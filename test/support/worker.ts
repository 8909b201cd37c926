import { writeSync } from "node:fs"
import { eachLine } from "./lines.ts"

// For the programs in test/workers: their side of process.ts. One JSON value a line, on stdout and stdin.

const stdout = 1

/** What the test handed over in `input`. */
export const input = <A>(): A => JSON.parse(process.argv[2] ?? "null") as A

/** Says a value to the test. Written before it returns, so that a SIGKILL right after cannot unsay it. */
export const say = (value: unknown): void => {
  let rest: Uint8Array = Buffer.from(`${JSON.stringify(value)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(stdout, rest))
    } catch (error) {
      // The pipe is full and does not block: the test reads it in a moment.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
    }
  }
}

const early: Array<unknown> = []
let listener = (value: unknown): void => void early.push(value)

// The test's process holds the other end: when it is gone, whichever way, so are its workers.
eachLine(process.stdin, (line) => listener(JSON.parse(line)))
process.stdin.once("end", () => process.exit())
process.stdin.unref()

/** Calls back for each value the test sends, and keeps the worker alive for more. */
export const heard = (callback: (value: unknown) => void): void => {
  process.stdin.ref()
  listener = callback
  early.splice(0).forEach((value) => callback(value))
}
