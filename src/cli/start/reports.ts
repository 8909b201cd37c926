import type { Engine, Event } from "../../index.ts"
import type { Measure } from "./machine.ts"

/** Where the last event of a report came to lie. */
export interface Reported {
  readonly stream: string
  readonly version: number
}

/** What an agent tells about itself. */
export type Facts = Readonly<Record<string, string | number | Readonly<Record<string, number>>>>

/** What the agents of this process tell the log, and what they ask it. */
export interface Reports {
  readonly register: (agent: string, config: Facts, metadata: Facts) => Promise<Reported>
  readonly stop: (agent: string) => Promise<Reported>
  readonly beat: (
    agent: string,
    errorCount: number,
    metrics: Readonly<Record<string, number>>
  ) => Promise<Reported>
  /** One event for each of them. */
  readonly measure: (
    agent: string,
    measures: readonly [Measure, ...ReadonlyArray<Measure>]
  ) => Promise<Reported>
  /** The process that runs the agent, as far as the log knows; undefined where it stopped, or never was. */
  readonly runnerOf: (agent: string) => Promise<number | undefined>
}

const RUNNING = "running"

/** The type of event that carries a measurement. */
export const MEASUREMENT = "MetricRecorded"

/** What a measurement measured; undefined where it is not of that form. */
export const measureOf = ({ data }: Event): Measure | undefined => {
  const { name, value, unit = "" } = data as Partial<Measure>
  return typeof name === "string" && typeof value === "number" ? { name, value, unit } : undefined
}

const pidIn = (metadata: unknown): number | undefined => {
  const pid = (metadata as { readonly pid?: unknown } | null)?.pid
  return typeof pid === "number" ? pid : undefined
}

export const reports = (engine: Engine): Reports => {
  const { agents, heartbeats, metrics } = engine
  const now = () => ({ occurredAt: new Date() })
  return {
    register: (agent, config, metadata) =>
      agents.register({ agent, state: RUNNING, config, metadata, ...now() }),
    stop: (agent) => agents.stop({ agent, ...now() }),
    beat: (agent, errorCount, measured) =>
      heartbeats.record({ agent, state: RUNNING, errorCount, metrics: measured, ...now() }),
    measure: (agent, [first, ...rest]) => {
      const of = (measure: Measure) => ({ agent, ...measure, ...now() })
      return metrics.record([of(first), ...rest.map(of)])
    },
    // From the stream and not from the read model, which may be behind for a moment where the process that kept it was killed.
    runnerOf: async (agent) => {
      for await (const { type, data } of engine.read(`agent-${agent}`, { backwards: true })) {
        if (type === "AgentStopped") return undefined
        if (type === "AgentRegistered") return pidIn((data as { readonly metadata?: unknown }).metadata)
      }
      return undefined
    }
  }
}
