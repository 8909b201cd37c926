import type { Paint, Style } from "../terminal/palette.ts"
import { counted, elapsed, latency, rate } from "../terminal/quantity.ts"
import { cut, widthOf } from "../terminal/text.ts"
import { behind, type Facts, type ProjectionFacts } from "./facts.ts"
import type { Latency } from "./tally.ts"

/** What the status line tells. */
export interface Standing {
  readonly facts: Facts
  readonly perSecond: number
  readonly latency: Latency | undefined
  /** Metrics over their thresholds. */
  readonly alerts: ReadonlyArray<string>
  readonly runningMs: number
  readonly isEnding: boolean
}

interface Segment {
  readonly text: string
  readonly styles?: ReadonlyArray<Style>
  /** In its place where there is no room. */
  readonly short?: string
}

/** How long appends under way may keep the log from settling before it is worth a word, in ms. */
const WORTH_TELLING_MS = 500

const MARGIN = " "
const GAP = "  "

/** Nothing needs no unit. */
const lagOf = (projection: ProjectionFacts): string => (projection.lag === 0 ? "0" : behind(projection))

const lags = ({ projections }: Facts): ReadonlyArray<Segment> => {
  if (projections.length === 0) return []
  const stopped = projections.filter(({ isStopped }) => isStopped)
  const most = projections.reduce((far, other) => (other.lag > far.lag ? other : far))
  const each = projections.map((projection) => `${projection.name} ${lagOf(projection)}`).join(" · ")
  return [
    { text: `lag ${each}`, short: `lag ${lagOf(most)}` },
    ...stopped.map(({ name }): Segment => ({ text: `${name} stopped`, styles: ["bold", "red"] }))
  ]
}

const troubles = ({ facts, alerts }: Standing): ReadonlyArray<Segment> => [
  ...(facts.trouble === undefined ? [] : [{ text: "no connection", styles: ["bold", "red"] } as const]),
  ...(alerts.length === 0
    ? []
    : ([
        { text: `! ${alerts.join(", ")}`, short: counted(alerts.length, "alert"), styles: ["bold", "red"] }
      ] as const)),
  ...(facts.heldForMs < WORTH_TELLING_MS
    ? []
    : ([{ text: `held ${latency(facts.heldForMs)}`, styles: ["yellow"] }] as const)),
  ...(facts.isPolling ? [{ text: "polling", styles: ["yellow"] } as const] : [])
]

/** What there is to say, the most important first. */
const segments = (standing: Standing): ReadonlyArray<Segment> => {
  const { facts, perSecond, latency: delays, runningMs, isEnding } = standing
  return [
    { text: rate(perSecond), styles: ["bold"] },
    ...troubles(standing),
    { text: `settled ${facts.settled}` },
    ...lags(facts),
    ...(delays === undefined
      ? []
      : [
          {
            text: `p50 ${latency(delays.p50)} · p99 ${latency(delays.p99)}`,
            short: `p50 ${latency(delays.p50)}`
          }
        ]),
    { text: elapsed(runningMs) },
    { text: isEnding ? "stopping …" : "Ctrl-C stops", styles: ["dim"] }
  ]
}

const total = (texts: ReadonlyArray<{ readonly text: string }>): number =>
  texts.reduce((sum, { text }) => sum + widthOf(text) + GAP.length, MARGIN.length - GAP.length)

const shortened = (segment: Segment): Segment =>
  segment.short === undefined ? segment : { ...segment, text: segment.short }

/** Shortens from the end, then drops from the end, until it fits. */
const fitted = (all: ReadonlyArray<Segment>, width: number): ReadonlyArray<Segment> => {
  const kept = [...all]
  for (let index = kept.length - 1; index >= 0 && total(kept) > width; index--) {
    kept[index] = shortened(kept[index]!)
  }
  while (kept.length > 1 && total(kept) > width) kept.pop()
  return kept
}

/** The status as one line, at most `width` columns wide; undefined cuts nothing. */
export const statusLine = (standing: Standing, paint: Paint, width: number | undefined): string => {
  const all = segments(standing)
  const kept = width === undefined ? all : fitted(all, width)
  const texts = kept.map(({ text, styles = [] }) =>
    paint(width === undefined ? text : cut(text, width - MARGIN.length), ...styles)
  )
  return MARGIN + texts.join(GAP)
}

/** Separates the footer from what scrolls. */
export const rule = (paint: Paint, width: number): string => paint("─".repeat(width), "dim")
