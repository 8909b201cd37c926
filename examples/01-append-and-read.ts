/** Appends to streams, alone and together, and reads them back. */
import { randomUUID } from "node:crypto"
import { DuplicateEvent, open, VersionConflict } from "tidemark"

await using engine = await open()
const id = randomUUID().slice(0, 8)
const stream = `task-${id}`

const created = await engine.emit(
  stream,
  { type: "TaskCreated", data: { title: "summarise the report" } },
  { expected: "none", meta: { actor: "planner", reason: "the user asked" } }
)
console.log("created at position", created.position)

// Two writers decided on the same version: one of them is told.
const decisions = await Promise.allSettled([
  engine.emit(stream, { type: "TaskClaimed", data: { by: "worker-1" } }, { expected: created.version }),
  engine.emit(stream, { type: "TaskClaimed", data: { by: "worker-2" } }, { expected: created.version })
])
for (const decision of decisions) {
  if (decision.status === "rejected" && decision.reason instanceof VersionConflict) {
    console.log("lost the race:", decision.reason.actual, "is there, expected was", decision.reason.expected)
  }
}

// Sending the same event again is safe, and another event under its id is refused.
const event = { id: randomUUID(), type: "TaskDone", data: { words: 120 } }
const first = await engine.emit(stream, event)
const again = await engine.emit(stream, event)
console.log("sent twice, appended once:", first.position === again.position)
await engine.emit(stream, { ...event, data: { words: 7 } }).catch((error: unknown) => {
  if (error instanceof DuplicateEvent) console.log("refused:", error.name)
})

// Several streams, all or none.
await engine.emitAll([
  { stream, events: { type: "TaskArchived" } },
  { stream: `archive-${id}`, events: { type: "TaskReceived", data: { from: stream } }, expected: "none" }
])

for await (const { version, type, data } of engine.read(stream, { backwards: true, limit: 2 })) {
  console.log(version, type, data)
}
