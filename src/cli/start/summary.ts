import type { Paint } from "../terminal/palette.ts"
import { counted, latency } from "../terminal/quantity.ts"
import { behind, type Facts, type ProjectionFacts } from "./facts.ts"
import type { Latency, Tally } from "./tally.ts"

/** What a run did; as JSON with --json. */
export interface Summary {
  readonly seconds: number
  /** The settled position at its beginning, and at its end. */
  readonly from: number
  readonly settled: number
  readonly agents: ReadonlyArray<string>
  /** Events of this process, that many of them delivered to it again, and deliveries in all, with other processes' events. */
  readonly emitted: number
  readonly returned: number
  readonly delivered: number
  /** From emit to callback, of this process's own events, in ms; null where there was none. */
  readonly latencyMs: Latency | null
  readonly projections: ReadonlyArray<
    ProjectionFacts & {
      /** It was never more events behind than this. */
      readonly mostLag: number
    }
  >
}

const CENT = 100
const MS_PER_SECOND = 1000
const rounded = (value: number): number => Math.round(value * CENT) / CENT

export const summaryOf = (run: {
  readonly tally: Tally
  readonly facts: Facts
  /** By the projection's name: how far it was behind at most. */
  readonly mostLag: ReadonlyMap<string, number>
  readonly from: number
  readonly runningMs: number
  readonly agents: ReadonlyArray<string>
}): Summary => {
  const { tally, facts } = run
  const delays = tally.latency
  return {
    seconds: rounded(run.runningMs / MS_PER_SECOND),
    from: run.from,
    settled: facts.settled,
    agents: run.agents,
    emitted: tally.emitted,
    returned: tally.returned,
    delivered: tally.delivered,
    latencyMs:
      delays === undefined
        ? null
        : { p50: rounded(delays.p50), p99: rounded(delays.p99), max: rounded(delays.max) },
    projections: facts.projections.map((projection) => ({
      ...projection,
      mostLag: Math.max(projection.lag, run.mostLag.get(projection.name) ?? 0)
    }))
  }
}

const LABEL_WIDTH = 12

const standing = (projection: Summary["projections"][number], paint: Paint): string => {
  const { name, lag, mostLag, isStopped, error = "" } = projection
  if (isStopped) return `${name} ${paint("stopped", "bold", "red")} ${error}`
  const most = mostLag > lag ? paint(`, at most ${counted(mostLag, "event")} behind`, "dim") : ""
  return `${name} ${lag === 0 ? "caught up" : `${behind(projection)} behind`}${most}`
}

/** The summary for people, line by line. */
export const summaryLines = (summary: Summary, paint: Paint): ReadonlyArray<string> => {
  const { emitted, returned, delivered, latencyMs, projections } = summary
  const line = (label: string, text: string): string => ` ${paint(label.padEnd(LABEL_WIDTH), "dim")}${text}`
  const others = delivered - returned
  return [
    line("ran", `${summary.seconds} s, position ${summary.from} to ${summary.settled}`),
    line("emitted", counted(emitted, "event")),
    line("delivered", `${counted(delivered, "event")}${others > 0 ? `, ${others} of other processes` : ""}`),
    latencyMs === null
      ? line("latency", "no event was delivered")
      : line(
          "latency",
          ["p50", "p99", "max"].map((key) => `${key} ${latency(latencyMs[key as keyof Latency])}`).join(" · ")
        ),
    ...projections.map((projection, index) =>
      line(index === 0 ? "projections" : "", standing(projection, paint))
    )
  ]
}
