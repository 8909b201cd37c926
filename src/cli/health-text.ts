import type { HealthCheck, SystemHealth } from "../engine/overseeing.ts"
import type { Paint, Style } from "./terminal/palette.ts"
import { paragraph } from "./terminal/paragraph.ts"
import { padEnd, printable } from "./terminal/text.ts"

const STYLES: Readonly<Record<HealthCheck["state"], Style>> = {
  ok: "green",
  warning: "yellow",
  failing: "red"
}

const LABEL_WIDTH = 9

const INDENT = " ".repeat(LABEL_WIDTH)

const checkLines = (check: HealthCheck, paint: Paint, width: number): ReadonlyArray<string> => {
  const { name, state, found, remedy } = check
  const room = width - LABEL_WIDTH
  const [first = "", ...rest] = paragraph(printable(`${name}: ${found}`), room)
  const todo = remedy === undefined ? [] : paragraph(printable(`To do: ${remedy}.`), room)
  return [
    `${paint(padEnd(state, LABEL_WIDTH), STYLES[state])}${first}`,
    ...rest.map((line) => `${INDENT}${line}`),
    ...todo.map((line) => `${INDENT}${paint(line, "dim")}`)
  ]
}

/** Health for people, in lines of a width at most. */
export const healthText = (
  { status, checks }: SystemHealth,
  paint: Paint,
  width = Number.POSITIVE_INFINITY
): ReadonlyArray<string> => {
  const wrong = checks.filter(({ state }) => state !== "ok").length
  const said = wrong === 0 ? `all of ${checks.length} are ok` : `${wrong} of ${checks.length} are not ok`
  return [
    ...checks.flatMap((one) => checkLines(one, paint, width)),
    "",
    ...paragraph(`${status}: ${said}.`, width).map((line) => paint(line, "bold"))
  ]
}
