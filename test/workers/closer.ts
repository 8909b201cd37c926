import { open } from "../../src/index.ts"
import { heard, input, say } from "../support/worker.ts"

// A process that follows a log, and closes its engine when it is told to. Nothing else then keeps it alive.

const { database } = input<{ readonly database: string }>()
const engine = await open({ database, logger: false })
await engine.subscribe({ from: "start" }, () => undefined)
await engine.emit("closer-1", { type: "happened", data: { content: "it is there" } })
say({ ready: true })
heard(() => {
  process.stdin.unref()
  void engine.close().then(() => say({ closed: true }))
})
