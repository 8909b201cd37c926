import { randomUUID } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { open, OutcomeUnknown } from "../../src/index.ts"
import { type Handling, now, type Said } from "../nemesis/judge.ts"
import { random } from "../support/random.ts"
import { heard, input, say } from "../support/worker.ts"

// A process of a fleet: it emits, it handles two durable subscriptions together with the others, and it says what it does.

const { database, seed, callers, streams, leaseMs } = input<{
  readonly database: string
  readonly seed: number
  readonly callers: number
  readonly streams: number
  readonly leaseMs: number
}>()

const { between, chance } = random(seed)
const tells = (said: Said): void => say(said)

/** How often a handler fails, and how long it takes at most, in ms. */
const FAILS = 0.01
const LONGEST_MS = 3
const LONGEST_PAUSE_MS = 60
const MOST_EVENTS = 3

const engine = await open({ database, leaseMs, logger: false })

const retry = { attempts: 1_000, firstMs: 5, longestMs: 50 }

await engine.subscribe(
  { name: "plain", from: "start", categories: ["order"], partitions: 8, retry },
  async (event, { partition, epoch }) => {
    const { position, stream, version } = event
    const { pid } = process
    const handling = (): Handling => ({ position, stream, version, partition, epoch, pid, at: now() })
    tells({ begins: handling() })
    if (chance(0.2)) await pause(between(0, LONGEST_MS))
    if (chance(FAILS)) throw new Error("of bad luck")
    tells({ ends: handling() })
  }
)

await engine.subscribe(
  { name: "exact", from: "start", categories: ["order"], partitions: 4, transactional: true, retry },
  async ({ position, stream, version }, { tx }) => {
    await tx.query("insert into effects (position, stream, version) values ($1, $2, $3)", [
      position,
      stream,
      version
    ])
    if (chance(FAILS)) throw new Error("of bad luck")
  }
)

let isStopping = false

const caller = async () => {
  while (!isStopping) {
    const stream = `order-${between(1, streams)}`
    const meant = Array.from({ length: between(1, MOST_EVENTS) }, () => {
      const id = randomUUID()
      return { id, stream, content: `${stream} ${id}` }
    })
    tells({ sent: meant })
    const events = meant.map(({ id, content }) => ({ type: "happened", id, data: { content } }))
    try {
      const appended = await engine.emit(stream, events)
      tells({ acknowledged: appended.events })
    } catch (error) {
      // Unknown may be either; everything else says that nothing was done.
      if (!(error instanceof OutcomeUnknown)) tells({ refused: meant[0]!.id })
    }
    await pause(between(0, LONGEST_PAUSE_MS))
  }
}

heard((asked) => {
  if (asked === "stop emitting") isStopping = true
})
tells({ opened: true })
await Promise.all(Array.from({ length: callers }, caller))
