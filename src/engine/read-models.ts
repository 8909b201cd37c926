import { Context, Effect, Layer } from "effect"
import { builtIn } from "../../projections/index.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import type { ProjectionError } from "../projection/error.ts"
import type { Bound, Operations } from "../projection/operation.ts"
import { Projections } from "../projection/projections.ts"

type BuiltIn = typeof builtIn

type OperationsOf<Definition> = Definition extends ProjectionDefinition<infer Ops> ? Ops : Operations

/** The operations of the read models that every engine has. */
export type BoundReadModels = { readonly [Name in keyof BuiltIn]: Bound<OperationsOf<BuiltIn[Name]>> }

/** The read models that every engine has: their tables kept up with the log, and their operations. */
export class ReadModels extends Context.Service<ReadModels, BoundReadModels>()("tidemark/engine/ReadModels") {
  static readonly layer: Layer.Layer<ReadModels, ProjectionError | PostgresError, Projections> = Layer.effect(
    ReadModels,
    Effect.gen(function* () {
      const { project } = yield* Projections
      return ReadModels.of({
        agents: yield* project(builtIn.agents),
        alert_rules: yield* project(builtIn.alert_rules),
        alerts: yield* project(builtIn.alerts),
        communications: yield* project(builtIn.communications),
        conversations: yield* project(builtIn.conversations),
        heartbeats: yield* project(builtIn.heartbeats),
        help: yield* project(builtIn.help),
        links: yield* project(builtIn.links),
        metric_rollups: yield* project(builtIn.metric_rollups),
        metrics: yield* project(builtIn.metrics),
        sessions: yield* project(builtIn.sessions),
        states: yield* project(builtIn.states),
        system_events: yield* project(builtIn.system_events),
        system_state: yield* project(builtIn.system_state),
        vitals: yield* project(builtIn.vitals)
      })
    })
  )
}
