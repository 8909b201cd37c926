/**
 * The Effect face: the same engine as services and layers. `layer(options)` provides them all.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const log = yield* EventLog
 *   yield* log.emit("agent-1", { type: "Woke" })
 * })
 * await Effect.runPromise(program.pipe(Effect.provide(layer({ database: "postgres://…" }))))
 * ```
 */
import type { Layer } from "effect"
import type { OpenOptions } from "./engine/configuration.ts"
import { engineLayer } from "./engine/layers.ts"

/** Everything an engine is made of, opened for the time of the layer's scope. */
export const layer = (options: OpenOptions = {}): ReturnType<typeof engineLayer> =>
  engineLayer(options, process.env)

export type EngineError = Layer.Error<ReturnType<typeof engineLayer>>
export type { OpenOptions } from "./engine/configuration.ts"
export { ReadModels } from "./engine/read-models.ts"
export { type EngineStatus, engineStatus } from "./engine/status.ts"
export { Appender } from "./log/appender.ts"
export { LogError } from "./log/error.ts"
export type { Appended, Event, ExpectedVersion, Meta, NewEvent, Part } from "./log/event.ts"
export { EventLog, type SubscribeOptions } from "./log/event-log.ts"
export { eventType } from "./log/event-type.ts"
export { Feed } from "./log/feed.ts"
export { LogIdentity } from "./log/identity.ts"
export { liveEvents } from "./log/live-events.ts"
export { Wake } from "./log/wake.ts"
export { PostgresError } from "./postgres/error.ts"
export { Postgres } from "./postgres/postgres.ts"
export { ProjectionError } from "./projection/error.ts"
export { Projections } from "./projection/projections.ts"
