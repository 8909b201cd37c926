import { Cause, Effect } from "effect"
import { loggerLayer } from "../../src/engine/logger.ts"
import { say } from "../support/worker.ts"

// A process that logs where nobody chose a logger.

const program = Effect.gen(function* () {
  yield* Effect.logInfo("not worth a line")
  yield* Effect.logWarning("the first", { number: 1 })
  yield* Effect.logError("the second", Cause.fail(new Error("at postgres://me:hunter2@db/x")))
})
await Effect.runPromise(Effect.provide(program, loggerLayer(undefined)))
say("logged")
