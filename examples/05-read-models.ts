/** The read models that every engine has: agents, heartbeats, metrics. A query sees what this engine wrote before it. */
import { randomUUID } from "node:crypto"
import { InvalidInput, open } from "tidemark"

await using engine = await open()
const agent = `writer-${randomUUID().slice(0, 8)}`

await engine.agents.register({ agent, config: { model: "small" }, metadata: { host: "laptop" } })
await engine.heartbeats.record({ agent, state: "running", metrics: { queue: 3 } })
for (const value of [120, 80, 95]) {
  await engine.metrics.record({ agent, name: "words_per_minute", value, unit: "wpm" })
}

const known = await engine.agents.get({ agent })
const health = await engine.heartbeats.health({ agent })
console.log(known?.agent === agent, known?.state, "healthy:", health.healthy)

const [summary] = await engine.metrics.summary({ agent })
console.log(summary?.name, "avg", Math.round(summary?.avg ?? 0), "of", summary?.count)

await engine.agents.stop({ agent, reason: "done" })
console.log((await engine.agents.get({ agent }))?.state)

await engine.metrics
  .record({ agent, name: "words_per_minute", value: Number.NaN })
  .catch((error: unknown) => console.log("refused:", error instanceof InvalidInput))
