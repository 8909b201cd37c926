import { type Event, open, type ReplayOptions } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that replays a log, and says how much it got, in which order, and how its heap grew after the first events.

const { database, options } = input<{ readonly database: string; readonly options: ReplayOptions }>()

/** From here on everything is there that is made once. */
const WARM = 10_000
const LOOK_EVERY = 10_000

const heapAfterCollection = (): number => {
  global.gc?.()
  return process.memoryUsage().heapUsed
}

const engine = await open({ database, logger: false, readModels: "follow" })
let count = 0
let last = 0
let isInOrder = true
let warmHeap = 0
let highest = 0

const take = ({ position }: Event): void => {
  count += 1
  isInOrder &&= position > last
  last = position
  if (count === WARM) warmHeap = heapAfterCollection()
  else if (count > WARM && count % LOOK_EVERY === 0) highest = Math.max(highest, heapAfterCollection())
}

const began = performance.now()
for await (const event of engine.replay(options)) take(event)
say({ count, isInOrder, grownBy: highest - warmHeap, ms: performance.now() - began })
await engine.close()
