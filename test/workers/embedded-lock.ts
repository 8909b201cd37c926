import { readFileSync, writeFileSync } from "node:fs"
import { lock } from "../../src/postgres/embedded/lock.ts"
import { input, say } from "../support/worker.ts"

// A process that adds to a number in a file, again and again, holding the lock while it reads and writes.

type Input = {
  readonly folder: string
  readonly file: string
  readonly times: number
  readonly dies: boolean
}

const { folder, file, times, dies } = input<Input>()
for (let time = 0; time < times; time++) {
  const held = await lock(folder)
  writeFileSync(file, String(Number(readFileSync(file, "utf8")) + 1))
  if (dies && time === times - 1) process.kill(process.pid, "SIGKILL")
  held.release()
}
say({ added: times })
