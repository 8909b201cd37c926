import { AgentRegistered, agentStream } from "../../../dist/projections/agents/events.js"
import { HeartbeatRecorded, heartbeatStream } from "../../../dist/projections/heartbeats/events.js"
import { MetricRecorded, metricStream } from "../../../dist/projections/metrics/events.js"
import { SessionCreated, sessionStream } from "../../../dist/projections/sessions/events.js"
import { AGENTS, agentAt, SESSIONS, sessionAt } from "./names.ts"
import { OTHERS } from "./others.ts"
import type { Kind, Make, Placed } from "./placed.ts"

/** How many metrics an agent measures at a time. */
const METRICS = 10

const DAY_MS = 86_400_000

const beat: Make = (nth) => ({
  stream: heartbeatStream(agentAt(nth)),
  event: HeartbeatRecorded.make({
    state: "busy",
    errorCount: nth % 7,
    metrics: { cpu_usage: nth % 100, memory_mb: 200 + (nth % 1000) }
  })
})

const measurement: Make = (nth) => ({
  stream: metricStream(agentAt(Math.floor(nth / METRICS))),
  event: MetricRecorded.make({ name: `metric-${nth % METRICS}`, value: (nth % 977) / 7, unit: "ms" })
})

const KINDS: ReadonlyArray<Kind> = [{ share: 40, make: beat }, { share: 40, make: measurement }, ...OTHERS]

/** Each place of a hundred: whose it is, and the how manyth of those. */
const PLACES = KINDS.flatMap((kind) => Array.from({ length: kind.share }, (_, at) => ({ kind, at })))

const HUNDRED = 100

/** Strews the places over the hundred, each once. */
const STEP = 61

/** The nth event of the fleet, always the same one. */
export const eventAt: Make = (n) => {
  const { kind, at } = PLACES[(n * STEP) % HUNDRED]!
  return kind.make(Math.floor(n / HUNDRED) * kind.share + at)
}

/** What is there before: the agents, and the sessions that are in use. */
export const founding = (): ReadonlyArray<Placed> => [
  ...Array.from({ length: AGENTS }, (_, n) => ({
    stream: agentStream(agentAt(n)),
    event: AgentRegistered.make({ state: "running", type: `type-${n % 20}`, capabilities: ["invoices"] })
  })),
  ...Array.from({ length: SESSIONS }, (_, n) => ({
    stream: sessionStream(sessionAt(n)),
    event: SessionCreated.make({ user: `user-${n}`, agent: agentAt(n), data: { step: 0 }, ttlMs: DAY_MS })
  }))
]
