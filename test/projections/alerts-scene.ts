import { Effect, Stream } from "effect"
import { builtIn } from "../../projections/index.ts"
import { evaluatorLook } from "../../projections/alerts/evaluator.ts"
import type { Event } from "../../src/log/event.ts"
import type { Process, Scene } from "../projection/scene.ts"
import { until } from "../support/eventually.ts"

export const eventsIn = async (one: Process, category: string): Promise<ReadonlyArray<Event>> => [
  ...(await one.run(Stream.runCollect(one.log.replay({ categories: [category] }))))
]

/** The read models that rules look at, and evaluators that look when they are told to. */
export const judged = async (start: Scene["start"], evaluators = 1) => {
  const one = await start()
  const alerts = await one.project(builtIn.alerts)
  const rules = await one.project(builtIn.alert_rules)
  const { summary } = await one.project(builtIn.metric_rollups)
  const metrics = await one.project(builtIn.metrics)
  const systemEvents = await one.project(builtIn.system_events)
  await one.project(builtIn.vitals)
  const looks = await one.run(Effect.all(Array.from({ length: evaluators }, () => evaluatorLook)))
  // Who folds the read model is who judges.
  await until(() => !one.status("alerts").follows)
  /** All read models are as far as the log. */
  const folded = async () => {
    const settled = await one.run(one.log.settled)
    for (const name of ["alerts", "alert_rules", "metric_rollups", "system_events", "vitals"])
      await one.reaches(name, settled)
  }
  /** One look of each evaluator at once, at what was written before. */
  const look = async (): Promise<ReadonlyArray<Event>> => {
    await folded()
    await Promise.all(looks.map((single) => one.run(single)))
    await folded()
    return eventsIn(one, "alert")
  }
  const set = (given: Parameters<typeof rules.setRule>[0]) => one.run(rules.setRule(given))
  return { one, alerts, rules, metrics, summary, systemEvents, look, set }
}

export type Judged = Awaited<ReturnType<typeof judged>>

export const typesOf = (events: ReadonlyArray<Event>): ReadonlyArray<string> => events.map(({ type }) => type)
