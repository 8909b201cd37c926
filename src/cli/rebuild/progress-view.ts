import type { RebuildProgress, RebuildReport } from "../../engine/rebuilding.ts"
import { counted, elapsed, rate } from "../terminal/quantity.ts"
import { cut, padEnd, printable } from "../terminal/text.ts"

/** How often at most a line is added where there is no terminal, in ms, unless the phase is another. */
const LINE_MS = 5_000

/** A terminal of unknown size. */
const DEFAULT_WIDTH = 80

const PHASE_WIDTH = 9

/** Leaves the line empty, for what comes next in its place. */
const ERASE = "\r\x1b[2K"

const GAP = "  "

const number = (value: number): string => value.toLocaleString("en")

const events = (count: number): string => `${number(count)} event${count === 1 ? "" : "s"}`

/** How far a rebuild is, in one line. */
export const progressText = (progress: RebuildProgress): string => {
  const { projection, phase, position, target, rate: perSecond, etaMs } = progress
  const share = target === 0 ? "" : `${Math.floor((100 * Math.min(position, target)) / target)} %`
  const eta = etaMs !== undefined && etaMs > 0 ? `${elapsed(etaMs)} left` : ""
  const isFilling = phase === "fill" || (phase === "catch up" && position < target)
  const told = isFilling ? [share, events(progress.events), rate(perSecond), eta] : [events(progress.events)]
  return [printable(projection), padEnd(phase, PHASE_WIDTH), ...told.filter((part) => part !== "")].join(GAP)
}

/** How tables compare with the live ones: a line for each, and one for each example of what differs. */
export const comparisonLines = ({
  tables,
  position
}: NonNullable<RebuildReport["verified"]>): ReadonlyArray<string> =>
  tables.flatMap(({ relation, rows, different, onlyLive, onlyRebuilt, examples }) => {
    const isSame = different + onlyLive + onlyRebuilt === 0
    const found = isSame
      ? `${number(rows)} rows, all alike`
      : `${number(different)} differ, ${number(onlyLive)} only before, ${number(onlyRebuilt)} only now`
    return [
      `  compared ${printable(relation)} at ${position}: ${found}`,
      ...examples.map(({ key, how }) => `    ${printable(key)} ${HOW[how]}`)
    ]
  })

const HOW = { different: "different", "only live": "only before", "only rebuilt": "only now" } as const

/** What a rebuild did, in a line, and in one more for each table that differs. */
export const reportText = (report: RebuildReport): string => {
  const { projection, from, to, verified, dropped, seconds } = report
  const way =
    from === undefined ? `generation ${to.generation}` : `generation ${from.generation} → ${to.generation}`
  const change =
    from !== undefined && from.version !== to.version ? `, version ${from.version} → ${to.version}` : ""
  const took = `${events(report.events)} in ${seconds.toFixed(1)} s (${rate(report.rate)})`
  const lines = [`${printable(projection)}: ${way}${change}, ${took}, at position ${report.position}`]
  if (verified !== undefined) lines.push(...comparisonLines(verified))
  if (from !== undefined && !dropped.includes(from.generation))
    lines.push(`  generation ${from.generation} is kept: tidemark rollback ${printable(projection)}`)
  if (dropped.length > 0) lines.push(`  dropped ${counted(dropped.length, "older generation")}`)
  return lines.join("\n")
}

/** Shows progress: on a terminal in one line that changes, else in lines that are added. */
export class ProgressView {
  private readonly stream: NodeJS.WriteStream
  private phase = ""
  private shownAt = Number.NEGATIVE_INFINITY
  private isDrawn = false

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
  }

  show(progress: RebuildProgress): void {
    const text = progressText(progress)
    if (this.stream.isTTY) {
      this.isDrawn = true
      this.stream.write(`${ERASE}${cut(text, (this.stream.columns || DEFAULT_WIDTH) - 1)}`)
      return
    }
    const now = performance.now()
    const phase = `${progress.projection} ${progress.phase}`
    if (phase === this.phase && now - this.shownAt < LINE_MS) return
    this.phase = phase
    this.shownAt = now
    this.stream.write(`${text}\n`)
  }

  /** Makes room for what else is written. */
  clear(): void {
    if (this.isDrawn) this.stream.write(ERASE)
    this.isDrawn = false
  }
}
