import { describe, expect, test } from "vitest"
import { checksOf, type HealthFacts } from "../../../src/engine/oversight/checks.ts"
import { healthOf } from "../../../src/engine/oversight/health.ts"
import { readModel, subscription, well, withPool, withServer, withStatus } from "./well.ts"

const NAMES = [
  "server",
  "connections",
  "log",
  "wake-ups",
  "read models",
  "subscriptions",
  "synchronisations",
  "telemetry",
  "agents",
  "system events"
]

const behind = { lag: { atMost: 7, isCount: true } }
const holder = { pid: 7, application: "importer" }

/** What is wrong, the check that says so, how bad it is, and a word of what is found. */
const WRONG: ReadonlyArray<readonly [string, HealthFacts, string, "warning" | "failing", string]> = [
  ["the server is slow", { ...well, answerMs: 1_001 }, "server", "warning", "1.0 s"],
  [
    "work waits for a connection",
    withPool({ open: 10, idle: 0, waiting: 3 }),
    "connections",
    "warning",
    "3 more are wanted"
  ],
  ["the server is nearly full", withServer({ connections: 78 }), "connections", "warning", "78 of"],
  [
    "the end of the log is held",
    withStatus({ unsettledForMs: 10_000, feed: { heldBy: [holder] } }),
    "log",
    "warning",
    "pid 7 (importer)"
  ],
  [
    "it is held for a minute",
    withStatus({ unsettledForMs: 60_000, feed: { heldBy: [{ pid: null }] } }),
    "log",
    "failing",
    "a prepared transaction"
  ],
  [
    "NOTIFY does not arrive",
    withStatus({ wake: { mode: "polling", reason: "a pooler" } }),
    "wake-ups",
    "warning",
    "a pooler"
  ],
  [
    "a read model stopped",
    withStatus({ projections: [readModel("agents"), readModel("help", { state: "stopped" })] }),
    "read models",
    "failing",
    "help has stopped"
  ],
  [
    "a read model is behind",
    withStatus({ projections: [readModel("help", { ...behind, lagMs: 10_000 })] }),
    "read models",
    "warning",
    "help (10 s) behind"
  ],
  [
    "a read model is too far behind to say how far",
    withStatus({ projections: [readModel("help", { ...behind, lagMs: undefined })] }),
    "read models",
    "warning",
    "help (far) behind"
  ],
  [
    "nobody folds",
    withStatus({ projections: [readModel("help", { ...behind, lagMs: 10_000, owner: undefined })] }),
    "read models",
    "failing",
    "no engine folds"
  ],
  [
    "a subscription stopped",
    withStatus({ durable: [subscription("mail", { partitions: [{ state: "stopped" }] })] }),
    "subscriptions",
    "failing",
    "mail stopped"
  ],
  [
    "a subscription has parked events",
    withStatus({ durable: [subscription("mail", { held: { retrying: 0, waiting: 0, parked: 1 } })] }),
    "subscriptions",
    "warning",
    "mail has parked"
  ],
  [
    "nobody handles a subscription's events",
    withStatus({
      durable: [subscription("mail", { members: 0, lag: { atLeast: 1, atMost: 1 }, lagMs: 10_000 })]
    }),
    "subscriptions",
    "warning",
    "nobody handles"
  ],
  [
    "work of synchronisations is parked",
    withStatus({ sync: { ...well.status.sync, parked: 1 } }),
    "synchronisations",
    "warning",
    "1 piece of work is given up"
  ],
  [
    "a target of synchronisations is left alone",
    withStatus({ sync: { ...well.status.sync, broken: [{ agent: "billing-7" }] } }),
    "synchronisations",
    "warning",
    "billing-7"
  ],
  [
    "no partition lies ahead",
    withStatus({ telemetry: { partitions: [], ahead: 0, warning: "no partition lies ahead" } }),
    "telemetry",
    "warning",
    "no partition"
  ],
  [
    "agents are lost",
    { ...well, agents: { late: 1, lost: 6, names: ["a", "b", "c", "d"] } },
    "agents",
    "warning",
    "a, b, c, d and 2 more are lost"
  ],
  [
    "one agent is lost",
    { ...well, agents: { late: 0, lost: 1, names: ["a"] } },
    "agents",
    "warning",
    "a is lost"
  ],
  ["something critical happened", { ...well, critical: 2 }, "system events", "warning", "2 critical events"]
]

/** What looks like trouble, and is none. */
const RIGHT: ReadonlyArray<readonly [string, HealthFacts]> = [
  ["all is well", well],
  ["all connections are in use, and nobody waits", withPool({ open: 10, idle: 0 })],
  ["a connection is waited for that is being opened", withPool({ open: 4, idle: 0, waiting: 1 })],
  ["agents are late", { ...well, agents: { late: 3, lost: 0, names: [] } }],
  [
    "an engine has only begun",
    withStatus({ wake: { mode: "polling", reason: "LISTEN is not in force yet" } })
  ],
  ["a standby polls", withStatus({ standby: true, wake: { mode: "polling", reason: "a standby" } })],
  [
    "a standby makes no partitions",
    withStatus({ standby: true, telemetry: { partitions: [], ahead: 0, warning: "none" } })
  ],
  [
    "a read model is a little behind",
    withStatus({ projections: [readModel("help", { ...behind, lagMs: 9_999 })] })
  ],
  [
    "a read model that nobody owns has all",
    withStatus({ projections: [readModel("help", { owner: undefined })] })
  ],
  [
    "a paused subscription has nobody",
    withStatus({
      durable: [subscription("mail", { state: "paused", members: 0, lag: { atMost: 1 }, lagMs: 60_000 })]
    })
  ]
]

describe("health", () => {
  test.each(WRONG)("%s", (_, facts, name, state, said) => {
    const wrong = checksOf(facts).filter((one) => one.state !== "ok")
    expect(wrong).toMatchObject([{ name, state }])
    expect(wrong[0]!.found).toContain(said)
    expect(wrong[0]!.remedy).toMatch(/./)
    expect(healthOf(checksOf(facts)).status).toBe(state === "failing" ? "unhealthy" : "degraded")
  })

  test.each(RIGHT)("is not worse where %s", (_, facts) => {
    const checks = checksOf(facts)
    expect(checks.map(({ name }) => name)).toEqual(NAMES)
    expect(checks.filter(({ state, remedy }) => state !== "ok" || remedy !== undefined)).toEqual([])
    expect(healthOf(checks).status).toBe("healthy")
  })

  test("tells the worst that is wrong with one thing", () => {
    const projections = [
      readModel("agents", { ...behind, lagMs: 60_000 }),
      readModel("help", { state: "stopped" })
    ]
    expect(checksOf(withStatus({ projections }))).toContainEqual(
      expect.objectContaining({
        name: "read models",
        state: "failing",
        found: "help has stopped at an event"
      })
    )
  })
})
