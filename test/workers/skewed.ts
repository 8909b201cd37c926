import { open } from "../../src/index.ts"
import { heard, input, say } from "../support/worker.ts"

// A process whose clock is wrong, and which works on a durable subscription. It says what it is given and which partitions it
// owns; its handler fails until it is told otherwise.

const { database, skewMs, name, categories, partitions, firstMs, isBroken, leaseMs } = input<{
  readonly database: string
  readonly skewMs: number
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly partitions: number
  /** How long it waits, about, before it tries an event again. */
  readonly firstMs: number
  /** Whether its handler fails on events of streams that are called `…-bad`. */
  readonly isBroken: boolean
  readonly leaseMs: number
}>()

const TrueDate = Date
const now = (): number => TrueDate.now() + skewMs

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given: ReadonlyArray<unknown>, made) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, made) as Date,
  apply: () => new TrueDate(now()).toString(),
  get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver))
})

const engine = await open({ database, leaseMs, logger: false })
const membership = await engine.subscribe(
  { name, categories, partitions, from: "start", retry: { attempts: 9, firstMs, longestMs: firstMs } },
  ({ stream, data }, { attempt }) => {
    say({ given: `${stream} ${(data as { n: number }).n}`, attempt })
    if (isBroken && stream.endsWith("-bad")) throw new Error("of no use")
  }
)
heard((asked) => say({ asked, clock: new Date().getTime(), owns: membership.partitions().length }))
say({ ready: true })
