import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { collector } from "../support/eventually.ts"
import { startWorker } from "../support/process.ts"

// This process only follows: whoever judges is one that is killed.

const log = testLog({ readModels: "follow" })

const KILLS = 4

test("a process that is killed as soon as it has raised an alert is followed by one that raises none of them again", async () => {
  const { alerts, systemEvents } = log.engine
  const said = collector<Event>()
  const { stop } = await log.engine.subscribe({ categories: ["alert"] }, said.push)
  await systemEvents.log({ type: "cry", severity: "CRITICAL" })
  const raisedBy = (rule: string) =>
    said.first(({ stream, type }) => stream === `alert-${rule}` && type === "AlertRaised")
  const rules = Array.from({ length: KILLS }, (_, nth) => `cries-${nth}`)
  for (const rule of rules) {
    await using judge = startWorker("judge", { input: { database: log.db.url } })
    await judge.says(1)
    await alerts.setRule({ rule, when: { kind: "system_event", severity: "CRITICAL" } })
    await raisedBy(rule)
    await judge.kill()
  }
  await using last = startWorker("judge", { input: { database: log.db.url } })
  await last.says(1)
  // In the look that raises this one, all the others are judged.
  await alerts.setRule({ rule: "after", when: { kind: "system_event", severity: "CRITICAL" } })
  await raisedBy("after")
  for (const rule of rules) await alerts.removeRule({ rule })
  for (const rule of rules)
    await said.first(({ stream, type }) => stream === `alert-${rule}` && type === "AlertCleared")
  const told = said.items.map(({ stream, type }) => `${stream} ${type}`)
  expect(told.toSorted()).toEqual(
    [
      ...rules.flatMap((rule) => [`alert-${rule} AlertCleared`, `alert-${rule} AlertRaised`]),
      "alert-after AlertRaised"
    ].toSorted()
  )
  await stop()
})
