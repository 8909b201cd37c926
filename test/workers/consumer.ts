import { type Event, open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that works on durable subscriptions until it is killed. It says which event it is given, and which partitions it owns.

const { database, subscriptions, failing, pauseMs, leaseMs } = input<{
  readonly database: string
  readonly subscriptions: ReadonlyArray<{
    readonly name: string
    readonly categories: ReadonlyArray<string>
    readonly partitions: number
    readonly transactional: boolean
  }>
  /** The share of attempts that fail. */
  readonly failing: number
  /** How long the handler takes before it writes, in ms. */
  readonly pauseMs: number
  readonly leaseMs?: number
}>()
const engine = await open({ database, logger: false, ...(leaseMs === undefined ? {} : { leaseMs }) })
const retry = { attempts: 1_000, firstMs: 5, longestMs: 50 }
const ownedEveryMs = 50

const stumble = async (name: string, { stream, data }: Event) => {
  say({ name, given: `${stream} ${(data as { n: number }).n}` })
  if (pauseMs > 0) await new Promise((done) => setTimeout(done, pauseMs))
  if (Math.random() < failing) throw new Error("stumbled")
}

const note = "insert into public.handled (subscription, stream, n) values ($1, $2, $3)"

for (const { transactional, ...one } of subscriptions) {
  const values = ({ stream, data }: Event) => [one.name, stream, (data as { n: number }).n]
  const membership = transactional
    ? await engine.subscribe({ ...one, from: "start", retry, transactional }, async (event, { tx }) => {
        await stumble(one.name, event)
        await tx.query(note, values(event))
      })
    : await engine.subscribe({ ...one, from: "start", retry }, async (event) => {
        await stumble(one.name, event)
        await engine.transaction((tx) => tx.query(note, values(event)))
      })
  let owned = ""
  setInterval(() => {
    const now = membership.partitions().map(({ partition }) => partition)
    if (now.join(" ") === owned) return
    owned = now.join(" ")
    say({ name: one.name, owns: now })
  }, ownedEveryMs)
}
say({ ready: true })
