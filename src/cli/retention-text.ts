import type { RetentionReport, RetentionStep } from "../engine/upkeep.ts"
import type { Paint, Style } from "./terminal/palette.ts"
import { paragraph } from "./terminal/paragraph.ts"
import { age, counted, size } from "./terminal/quantity.ts"
import { type Cell, table } from "./terminal/table.ts"
import { cut, printable } from "./terminal/text.ts"

const INDENT = "  "

const STYLES: Readonly<Record<RetentionStep["outcome"], Style>> = {
  done: "green",
  would: "cyan",
  failed: "red"
}

const grouped = new Intl.NumberFormat("en").format

const stepLines = (step: RetentionStep, paint: Paint, width: number): ReadonlyArray<string> => {
  const { kind, subject, outcome, events, problem, why, tookMs } = step
  const amount = events === null ? "" : `, ${grouped(events)} event${events === 1 ? "" : "s"}`
  const took = outcome === "done" ? ` in ${age(tookMs)}` : ""
  return [
    paint(cut(`${outcome}: ${kind} ${printable(subject)}${amount}${took}`, width), STYLES[outcome]),
    ...paragraph(printable(problem === null ? why : `${why}; ${problem}`), width - INDENT.length).map(
      (line) => `${INDENT}${line}`
    )
  ]
}

const categoryLines = ({ categories }: RetentionReport): ReadonlyArray<string> => {
  if (categories.length === 0) return ["There is no telemetry."]
  const rows = categories.map(({ category, keptDays, retiredUpTo }): ReadonlyArray<Cell> => [
    category,
    keptDays === null ? "for ever" : counted(keptDays, "day"),
    retiredUpTo === 0 ? "–" : grouped(retiredUpTo)
  ])
  return table([["telemetry", "kept", "over up to position"], ...rows])
}

const fate = ({ outcome, archive }: RetentionReport["partitions"][number]): string =>
  archive === null ? outcome : `${outcome}, archived as ${archive.file} (${size(archive.bytes)})`

const partitionLines = ({ partitions }: RetentionReport): ReadonlyArray<string> => {
  const rows = partitions.map((one): ReadonlyArray<Cell> => [
    one.partition,
    grouped(one.from),
    grouped(one.upTo),
    size(one.bytes),
    fate(one)
  ])
  return table([["partition", "from", "up to", "size", ""], ...rows])
}

const summary = ({ isDryRun, partitions, tookMs }: RetentionReport): string => {
  const going = partitions.filter(({ outcome }) => outcome !== "stays")
  const amount = `${counted(going.length, "partition")}, ${size(going.reduce((sum, { bytes }) => sum + bytes, 0))}`
  if (isDryRun) return `${amount}, would be dropped; nothing was done.`
  return `${amount}, dropped in ${age(tookMs)}.`
}

/** What retention found and did, for people, in lines of a width at most. */
export const retentionText = (
  report: RetentionReport,
  paint: Paint,
  width = Number.POSITIVE_INFINITY
): ReadonlyArray<string> => {
  const fit = (line: string): string => cut(line, width)
  const stays = report.partitions.flatMap(({ partition, why }) =>
    why === null ? [] : paragraph(printable(`${partition} stays: ${why}.`), width)
  )
  return [
    ...report.steps.flatMap((step) => stepLines(step, paint, width)),
    ...(report.steps.length === 0 ? [] : [""]),
    ...categoryLines(report).map(fit),
    "",
    ...partitionLines(report).map(fit),
    "",
    ...stays,
    summary(report)
  ]
}
