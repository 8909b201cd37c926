import { isDeepStrictEqual } from "node:util"
import { LOST_AFTER_MISSED, LATE_AFTER_MISSED } from "../../../projections/vitals/interval.ts"
import type { ConfiguredRule } from "../alerting/configured-rules.ts"
import type { Problem } from "./error.ts"
import { MS_PER_SECOND } from "./setting.ts"

// The keys of a monitoring.yml, as settings: what they mean is said in the words of those, and checked as those are.

type Values = Readonly<Record<string, unknown>>

/** Of a hundred. */
const PERCENT = 100

/** How bad it is when an agent is lost, and when something is beyond its critical threshold. */
const ON_MISS = { rule: "monitoring-missed-beats", severity: "ERROR" } as const
const CRITICAL = "CRITICAL"

/** The threshold that is none of a metric: of errors among system events, in percent. */
const ERROR_RATE = "error_rate"

/** What keys come to. */
interface Said {
  readonly values?: Values
  readonly rules?: ReadonlyArray<ConfiguredRule>
  readonly problem?: string
}

type Key = (value: unknown) => Said

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A number of seconds, as a setting in ms. */
const inMs =
  (name: string, share = 1): Key =>
  (value) =>
    isNumber(value) && value > 0
      ? { values: { [name]: Math.round((value * MS_PER_SECOND) / share) } }
      : { problem: `is ${JSON.stringify(value)}: give seconds, above 0` }

const flag =
  (said: (value: boolean) => Said): Key =>
  (value) =>
    typeof value === "boolean" ? said(value) : { problem: `is ${JSON.stringify(value)}: give true or false` }

const threshold = (name: string, value: number): ConfiguredRule => ({
  rule: `monitoring-${name}`,
  severity: CRITICAL,
  when:
    name === ERROR_RATE
      ? { kind: "error_rate", above: value / PERCENT }
      : { kind: "metric", metric: name, threshold: value }
})

const thresholds: Key = (value) => {
  if (!isObject(value)) return { problem: "is no object: give a threshold for each metric" }
  const odd = Object.entries(value).find(([, one]) => !isNumber(one))
  return odd === undefined
    ? { rules: Object.entries(value).map(([name, one]) => threshold(name, one as number)) }
    : { problem: `has a threshold of ${odd[0]} that is ${JSON.stringify(odd[1])}: give a number` }
}

const missedThreshold: Key = (value) =>
  value === LOST_AFTER_MISSED
    ? {}
    : {
        problem: `is ${JSON.stringify(value)}: agents are lost after ${LOST_AFTER_MISSED} missed beats; give that, or leave it out`
      }

/** A key below `monitoring`. */
export interface MonitoringKey {
  /** What it comes to, in words. */
  readonly what: string
  /** As YAML has it. */
  readonly example: string
  readonly read: Key
}

/** Every key, by its path below `monitoring`. */
export const MONITORING_KEYS: Readonly<Record<string, MonitoringKey>> = {
  "heartbeat.timeout": {
    what: `After how many seconds without a beat an agent is late: \`heartbeatIntervalMs\`, ${LATE_AFTER_MISSED} of which these are`,
    example: "120",
    read: inMs("heartbeatIntervalMs", LATE_AFTER_MISSED)
  },
  "heartbeat.missed_threshold": {
    what: `After how many missed beats it is lost: ${LOST_AFTER_MISSED}, and no other number`,
    example: String(LOST_AFTER_MISSED),
    read: missedThreshold
  },
  "heartbeat.alert_on_miss": {
    what: "Whether an alert is raised then: a rule of `alertRules`, `monitoring-missed-beats`",
    example: "true",
    read: flag((isWanted) =>
      isWanted ? { rules: [{ ...ON_MISS, when: { kind: "missed_beats", from: "lost" } }] } : {}
    )
  },
  "performance.collection_interval": {
    what: "How often `tidemark start` measures the machine, in seconds: `measureMs`",
    example: "60",
    read: inMs("measureMs")
  },
  "performance.retention_days": {
    what: "For how many days measurements are kept: `metricDays`",
    example: "30",
    read: (value) => ({ values: { metricDays: value } })
  },
  "health_checks.enabled": {
    what: "Whether agents are watched: `healthCheckMs` is 0 where they are not",
    example: "true",
    read: flag((isWanted) => (isWanted ? {} : { values: { healthCheckMs: 0 } }))
  },
  "health_checks.interval": {
    what: "How often it is looked for agents that are late, in seconds: `healthCheckMs`",
    example: "30",
    read: inMs("healthCheckMs")
  },
  "health_checks.critical_thresholds": {
    what: "Above which value of a metric an alert is raised, of each agent: rules of `alertRules`, `monitoring-<metric>`; of `error_rate`, in percent of all system events",
    example: "{ cpu_usage: 95, memory_usage: 95, error_rate: 10 }",
    read: thresholds
  }
}

const SECTIONS = [...new Set(Object.keys(MONITORING_KEYS).map((path) => path.split(".")[0]!))]

const keysOf = (section: string): ReadonlyArray<string> =>
  Object.keys(MONITORING_KEYS).flatMap((path) =>
    path.startsWith(`${section}.`) ? [path.slice(section.length + 1)] : []
  )

const unknown = (where: string, name: string, names: ReadonlyArray<string>): Problem => ({
  where,
  problem: `has a key ${JSON.stringify(name)}, which is not known: there are ${names.join(", ")}`
})

interface Found {
  readonly path: string
  readonly said: Said
}

const sectionOf = (where: string, name: string, section: unknown): ReadonlyArray<Problem | Found> => {
  if (!SECTIONS.includes(name)) return [unknown(where, name, SECTIONS)]
  const place = `${where}.${name}`
  if (!isObject(section))
    return [{ where: place, problem: `is no object: give its keys, ${keysOf(name).join(", ")}` }]
  return Object.entries(section).map(([key, value]) => {
    const path = `${name}.${key}`
    const one = MONITORING_KEYS[path]
    if (one === undefined) return unknown(place, key, keysOf(name))
    const said = one.read(value)
    return said.problem === undefined ? { path, said } : { where: `${where}.${path}`, problem: said.problem }
  })
}

/** A health check that is off has no interval. */
const valuesOf = (found: ReadonlyArray<Found>): Values => {
  const order = found.toSorted((one, other) => Number(one.path === OFF) - Number(other.path === OFF))
  return Object.assign({}, ...order.map(({ said }) => said.values ?? {})) as Values
}

const OFF = "health_checks.enabled"

/** A setting that stands in the file by its own name, too, and says something else. */
const twins = (where: string, { path, said }: Found, file: Values): ReadonlyArray<Problem> =>
  Object.entries(said.values ?? {}).flatMap(([name, value]) =>
    file[name] === undefined || isDeepStrictEqual(file[name], value)
      ? []
      : [{ where: `${where}.${path} and ${name}`, problem: "say different things: keep one of them" }]
  )

/** The settings of a file with those that its `monitoring` says. */
export const withMonitoring = (
  file: string,
  { monitoring, ...given }: Values
): { readonly values: Values; readonly problems: ReadonlyArray<Problem> } => {
  if (monitoring === undefined) return { values: given, problems: [] }
  const where = `${file}: monitoring`
  if (!isObject(monitoring))
    return {
      values: given,
      problems: [{ where, problem: `is no object: give its sections, ${SECTIONS.join(", ")}` }]
    }
  const all = Object.entries(monitoring).flatMap(([name, section]) => sectionOf(where, name, section))
  const found = all.filter((one): one is Found => "said" in one)
  const problems = [
    ...all.filter((one): one is Problem => "problem" in one),
    ...found.flatMap((one) => twins(where, one, given))
  ]
  const rules = found.flatMap(({ said }) => said.rules ?? [])
  const own = given["alertRules"] ?? []
  const together = Array.isArray(own) ? [...(own as ReadonlyArray<unknown>), ...rules] : own
  return {
    values: { ...valuesOf(found), ...given, ...(rules.length === 0 ? {} : { alertRules: together }) },
    problems
  }
}
