import { Effect, Exit, Layer, ManagedRuntime, Scope, Stream } from "effect"
import { logLayer } from "../../src/engine/layers.ts"
import { loggerLayer } from "../../src/engine/logger.ts"
import { engineGauges, telemetryLayer } from "../../src/engine/telemetry.ts"
import type { Event } from "../../src/log/event.ts"
import { EventLog } from "../../src/log/event-log.ts"
import type { Handler } from "../../src/log/subscription.ts"
import type { TestDatabase } from "../support/database.ts"

/** A log that tells OpenTelemetry of itself, until it is disposed. */
export const watchedLog = async (database: TestDatabase) => {
  const layer = Layer.provideMerge(
    logLayer({ database: database.url }, {}),
    Layer.merge(telemetryLayer, loggerLayer(false))
  )
  const runtime = ManagedRuntime.make(layer)
  const services = await runtime.context()
  const run = Effect.runPromiseWith(services)
  const scope = Scope.makeUnsafe()
  const log = await run(EventLog)
  return {
    log,
    run,
    emit: (stream: string, data: unknown = {}, meta = {}) =>
      run(log.emit(stream, { type: "noted", data }, { meta })),
    events: (stream: string): Promise<ReadonlyArray<Event>> => run(Stream.runCollect(log.read(stream))),
    subscribe: (stream: string, handler: Handler, from: "start" | "now" = "now") =>
      run(Scope.provide(log.subscribe({ streams: [stream], from }, handler), scope)),
    gauges: (lags: () => Iterable<readonly [string, number]>) =>
      run(Scope.provide(engineGauges(lags), scope)),
    [Symbol.asyncDispose]: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await runtime.dispose()
    }
  }
}
