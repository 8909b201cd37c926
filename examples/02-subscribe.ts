/** Follows the log: from the beginning, from now, with filters, and from a token. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const run = `run:${randomUUID().slice(0, 8)}`

const seen: Array<string> = []
let reachedThree = (): void => undefined
const three = new Promise<void>((resolve) => {
  reachedThree = resolve
})
const subscription = await engine.subscribe({ labels: [run] }, (event) => {
  seen.push(`${event.stream} ${event.type}`)
  if (seen.length === 3) reachedThree()
})

const first = await engine.emit("tool-search", {
  type: "ToolCalled",
  data: { query: "tides" },
  labels: [run]
})
await engine.emit("tool-search", { type: "ToolReturned", data: { hits: 12 }, labels: [run] })
await engine.emit("agent-writer", { type: "DraftWritten", labels: [run, "draft:1"] })

// The same events again, as a loop: from the beginning of the log, or from a point that a token names.
const replayed: Array<string> = []
for await (const event of engine.events({ from: first.token, labels: [run] })) {
  replayed.push(event.type)
  if (event.type === "DraftWritten") break
}
console.log("after the first:", replayed)

await three
await subscription.stop()
console.log("followed:", seen, "up to position", subscription.position)
