import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { fromSources } from "../../../src/engine/settings/sources.ts"
import { type InvalidConfiguration } from "../../../src/errors.ts"
import { open } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"

// The keys of a monitoring.yml, in words of the settings that they come to.

const db = testDatabase()
let directory = ""
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-monitoring-"))
})
afterEach(() => rm(directory, { recursive: true }))

const WHOLE = `
monitoring:
  heartbeat:
    timeout: 120
    missed_threshold: 3
    alert_on_miss: true
  performance:
    collection_interval: 60
    retention_days: 30
  health_checks:
    enabled: true
    interval: 30
    critical_thresholds:
      cpu_usage: 95
      memory_usage: 95
      error_rate: 10
`

const settings = async (text: string) => {
  await writeFile(join(directory, "tidemark.yaml"), text)
  return Effect.runPromise(fromSources({}, {}, directory))
}

const problem = (text: string): Promise<string> =>
  settings(text).then(
    (found) => `none: ${JSON.stringify(found)}`,
    (thrown: InvalidConfiguration) => `${thrown.name}: ${thrown.message}`
  )

describe("the keys under monitoring", () => {
  test("are settings by other names", async () => {
    expect(await settings(WHOLE)).toEqual({
      heartbeatIntervalMs: 60_000,
      measureMs: 60_000,
      metricDays: 30,
      healthCheckMs: 30_000,
      alertRules: [
        { rule: "monitoring-missed-beats", severity: "ERROR", when: { kind: "missed_beats", from: "lost" } },
        {
          rule: "monitoring-cpu_usage",
          severity: "CRITICAL",
          when: { kind: "metric", metric: "cpu_usage", threshold: 95 }
        },
        {
          rule: "monitoring-memory_usage",
          severity: "CRITICAL",
          when: { kind: "metric", metric: "memory_usage", threshold: 95 }
        },
        { rule: "monitoring-error_rate", severity: "CRITICAL", when: { kind: "error_rate", above: 0.1 } }
      ]
    })
  })

  test("may be left out, each by itself, and switched off", async () => {
    expect(await settings("monitoring: {}\npoolSize: 3\n")).toEqual({ poolSize: 3 })
    expect(
      await settings(
        "monitoring: { health_checks: { interval: 30, enabled: false }, heartbeat: { alert_on_miss: false } }"
      )
    ).toEqual({ healthCheckMs: 0 })
    expect(await settings("monitoring: { performance: { retention_days: 0 } }")).toEqual({ metricDays: 0 })
  })

  test("go together with the settings of the file that say the same, or something else", async () => {
    expect(await settings("monitoring: { performance: { retention_days: 9 } }\nmetricDays: 9\n")).toEqual({
      metricDays: 9
    })
    const own = "alertRules: [{ rule: slow, when: { kind: metric, metric: latency, threshold: 5 } }]"
    expect(await settings(`monitoring: { heartbeat: { alert_on_miss: true } }\n${own}\n`)).toMatchObject({
      alertRules: [{ rule: "slow" }, { rule: "monitoring-missed-beats" }]
    })
  })

  test.each([
    [
      "monitoring: 3",
      "tidemark.yaml: monitoring is no object: give its sections, heartbeat, performance, health_checks"
    ],
    [
      "monitoring: { beats: {} }",
      'has a key "beats", which is not known: there are heartbeat, performance, health_checks'
    ],
    [
      "monitoring: { heartbeat: 5 }",
      "monitoring.heartbeat is no object: give its keys, timeout, missed_threshold, alert_on_miss"
    ],
    ["monitoring: { heartbeat: { time_out: 5 } }", 'has a key "time_out", which is not known'],
    [
      "monitoring: { heartbeat: { timeout: soon } }",
      'monitoring.heartbeat.timeout is "soon": give seconds, above 0'
    ],
    ["monitoring: { heartbeat: { timeout: 0 } }", "monitoring.heartbeat.timeout is 0: give seconds"],
    ["monitoring: { heartbeat: { missed_threshold: 5 } }", "is 5: agents are lost after 3 missed beats"],
    ["monitoring: { heartbeat: { alert_on_miss: 1 } }", "is 1: give true or false"],
    ["monitoring: { performance: { retention_days: -1 } }", "metricDays is -1: give a whole number from 0"],
    [
      "monitoring: { performance: { retention_days: 3 } }\nmetricDays: 4",
      "retention_days and metricDays say different things"
    ],
    [
      "monitoring: { health_checks: { critical_thresholds: { cpu: high } } }",
      'has a threshold of cpu that is "high"'
    ],
    [
      "monitoring: { health_checks: { critical_thresholds: [1] } }",
      "is no object: give a threshold for each metric"
    ],
    [
      "monitoring: { health_checks: { critical_thresholds: { error_rate: 200 } } }",
      "alertRules is no list of rules"
    ],
    ["alertRules: { rule: slow }", "alertRules is no list of rules as alerts.setRule takes them"],
    [
      "alertRules: [{ rule: a, when: { kind: missed_beats } }, { rule: a, when: { kind: missed_beats } }]",
      'alertRules has two rules "a": keep one of them'
    ]
  ])("%j is refused", async (text, why) => {
    expect(await problem(text)).toContain(why)
  })
})

test("rules of the settings are set when an engine opens, once, and again where they have changed", async () => {
  const text = (threshold: number) =>
    `monitoring: { health_checks: { critical_thresholds: { cpu_usage: ${threshold} } } }`
  const opened = async (threshold: number, version: number) => {
    await writeFile(join(directory, "tidemark.yaml"), text(threshold))
    await using engine = await open({
      database: db.url,
      logger: false,
      config: join(directory, "tidemark.yaml")
    })
    return await until(async () => {
      const [rule] = await engine.alerts.rules({ rule: "monitoring-cpu_usage" })
      return rule?.version === version ? rule : undefined
    })
  }
  expect(await opened(95, 1)).toMatchObject({
    severity: "CRITICAL",
    setBy: "configuration",
    when: { threshold: 95 }
  })
  await opened(95, 1)
  expect(await opened(90, 2)).toMatchObject({ when: { threshold: 90 } })
})
