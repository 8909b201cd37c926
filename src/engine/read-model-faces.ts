import type { Effect } from "effect"
import type { Engine, PromisedOperations, ReadModel } from "./engine.ts"
import type { EngineServices } from "./layers.ts"
import type { BoundReadModels } from "./read-models.ts"

/** The read models of an engine, as promises. */
export abstract class ReadModelFaces {
  readonly agents: ReadModel<"agents">
  readonly alerts: Engine["alerts"]
  readonly communications: ReadModel<"communications">
  readonly conversations: ReadModel<"conversations">
  readonly heartbeats: ReadModel<"heartbeats">
  readonly help: ReadModel<"help">
  readonly metrics: Engine["metrics"]
  readonly sessions: ReadModel<"sessions">
  readonly systemEvents: ReadModel<"system_events">
  readonly systemState: ReadModel<"system_state">
  readonly vitals: ReadModel<"vitals">

  constructor(models: BoundReadModels) {
    this.agents = this.promisedOperations(models.agents)
    this.alerts = {
      ...this.promisedOperations(models.alerts),
      ...this.promisedOperations(models.alert_rules)
    }
    this.communications = this.promisedOperations(models.communications)
    this.conversations = this.promisedOperations(models.conversations)
    this.heartbeats = this.promisedOperations(models.heartbeats)
    this.help = this.promisedOperations(models.help)
    this.metrics = {
      ...this.promisedOperations(models.metrics),
      ...this.promisedOperations(models.metric_rollups)
    }
    this.sessions = this.promisedOperations(models.sessions)
    this.systemEvents = this.promisedOperations(models.system_events)
    this.systemState = this.promisedOperations(models.system_state)
    this.vitals = this.promisedOperations(models.vitals)
  }

  /** Rejects with what is wrong, without the wrapper around it. */
  protected abstract run<A>(effect: Effect.Effect<A, unknown, EngineServices>): Promise<A>

  protected promisedOperations<B extends object>(bound: B): PromisedOperations<B> {
    const promised = Object.entries(bound).map(([verb, operation]) => [
      verb,
      (...input: Array<unknown>) =>
        this.run((operation as (...input: Array<unknown>) => Effect.Effect<unknown, unknown>)(...input))
    ])
    return Object.fromEntries(promised) as PromisedOperations<B>
  }
}
