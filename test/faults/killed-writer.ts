import { expect } from "vitest"
import { History, type Meant, type Place } from "../support/history.ts"
import { startWorker } from "../support/process.ts"
import { random } from "../support/random.ts"
import { readToEnd, startReader, wholeLog } from "./scene.ts"
import type { Engine } from "../../src/index.ts"

type Said = { readonly sent: ReadonlyArray<Meant> } | { readonly acknowledged: ReadonlyArray<Place> }

export type KilledWriterOptions = {
  readonly seed: number
  readonly database: string
  /** The engine that reads what the killed ones wrote. */
  readonly engine: Engine
  /** Acknowledged emits in sum. */
  readonly acknowledged: number
  readonly kills: number
}

const callers = 16
const streams = 20

/** Writer processes, each killed by SIGKILL at a random moment under full load, until enough emits were acknowledged. */
export const killedWriters = async ({ seed, database, engine, acknowledged, kills }: KilledWriterOptions) => {
  const { between } = random(seed)
  const history = new History()
  const reader = await startReader(engine, history)
  const share = Math.ceil(acknowledged / kills)
  let emits = 0
  while (emits < acknowledged) {
    await using worker = startWorker<Said>("emitter", { input: { database, callers, streams } })
    // Every acknowledgement was announced before, so that these are about as many of one as of the other.
    await worker.says(2 * share + between(0, 2 * callers), { within: 20_000 })
    await worker.kill()
    for (const said of worker.said) {
      if ("sent" in said) history.sent(said.sent)
      else {
        history.acknowledged(said.acknowledged)
        emits += 1
      }
    }
  }
  await readToEnd(engine, history, reader)
  expect(emits).toBeGreaterThanOrEqual(acknowledged)
  // A kill between two emits of every caller would prove nothing.
  expect(history.unanswered).toBeGreaterThan(0)
  expect(history.violations(await wholeLog(database))).toEqual([])
}
