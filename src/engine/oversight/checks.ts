import { NOT_YET } from "../../log/wake.ts"
import type { PoolStanding } from "../../postgres/pool.ts"
import { count, list, seconds } from "../../base/words.ts"
import type { EngineStatus } from "../status.ts"
import { check, failing, type HealthCheck, warning } from "./check.ts"
import type { ServerLoad } from "./server-load.ts"

/** From what part of them on connections are scarce. */
export const SCARCE = 0.8

/** How long the server may take to answer a small question, in ms. */
const SLOW_ANSWER_MS = 1_000

/** How long the end of the log may be held up before that is said, and before it is bad, in ms. */
const HELD_MS = 10_000
const HELD_FOR_LONG_MS = 60_000

/** How far read models and subscriptions may be behind, in ms. */
const BEHIND_MS = 10_000

/** What health is judged by. */
export interface HealthFacts {
  readonly status: EngineStatus
  readonly pool: PoolStanding
  readonly server: ServerLoad
  /** How long the server took to answer, in ms. */
  readonly answerMs: number
  /** How many agents are late, and how many lost; the first of these by id. */
  readonly agents: { readonly late: number; readonly lost: number; readonly names: ReadonlyArray<string> }
  /** How many CRITICAL system events there were in the last hour. */
  readonly critical: number
}

type Judge = (facts: HealthFacts) => HealthCheck

const server: Judge = ({ answerMs, status: { standby } }) =>
  check(
    "server",
    `answers in ${answerMs.toFixed(1)} ms${standby ? ", a standby" : ""}`,
    warning(
      answerMs > SLOW_ANSWER_MS,
      `took ${seconds(answerMs)} to answer`,
      "see what it is busy with: tidemark doctor, and pg_stat_activity"
    )
  )

const connections: Judge = ({ pool, server: { connections: all, maxConnections } }) => {
  const used = pool.open - pool.idle
  return check(
    "connections",
    `${used} of this engine's ${pool.size} in use; ${all} of the server's ${maxConnections}`,
    warning(
      pool.waiting > 0 && used >= pool.size,
      `all ${pool.size} of this engine are in use, and ${count(pool.waiting, "more is", "more are")} wanted`,
      "give poolSize a larger number, or do less at once"
    ),
    warning(
      all >= SCARCE * maxConnections,
      `${all} of the server's ${maxConnections} are taken`,
      "use a pooler or fewer engines, or raise max_connections"
    )
  )
}

const tail: Judge = ({ status: { unsettledForMs, feed } }) => {
  const holders = feed.heldBy.map(({ pid, application }) =>
    pid === null ? "a prepared transaction" : `pid ${pid}${application ? ` (${application})` : ""}`
  )
  const found = `events wait for ${seconds(unsettledForMs)} to be handed over, behind ${list(holders)}`
  const remedy = "have that transaction end: readers wait for it, writers do not"
  return check(
    "log",
    "nobody holds up its end",
    failing(unsettledForMs >= HELD_FOR_LONG_MS, found, remedy),
    warning(unsettledForMs >= HELD_MS, found, remedy)
  )
}

const wakeUps: Judge = ({ status: { wake, standby } }) =>
  check(
    "wake-ups",
    wake.reason,
    warning(
      wake.mode === "polling" && wake.reason !== NOT_YET && !standby,
      `readers look by themselves: ${wake.reason}`,
      "behind a pooler, give the server's own address as `wake`"
    )
  )

const readModels: Judge = ({ status: { projections } }) => {
  const stopped = projections.filter(({ state }) => state === "stopped").map(({ name }) => name)
  const behind = projections.filter(
    ({ state, lag, lagMs }) => state !== "stopped" && lag.atMost > 0 && (lagMs ?? Infinity) >= BEHIND_MS
  )
  const left = behind.filter(({ owner }) => owner === undefined).map(({ name }) => name)
  return check(
    "read models",
    `all ${projections.length} keep up`,
    failing(
      stopped.length > 0,
      `${list(stopped)} ${stopped.length === 1 ? "has" : "have"} stopped at an event`,
      "see the error with tidemark status, mend the fold, and rebuild"
    ),
    failing(
      left.length > 0,
      `${list(left)} ${left.length === 1 ? "is" : "are"} behind, and no engine folds`,
      "run an engine that may write and does not only follow"
    ),
    warning(
      behind.length > 0,
      `${list(behind.map(({ name, lagMs }) => `${name} (${lagMs === undefined ? "far" : seconds(lagMs)})`))} behind`,
      "see the rate with tidemark status; where it is the load, give the engine that folds more of a machine"
    )
  )
}

const subscriptions: Judge = ({ status: { durable } }) => {
  const stopped = durable.filter(({ partitions }) => partitions.some(({ state }) => state === "stopped"))
  const parked = durable.filter(({ held }) => held.parked > 0)
  const alone = durable.filter(
    ({ state, members, lag, lagMs }) =>
      state === "running" && members === 0 && lag.atMost > 0 && lagMs >= BEHIND_MS
  )
  const names = (some: EngineStatus["durable"]) => list(some.map(({ name }) => name))
  return check(
    "subscriptions",
    durable.length === 0 ? "there is none" : `${count(durable.length, "is", "are")} well`,
    failing(
      stopped.length > 0,
      `${names(stopped)} stopped at an event`,
      "see why with tidemark status, then retry or skip the event"
    ),
    warning(
      parked.length > 0,
      `${names(parked)} ${parked.length === 1 ? "has" : "have"} parked events`,
      "retry or drop what is parked"
    ),
    warning(
      alone.length > 0,
      `nobody handles the events of ${names(alone)}`,
      "start a process that subscribes under the name, or delete it"
    )
  )
}

const syncs: Judge = ({ status: { sync } }) =>
  check(
    "synchronisations",
    sync.waiting + sync.retrying === 0 ? "nothing waits" : `${sync.waiting + sync.retrying} under way`,
    warning(
      sync.parked > 0,
      `${count(sync.parked, "piece of work is", "pieces of work are")} given up`,
      'see why with engine.syncQueue.list({ state: "parked" }), then retry or drop it'
    ),
    warning(
      sync.broken.length > 0,
      `${list(sync.broken.map(({ agent }) => agent))} failed again and again, and ${sync.broken.length === 1 ? "is" : "are"} left alone for a while`,
      "see what fails with tidemark status"
    )
  )

const telemetry: Judge = ({
  status: {
    telemetry: { ahead, warning: said },
    standby
  }
}) =>
  check(
    "telemetry",
    `${count(ahead, "partition lies", "partitions lie")} ahead`,
    warning(said !== undefined && !standby, said ?? "", "have an engine of the owner's or a writer's run")
  )

const agents: Judge = ({ agents: { late, lost, names } }) => {
  const more = lost - names.length
  const named = list(more > 0 ? [...names, `${more} more`] : names)
  return check(
    "agents",
    late === 0 ? "none is late or lost" : `${count(late, "is", "are")} late, none is lost`,
    warning(
      lost > 0,
      `${named} ${lost === 1 ? "is" : "are"} lost: not heard of for three beats or more`,
      "see engine.vitals.overview(), and start them again, stop or retire them"
    )
  )
}

const systemEvents: Judge = ({ critical }) =>
  check(
    "system events",
    "nothing critical in the last hour",
    warning(
      critical > 0,
      `${count(critical, "critical event", "critical events")} in the last hour`,
      'look at engine.systemEvents.list({ severity: "CRITICAL" })'
    )
  )

const JUDGES: ReadonlyArray<Judge> = [
  server,
  connections,
  tail,
  wakeUps,
  readModels,
  subscriptions,
  syncs,
  telemetry,
  agents,
  systemEvents
]

/** All that health is made of, in an order that never changes. */
export const checksOf = (facts: HealthFacts): ReadonlyArray<HealthCheck> =>
  JUDGES.map((judge) => judge(facts))
