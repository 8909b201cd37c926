/** The Effect face: services, layers, typed errors, streams. */
import { randomUUID } from "node:crypto"
import { Effect, Stream } from "effect"
import { EventLog, layer, liveEvents } from "tidemark/effect"

const stream = `agent-${randomUUID().slice(0, 8)}`

const program = Effect.gen(function* () {
  const log = yield* EventLog
  const woke = yield* log.emit(stream, { type: "Woke" }, { expected: "none" })
  yield* log.emit(stream, { type: "Slept" })

  const refused = yield* log.emit(stream, { type: "Woke" }, { expected: "none" }).pipe(
    Effect.as("appended"),
    Effect.catchReason("LogError", "VersionConflict", (conflict) => Effect.succeed(`at ${conflict.actual}`))
  )
  const followed = yield* Stream.runCollect(
    Stream.take(liveEvents(log, { from: woke.position - 1, streams: [stream] }), 2)
  )
  console.log("refused", refused)
  console.log(followed.map((event) => event.type))
})

await Effect.runPromise(Effect.provide(program, layer()))
