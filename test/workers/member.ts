import { randomUUID } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { open, OutcomeUnknown } from "../../src/index.ts"
import { type Handling, now, type Said } from "../nemesis/judge.ts"
import { folded, totals } from "../nemesis/totals.ts"
import { random } from "../support/random.ts"
import { heard, input, say } from "../support/worker.ts"

// A process of a fleet: it emits, it handles two durable subscriptions and folds two read models together with the others, it
// does to them what it is asked to do, and it says what it does.

const { database, seed, callers, streams, leaseMs } = input<{
  readonly database: string
  readonly seed: number
  readonly callers: number
  readonly streams: number
  readonly leaseMs: number
}>()

const { between, chance } = random(seed)
const tells = (said: Said): void => say(said)

/** How often a handler fails, how long it takes at most, in ms, and which events it fails on more often than not. */
const FAILS = 0.01
const FAILS_HARD = 0.6
const EVERY_HARD = 97
const LONGEST_MS = 3
const LONGEST_PAUSE_MS = 120
const MOST_EVENTS = 3

const fails = (position: number): boolean => chance(position % EVERY_HARD === 0 ? FAILS_HARD : FAILS)

const engine = await open({ database, leaseMs, logger: false })
await engine.project(folded)
await engine.project(totals)

const retry = { attempts: 3, firstMs: 5, longestMs: 50 }

const plain = await engine.subscribe(
  { name: "plain", from: "start", categories: ["order"], partitions: 8, retry },
  async (event, { partition, epoch }) => {
    const { position, stream, version } = event
    const { pid } = process
    const handling = (): Handling => ({ position, stream, version, partition, epoch, pid, at: now() })
    tells({ begins: handling() })
    if (chance(0.2)) await pause(between(0, LONGEST_MS))
    if (fails(position)) throw new Error("of bad luck")
    tells({ ends: handling() })
  }
)

const exact = await engine.subscribe(
  { name: "exact", from: "start", categories: ["order"], partitions: 4, transactional: true, retry },
  async ({ position, stream, version }, { tx }) => {
    const effect = [position, stream, version]
    await tx.query("insert into effects (position, stream, version) values ($1, $2, $3)", effect)
    tx.emit(stream.replace("order", "invoice"), {
      type: "invoiced",
      data: { position, stream, version }
    })
    if (fails(position)) throw new Error("of bad luck")
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

const subscriptions = { plain, exact }

/** What it may be asked to do. */
export type Asked =
  | { readonly verb: "stop emitting" }
  | { readonly verb: "pause" | "resume" | "retry"; readonly name: keyof typeof subscriptions }
  | { readonly verb: "deal"; readonly name: keyof typeof subscriptions; readonly partitions: number }
  | { readonly verb: "rebuild"; readonly name: string }

const act = async (asked: Asked): Promise<unknown> => {
  if (asked.verb === "stop emitting") return (isStopping = true)
  if (asked.verb === "rebuild") return engine.rebuild(asked.name)
  const { control } = subscriptions[asked.name]
  if (asked.verb === "deal") return control.change({ partitions: asked.partitions })
  return asked.verb === "retry" ? control.retry("all") : control[asked.verb]()
}

heard((question) => {
  const { answer, asked } = question as { readonly answer: number; readonly asked: Asked }
  act(asked).then(
    () => tells({ answer }),
    (error: Error) => tells({ answer, failed: `${error.name}: ${error.message}` })
  )
})
tells({ opened: true })
await Promise.all(Array.from({ length: callers }, caller))
