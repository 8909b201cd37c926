import { expect, test } from "vitest"
import type { Engine, Event } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

// The watchdog as an engine has it, by its own clock.

const log = testLog()

const SHORT_MS = 100
const LONG_MS = 3_600_000

/** What comes to be said of agents, in the order of the log. */
const listen = async (engine: Engine) => {
  const said: Array<Event> = []
  const { stop } = await engine.subscribe({ categories: ["health"] }, (event) => void said.push(event))
  return { said, stop }
}

test("an engine watches the agents of the fleet, and another goes on where it closes", async () => {
  const other = await log.open()
  const third = await log.open()
  const { said, stop } = await listen(third)
  const typesOf = (agent: string) =>
    said.filter(({ stream }) => stream === `health-${agent}`).map(({ type }) => type)
  const { agents, heartbeats } = other
  await agents.register({ agent: "x", heartbeatIntervalMs: SHORT_MS })
  await heartbeats.record({ agent: "x" })
  await until(() => typesOf("x").length >= 2)
  await agents.update({ agent: "x", heartbeatIntervalMs: LONG_MS })
  await until(() => typesOf("x").length >= 3)
  expect(typesOf("x")).toEqual(["AgentRanLate", "AgentLost", "AgentRecovered"])

  await log.engine.close()
  await agents.register({ agent: "y", heartbeatIntervalMs: SHORT_MS })
  await until(() => typesOf("y").length >= 2)
  await heartbeats.record({ agent: "y" })
  await agents.update({ agent: "y", heartbeatIntervalMs: LONG_MS })
  await until(() => typesOf("y").length >= 3)
  expect(typesOf("y")).toEqual(["AgentRanLate", "AgentLost", "AgentRecovered"])
  expect(typesOf("x")).toHaveLength(3)
  await until(async () => (await other.vitals.overview()).counts.healthy === 2)
  await stop()
})
