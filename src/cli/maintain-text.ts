import type { MaintenanceReport } from "../engine/upkeep.ts"
import type { Paint, Style } from "./terminal/palette.ts"
import { paragraph } from "./terminal/paragraph.ts"
import { age, counted, size } from "./terminal/quantity.ts"
import { type Cell, table } from "./terminal/table.ts"
import { cut, cutMiddle, printable } from "./terminal/text.ts"

type Step = MaintenanceReport["steps"][number]

/** How many tables and indexes are shown. */
const MOST_SHOWN = 10

/** Names are cut in their middle where they are longer, in columns. */
const LONGEST_NAME = 28

/** Less is not worth a line, in bytes. */
const LEAST_SHOWN_BLOAT = 1024 ** 2

const INDENT = "  "

const STYLES: Readonly<Record<Step["outcome"], Style>> = {
  done: "green",
  would: "cyan",
  left: "yellow",
  failed: "red"
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })

const VERBS: Readonly<Record<Step["kind"], string>> = {
  drop: "drop",
  repair: "build again",
  analyze: "analyze",
  reindex: "reindex"
}

/** What is done to what, as people say it. */
export const stepName = ({ kind, relation }: Pick<Step, "kind" | "relation">): string =>
  `${VERBS[kind]} ${printable(relation)}`

const sizes = ({ bytesBefore, bytesAfter }: Step): string => {
  if (bytesBefore === null) return ""
  return bytesAfter === null ? `, ${size(bytesBefore)}` : `, ${size(bytesBefore)} → ${size(bytesAfter)}`
}

const stepLines = (step: Step, paint: Paint, width: number): ReadonlyArray<string> => {
  const took = step.outcome === "done" ? ` in ${age(step.tookMs)}` : ""
  const head = cut(`${step.outcome}: ${stepName(step)}${sizes(step)}${took}`, width)
  const told = step.problem === null ? step.why : `${step.why}; ${step.problem}`
  return [
    paint(head, STYLES[step.outcome]),
    ...paragraph(printable(told), width - INDENT.length).map((line) => `${INDENT}${line}`)
  ]
}

const ago = (ms: number | null): string => (ms === null ? "never" : age(ms))

const tableLines = ({ tables }: MaintenanceReport): ReadonlyArray<string> => {
  const rows = tables
    .filter(({ isPartitioned }) => !isPartitioned)
    .slice(0, MOST_SHOWN)
    .map((one): ReadonlyArray<Cell> => [
      cutMiddle(one.table, LONGEST_NAME),
      compact.format(one.rows ?? one.liveRows),
      compact.format(one.deadRows),
      size(one.bytes),
      size(one.indexBytes),
      one.bloatBytes === null ? "?" : size(one.bloatBytes),
      ago(one.vacuumedMs),
      ago(one.analyzedMs)
    ])
  return table([["table", "rows", "dead", "size", "indexes", "bloat*", "vacuumed", "analyzed"], ...rows])
}

const indexLines = ({ indexes }: MaintenanceReport): ReadonlyArray<string> => {
  const bloated = indexes
    .filter(({ bloatBytes, isValid }) => !isValid || (bloatBytes ?? 0) >= LEAST_SHOWN_BLOAT)
    .toSorted((one, other) => (other.bloatBytes ?? 0) - (one.bloatBytes ?? 0))
    .slice(0, MOST_SHOWN)
  if (bloated.length === 0) return []
  const rows = bloated.map((one): ReadonlyArray<Cell> => [
    cutMiddle(one.index, LONGEST_NAME),
    size(one.bytes),
    one.bloatBytes === null ? "?" : size(one.bloatBytes),
    one.isValid ? `${compact.format(one.scans)} scans` : "of no use: not built to its end"
  ])
  return ["", ...table([["index", "size", "bloat*", "used"], ...rows])]
}

const transactionLines = ({ transactions }: MaintenanceReport): ReadonlyArray<string> =>
  transactions.length === 0
    ? []
    : [
        "",
        "Open for long: VACUUM leaves what died since, and building an index waits.",
        ...table(
          transactions.map(({ pid, application, user, state, ageMs }) => [
            pid === null ? "prepared" : `pid ${pid}`,
            application,
            user,
            state,
            age(ageMs)
          ])
        ).map((line) => `${INDENT}${line}`)
      ]

const summary = (report: MaintenanceReport): string => {
  const { totals, transactionIds, tookMs } = report
  const all = `${counted(totals.tables, "table")}, ${size(totals.bytes)}, and ${totals.indexes} indexes, ${size(totals.indexBytes)}`
  const ids = `transaction ids: ${compact.format(transactionIds.age)} of the ${compact.format(transactionIds.freezeAge)} at which the server freezes`
  return `${all}; ${ids}. Looked at in ${age(tookMs)}.`
}

const END = "* estimated from statistics: what the average widths of columns do not account for."

const outcome = ({ isDryRun, steps, recorded }: MaintenanceReport): string => {
  if (steps.length === 0) return "There is nothing to do."
  if (isDryRun) return `${counted(steps.length, "step")} found; nothing was done.`
  const done = steps.filter(({ outcome: became }) => became === "done").length
  const place =
    recorded === undefined ? "" : `; recorded as version ${recorded.version} of ${recorded.stream}`
  return `${done} of ${counted(steps.length, "step")} done${place}.`
}

/** What maintenance found and did, for people, in lines of a width at most. */
export const maintainText = (
  report: MaintenanceReport,
  paint: Paint,
  width = Number.POSITIVE_INFINITY
): ReadonlyArray<string> => {
  const fit = (line: string): string => cut(line, width)
  const prose = (text: string): ReadonlyArray<string> => paragraph(printable(text), width)
  return [
    ...report.steps.flatMap((step) => stepLines(step, paint, width)),
    ...(report.steps.length === 0 ? [] : [""]),
    ...[...tableLines(report), ...indexLines(report), ...transactionLines(report)].map(fit),
    "",
    ...report.left.flatMap(({ part, why }) => prose(`Left: ${part}: ${why}.`)),
    ...prose(summary(report)),
    ...prose(END).map((line) => paint(line, "dim")),
    ...prose(outcome(report))
  ]
}
