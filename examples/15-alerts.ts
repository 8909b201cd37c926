/** A rule raises an alert when agents are too slow, a subscription pages somebody, and it is cleared when they are not any more. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

// Each alert that is raised is a warning of the engine, too, unless it has no log.
await using engine = await open({ alertCheckMs: 100, logger: false })
const agent = `billing-${randomUUID().slice(0, 8)}`
const rule = `slow-${agent}`

await engine.alerts.setRule({
  rule,
  when: { kind: "metric", metric: "latency", agent, of: "max", threshold: 500 },
  severity: "ERROR",
  by: "operator",
  reason: "customers wait"
})

const events = engine.events({ streams: [`alert-${rule}`], from: "start" })
await engine.metrics.record({ agent, name: "latency", value: 700 })

for await (const { type, data } of events) {
  if (type === "AlertRaised") {
    const { summary } = data as { summary: string }
    console.log("raised:", summary)
    const [alert] = await engine.alerts.list({ rule, status: "open" })
    if (alert !== undefined) await engine.alerts.acknowledge({ alert: alert.alert, by: "ada" })
    await engine.alerts.removeRule({ rule, by: "operator", reason: "the example is over" })
  }
  if (type === "AlertCleared") {
    console.log("cleared:", (data as { why: string }).why)
    break
  }
}

const [last] = await engine.alerts.list({ rule })
console.log(last?.status, "after", last?.lastedMs, "ms, seen by", last?.acknowledgedBy)
