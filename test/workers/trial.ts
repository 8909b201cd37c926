import { Schema } from "effect"
import { entities, eventType, open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that folds a projection into a schema of its own, and stands still there for as long as the test wants it to.

const { database, into, standMs } = input<{
  readonly database: string
  readonly into: string
  readonly standMs: number
}>()

const Counted = eventType("Counted", Schema.Struct({ by: Schema.Unknown }))

const definition = {
  name: "tried",
  version: 1,
  events: [Counted],
  tables: { text: 'create table :"tried" (id text primary key, events integer not null)' },
  relations: ["tried"],
  model: entities<{ id: string; events: number }>({
    table: "tried",
    key: "id",
    keyOf: (event) => event.stream,
    fold: (row, event) => ({ id: event.stream, events: (row?.events ?? 0) + 1 })
  }),
  operations: {}
}

const engine = await open({ database, readModels: "follow", leaseMs: 1_500, logger: false })

let stood = false

try {
  await engine.whatIf({
    definitions: [definition],
    into,
    onProgress: ({ phase }) => {
      if (phase !== "fill" || stood) return
      stood = true
      say({ stands: true })
      // Nothing of this process runs meanwhile, its timers and answers neither.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standMs)
    }
  })
  say({ done: true })
} catch (thrown) {
  say({ failed: (thrown as { _tag: string })._tag })
}
await engine.close()
