import { randomUUID } from "node:crypto"
import { open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that emits without pause until it is killed. It says what it is about to send, and what was acknowledged.

const { database, callers, streams } = input<{
  readonly database: string
  readonly callers: number
  readonly streams: number
}>()
const mostEvents = 4
const engine = await open({ database, logger: false })

const caller = async () => {
  for (;;) {
    const stream = `order-${1 + Math.floor(Math.random() * streams)}`
    const meant = Array.from({ length: 1 + Math.floor(Math.random() * mostEvents) }, () => {
      const id = randomUUID()
      return { id, stream, content: `${stream} ${id}` }
    })
    say({ sent: meant })
    const events = meant.map(({ id, content }) => ({ type: "happened", id, data: { content } }))
    const appended = await engine.emit(stream, events)
    say({ acknowledged: appended.events })
  }
}

await Promise.all(Array.from({ length: callers }, caller))
