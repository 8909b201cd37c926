import { Effect } from "effect"
import type { HealthState } from "../../../projections/vitals/interval.ts"
import type { LogError } from "../../log/error.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { engineStatus } from "../status.ts"
import { asIs } from "../asking.ts"
import { check, failing, type HealthCheck } from "./check.ts"
import { checksOf } from "./checks.ts"
import type { ServerLoads } from "./server-load.ts"

/** How a log is, its engine and its fleet. */
export interface SystemHealth {
  /** `healthy` where all is ok; `unhealthy` where something does not do what it is for; `degraded` where something else is not as it should be. */
  readonly status: "healthy" | "degraded" | "unhealthy"
  readonly at: Date
  /** The same ones in the same order each time; only that of the server, where it does not answer. */
  readonly checks: ReadonlyArray<HealthCheck>
}

/** How long the server may take to say all of it, in ms; then it counts as one that does not answer. */
export const HEALTH_PATIENCE_MS = 5_000

/** What is critical counts for so long, in hours. */
const CRITICAL_HOURS = 1

/** How many of those that are lost are named. */
const NAMED = 4

const lostNow = Effect.gen(function* () {
  const counts = yield* asIs<{ readonly health: HealthState; readonly agents: number }>(
    "#projections/vitals/counts.sql",
    []
  )
  const of = (wanted: HealthState): number => counts.find(({ health }) => health === wanted)?.agents ?? 0
  const lost = of("lost")
  const found =
    lost === 0
      ? []
      : yield* asIs<{ readonly agent: string }>("#projections/vitals/unwell.sql", [["lost"], "", NAMED])
  return { late: of("late"), lost, names: found.map(({ agent }) => agent) }
})

/** What the checks say together. */
export const healthOf = (checks: ReadonlyArray<HealthCheck>): SystemHealth => {
  const is = (state: HealthCheck["state"]): boolean => checks.some((one) => one.state === state)
  const status = is("failing") ? "unhealthy" : is("warning") ? "degraded" : "healthy"
  return { status, at: new Date(), checks }
}

const unanswered = (found: string): SystemHealth =>
  healthOf([
    check(
      "server",
      "",
      failing(
        true,
        found,
        "see that the server runs, that the address is right, and that this role may read the log"
      )
    )
  ])

const looked = (loads: ServerLoads) =>
  Effect.gen(function* () {
    const postgres = yield* Postgres
    const pool = postgres.pool()
    const askedAt = performance.now()
    const server = yield* loads.look(postgres)
    const answerMs = performance.now() - askedAt
    const [counted] = yield* asIs<{ readonly critical: number }>("#projections/system-events/critical.sql", [
      CRITICAL_HOURS
    ])
    const status = yield* engineStatus
    return healthOf(
      checksOf({ status, pool, server, answerMs, agents: yield* lostNow, critical: counted!.critical })
    )
  })

/** How all is now. It is told, too, where the server does not answer: nothing fails. */
export const healthIn = (loads: ServerLoads) =>
  looked(loads).pipe(
    Effect.catch((error: PostgresError | LogError | Error) => Effect.succeed(unanswered(error.message))),
    Effect.timeoutOrElse({
      duration: HEALTH_PATIENCE_MS,
      orElse: () => Effect.succeed(unanswered(`no answer within ${HEALTH_PATIENCE_MS} ms`))
    })
  )
