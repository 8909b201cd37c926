import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { healthText } from "../../src/cli/health-text.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"
import type { SystemHealth } from "../../src/engine/overseeing.ts"
import { type Engine, open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { run } from "./tidemark.ts"

const db = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false })
  await until(async () => (await engine.health()).status === "healthy")
})
afterAll(() => engine.close())

describe("tidemark health", () => {
  test("tells people and programs whether all is well", async () => {
    const well = await run(["health", "-d", db.url])
    expect(well).toMatchObject({ code: 0, stderr: "" })
    expect(well.stdout).toMatch(/^ok {7}read models: all \d+ keep up$/mu)
    expect(well.stdout).toMatch(/^healthy: all of \d+ are ok\.$/mu)
    await engine.systemEvents.log({ type: "meltdown", severity: "CRITICAL" })
    await until(async () => (await engine.health()).status === "degraded")
    const degraded = await run(["health", "--json", "-d", db.url])
    expect(degraded).toMatchObject({ code: 0, stderr: "" })
    const told = JSON.parse(degraded.stdout) as SystemHealth
    expect(told.status).toBe("degraded")
    expect(told.checks.find(({ name }) => name === "system events")).toMatchObject({ state: "warning" })
  })

  test("ends with 1 where something does not do what it is for", async () => {
    await db.query(`update tidemark.projections set state = 'stopped',
      error = '{"position": 1, "type": "Odd", "message": "no"}' where name = 'help'`)
    const { code, stdout } = await run(["health", "-d", db.url])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^failing {2}read models: help has stopped at an event$/mu)
    expect(stdout).toContain("To do: see the error with tidemark status")
  })
})

test.each([40, 80])("fits a terminal of %i columns", (columns) => {
  const health: SystemHealth = {
    status: "unhealthy",
    at: new Date(),
    checks: [
      { name: "server", state: "ok", found: "answers in 0.4 ms", remedy: undefined },
      {
        name: "read models",
        state: "failing",
        found: "one, another, and several more of them have stopped at an event that is not understood",
        remedy: "see the error with tidemark status, mend the fold, and rebuild"
      }
    ]
  }
  const lines = healthText(health, noPaint, columns)
  expect(lines.filter((line) => widthOf(line) > columns)).toEqual([])
  expect(lines.at(-1)).toBe("unhealthy: 1 of 2 are not ok.")
})
