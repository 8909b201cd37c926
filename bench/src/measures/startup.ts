import { fork } from "node:child_process"
import { once } from "node:events"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Measure } from "../bench.ts"
import { figure } from "../figure.ts"
import { median } from "../quantile.ts"

/** Milliseconds from starting Node to the first acknowledged emit, on a server that did not exist before. */
const turn = async (): Promise<number> => {
  const directory = join(tmpdir(), `tidemark-bench-startup-${process.pid}-${Date.now()}`)
  try {
    const began = performance.now()
    const child = fork(new URL("../startup-process.js", import.meta.url), [directory], {
      stdio: ["ignore", 2, 2, "ipc"]
    })
    const exit = once(child, "exit")
    const first = await Promise.race([once(child, "message").then(() => "emitted"), exit])
    const took = performance.now() - began
    if (first !== "emitted") throw new Error("The process ended before its first emit.")
    await exit
    return took
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export const startup: Measure = {
  figures: ["startup.embedded.ms"],
  run: async (bench) => {
    const turns: Array<number> = []
    for (let round = 1; round <= bench.rounds; round += 1) turns.push(await turn())
    return [figure("startup.embedded.ms", "ms", median(turns))]
  }
}
