import { Schema } from "effect"
import { entities, eventType, open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that rebuilds a projection, and stands still where the test wants it to: so that it can be killed right there.

const { database, phase } = input<{ readonly database: string; readonly phase: string }>()

const Counted = eventType("Counted", Schema.Struct({ by: Schema.Finite }))

const definition = {
  name: "killed",
  version: 1,
  events: [Counted],
  tables: {
    text: 'create table :"killed" (id text primary key, total integer not null, events integer not null)'
  },
  relations: ["killed"],
  model: entities<{ id: string; total: number; events: number }>({
    table: "killed",
    key: "id",
    keyOf: (event) => event.stream,
    fold: (row, event) =>
      Counted.is(event)
        ? { id: event.stream, total: (row?.total ?? 0) + event.data.by, events: (row?.events ?? 0) + 1 }
        : row
  }),
  operations: {}
}

const engine = await open({ database, readModels: "follow", leaseMs: 1_500, logger: false })
say({ opened: true })

/** Nothing of this process runs any more, its timers and answers neither. */
const standStill = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
}

const report = await engine.rebuild(definition, {
  verify: true,
  keep: 0,
  onProgress: (progress) => {
    if (progress.phase !== phase) return
    say({ phase })
    standStill()
  }
})
say({ done: report.to.generation })
await engine.close()
