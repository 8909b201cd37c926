import { setImmediate } from "node:timers/promises"
import { type Event, open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that reads a log of large events in one of the ways there are, and says what it got and what memory it took.

const { database, stream, count, way } = input<{
  readonly database: string
  readonly stream: string
  readonly count: number
  readonly way: "read" | "replay" | "events" | "subscribe" | "live"
}>()

const engine = await open({ database, logger: false })
const before = process.memoryUsage.rss()
let highest = before
const versions: Array<number> = []

const take = async ({ version, data }: Event): Promise<boolean> => {
  if ((data as { text: string }).text.length < 1_000_000) throw new Error("it is not whole")
  versions.push(version)
  highest = Math.max(highest, process.memoryUsage.rss())
  // Slower than the server, so that what may be read ahead is.
  await setImmediate()
  return versions.length === count
}

const ways = {
  read: async () => {
    for await (const event of engine.read(stream)) await take(event)
  },
  replay: async () => {
    for await (const event of engine.replay({ streams: [stream] })) await take(event)
  },
  events: async () => {
    for await (const event of engine.events({ from: "start", streams: [stream] }))
      if (await take(event)) return
  },
  follow: (from: "start" | "now") =>
    new Promise<void>((resolve, reject) => {
      const handler = async (event: Event) => {
        if (await take(event)) resolve()
      }
      void engine.subscribe({ from }, handler).then((subscription) => {
        if (from === "now") say("follows")
        return subscription.done
      }, reject)
    })
}

if (way === "read" || way === "replay" || way === "events") await ways[way]()
else await ways.follow(way === "live" ? "now" : "start")
say({ versions, grownBy: highest - before })
await engine.close()
