import { pino } from "pino"
import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"
import { collector, until } from "../support/eventually.ts"

// The evaluator as an engine has it, by its own clock.

const OFTEN = { alertCheckMs: 20 }

const log = testLog(OFTEN)

type Line = {
  readonly level: number
  readonly msg: string
  readonly rule?: string
  readonly summary?: string
}

test("an engine raises and clears alerts, says so in its log, and another goes on where it closes", async () => {
  const lines = collector<Line>()
  const logger = pino({ level: "info" }, { write: (line) => lines.push(JSON.parse(line) as Line) })
  const other = await log.open({ ...OFTEN, logger })
  const { alerts, systemEvents } = other
  const stands = (status: "open" | "cleared") => until(async () => (await alerts.list({ status }))[0])
  await alerts.setRule({ rule: "cries", when: { kind: "system_event", severity: "CRITICAL" } })
  await systemEvents.log({ type: "cry", severity: "CRITICAL" })
  const { alert } = await stands("open")

  await log.engine.close()
  await alerts.removeRule({ rule: "cries" })
  expect(await stands("cleared")).toMatchObject({ alert, clearedWhy: "rule_removed" })
  await alerts.setRule({ rule: "cries-again", when: { kind: "system_event", severity: "CRITICAL" } })
  const raised = await lines.first(({ msg, rule }) => msg === "alert raised" && rule === "cries-again")
  expect(raised).toMatchObject({
    level: 40,
    subject: "fleet",
    value: 1,
    summary: "1 system event, CRITICAL or worse, in 300 s, of fleet"
  })
  const cleared = await lines.first(({ msg }) => msg === "alert cleared")
  expect(cleared).toMatchObject({ level: 30, rule: "cries", alert, why: "rule_removed" })
  expect((await alerts.list()).map(({ rule }) => rule)).toEqual(["cries-again", "cries"])
})
