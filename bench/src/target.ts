import type { Figure } from "./figure.ts"

interface Target {
  /** At least this much, in the figure's unit. */
  readonly atLeast?: number
  /** At least this many times as good as the baseline. */
  readonly ratio?: number
  /** At most this much, in the figure's unit. */
  readonly atMost?: number
}

const TARGETS: ReadonlyMap<string, Target> = new Map([
  ["emit.c1", { ratio: 1 }],
  ["emit.c64", { ratio: 8 }],
  ["emit.c64.fresh", { ratio: 8 }],
  ["emit.c64.vs_bare", { ratio: 0.3 }],
  ["emit.c64.5M", { ratio: 0.85 }],
  ["emit.batch50.c4", { ratio: 1 }],
  ["latency.1000.p50", { ratio: 1, atMost: 2 }],
  ["latency.1000.p99", { atMost: 10 }],
  ["catchup.vs_bare", { ratio: 0.7 }],
  ["replay.vs_bare", { ratio: 0.7 }],
  ["rebuild.rows", { atLeast: 200_000 }],
  ["rebuild.entities", { atLeast: 60_000 }],
  ["subscribers.1000.p50", { atMost: 5 }],
  ["idle.queries_per_minute", { atMost: 60 }],
  ["startup.embedded.ms", { atMost: 2500 }],
  ["takeover.ms", { atMost: 5000 }],
  ["state.read", { atMost: 1 }],
  ["state.read.cached", { atMost: 1 }],
  ["state.update.c1", { atMost: 3 }],
  ["state.commit", { atMost: 3 }],
  ["state.branch", { atMost: 3 }],
  ["state.read_at", { atMost: 5 }],
  ["state.history", { atMost: 5 }],
  ["state.diff", { atMost: 5 }],
  ["state.checkpoint", { atMost: 5 }],
  ["state.restore", { atMost: 10 }],
  ["state.merge.10k_keys_100_changes", { atMost: 20 }],
  ["state.growth.200_turns", { atMost: 3 }],
  ["state.update.c64", { ratio: 5 }],
  ["state.checkpoint.c64", { ratio: 5 }],
  ["state.read.c64", { ratio: 5 }],
  ["watch.latency.p50", { atMost: 5 }],
  ["watch.latency.p99", { atMost: 25 }],
  ["watch.1000.p50", { atMost: 10 }],
  ["sync.changes_per_s", { atLeast: 10_000 }],
  ["sync.p50", { atMost: 10 }],
  ["link.converge.100_agents", { atMost: 100 }],
  ["heartbeat.record", { atLeast: 20_000 }],
  ["fleet.10k.rate", { atLeast: 9_900 }],
  ["fleet.10k.lag.max", { atMost: 1000 }],
  ["fleet.10k.catchup", { atLeast: 10_000 }],
  ["health.overview.100k_agents.p95", { atMost: 50 }],
  ["metrics.summary.24h.p95", { atMost: 20 }],
  ...[
    "heartbeats",
    "metrics",
    "communications",
    "inbox",
    "help",
    "conversations",
    "system_events",
    "agents",
    "sessions"
  ].map((name): readonly [string, Target] => [`list.${name}.p95`, { atMost: 10 }]),
  ...[
    "read",
    "read.cached",
    "read.path",
    "update.c1",
    "commit",
    "branch",
    "read_at",
    "history",
    "diff",
    "checkpoint",
    "restore"
  ].map((name): readonly [string, Target] => [`state.${name}.flat`, { atMost: 1.5 }])
])

/** The target of a figure in words, and whether it was met; null where none is set. */
export const verdict = (figure: Figure): { readonly words: string; readonly met: boolean } | null => {
  const target = TARGETS.get(figure.name)
  if (target === undefined) return null
  const { ratio, atMost, atLeast } = target
  const words: Array<string> = []
  if (ratio !== undefined) words.push(`≥ ${ratio} ×`)
  if (atMost !== undefined) words.push(`≤ ${atMost} ${figure.unit}`)
  if (atLeast !== undefined) words.push(`≥ ${atLeast} ${figure.unit}`)
  const fast = ratio === undefined || (figure.ratio !== null && figure.ratio >= ratio)
  const small = atMost === undefined || figure.value <= atMost
  const large = atLeast === undefined || figure.value >= atLeast
  return { words: words.join(", "), met: fast && small && large }
}
