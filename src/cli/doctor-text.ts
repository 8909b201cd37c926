import type { Diagnosis, Finding } from "../engine/upkeep.ts"
import type { Paint, Style } from "./terminal/palette.ts"
import { paragraph } from "./terminal/paragraph.ts"
import { counted, size } from "./terminal/quantity.ts"
import { padEnd, printable } from "./terminal/text.ts"

const STYLES: Readonly<Record<Finding["severity"], Style>> = {
  problem: "red",
  warning: "yellow",
  hint: "cyan"
}

const LABEL_WIDTH = 9

const INDENT = " ".repeat(LABEL_WIDTH)

const RELOAD = "select pg_reload_conf();"

const findingLines = (finding: Finding, paint: Paint, width: number): ReadonlyArray<string> => {
  const { name, severity, found, advised, why, statements, remedy } = finding
  const label = paint(padEnd(severity, LABEL_WIDTH), STYLES[severity])
  const room = width - LABEL_WIDTH
  const indented = (text: string): ReadonlyArray<string> =>
    paragraph(printable(text), room).map((line) => `${INDENT}${line}`)
  const [first = "", ...rest] = paragraph(printable(`${name}: ${found}`), room)
  return [
    `${label}${paint(first, "bold")}`,
    ...rest.map((line) => `${INDENT}${paint(line, "bold")}`),
    ...indented(`Advised: ${advised}, because ${why}.`).map((line) => paint(line, "dim")),
    // A statement is to be copied: it is never broken.
    ...statements.map((statement) => `${INDENT}${printable(statement)}`),
    ...(remedy === null ? [] : indented(`${remedy}.`)),
    ""
  ]
}

const afterwards = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const changed = findings.filter(({ statements }) => statements.length > 0)
  const named = (takes: Finding["takes"]): string =>
    changed
      .filter((finding) => finding.takes === takes)
      .map(({ name }) => name)
      .join(", ")
  const restarted = named("restart")
  return [
    ...(named("reload") === "" ? [] : [`Then, for these settings to count: ${RELOAD}`]),
    ...(restarted === "" ? [] : [`The server has to be restarted for: ${restarted}.`])
  ]
}

const COUNTED = ["problem", "warning", "hint"] as const

const summary = ({ findings, judged, version, memoryBytes }: Diagnosis): string => {
  const counts = COUNTED.map(
    (severity) => [findings.filter((finding) => finding.severity === severity).length, severity] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, severity]) => counted(count, severity))
  const found = counts.length === 0 ? "All is as advised" : counts.join(", ")
  const memory = memoryBytes === undefined ? "memory not known (--memory)" : `${size(memoryBytes)} of memory`
  return `${found}; ${judged} things looked at on PostgreSQL ${version}, ${memory}.`
}

/** What the doctor found, for people, in lines of a width at most, but for statements, which are to be copied. */
export const doctorText = (
  diagnosis: Diagnosis,
  paint: Paint,
  width = Number.POSITIVE_INFINITY
): ReadonlyArray<string> => {
  const { findings, unseen } = diagnosis
  const prose = (text: string): ReadonlyArray<string> => paragraph(printable(text), width)
  const after = afterwards(findings).flatMap(prose)
  const missing =
    unseen.length === 0
      ? []
      : prose(
          `Not judged, since this role may not see the settings (grant pg_read_all_settings to it), or the server is too old to have them: ${unseen.join(", ")}.`
        )
  return [
    ...findings.flatMap((finding) => findingLines(finding, paint, width)),
    ...after,
    ...missing,
    ...prose(summary(diagnosis))
  ]
}
