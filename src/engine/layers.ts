import { Effect, Layer, Schedule } from "effect"
import { Cache } from "../cache/cache.ts"
import { Consumers } from "../consumer/consumers.ts"
import { Appender } from "../log/appender.ts"
import { Fleet } from "../fleet/fleet.ts"
import { EventLog } from "../log/event-log.ts"
import { Feed } from "../log/feed.ts"
import { LogIdentity } from "../log/identity.ts"
import { telemetryAhead } from "../log/telemetry-ahead.ts"
import { Wake } from "../log/wake.ts"
import { migrate } from "../postgres/migrate.ts"
import { Postgres } from "../postgres/postgres.ts"
import type { Environment } from "../postgres/connection-settings.ts"
import { completed, configure, type OpenOptions } from "./configuration.ts"
import { Projections } from "../projection/projections.ts"
import { Oversight } from "./oversight/oversight.ts"
import { Rebuilds } from "../projection/rebuild/rebuilds.ts"
import type { ProjectionStatus } from "../projection/status.ts"
import { FleetDefaults } from "../../projections/defaults.ts"
import { evaluator } from "../../projections/alerts/evaluator.ts"
import { watchdog } from "../../projections/vitals/watchdog.ts"
import { linkStore } from "../../projections/links/store.ts"
import { stateStore } from "../../projections/states/store.ts"
import { States } from "../state/states.ts"
import { Links } from "../sync/link/links.ts"
import { agentStanding } from "./agent-standing.ts"
import { Presence } from "../sync/presence.ts"
import { configuredRules } from "./alerting/configured-rules.ts"
import { alertDelivery } from "./alerting/delivery.ts"
import { expiringSessions } from "./expiring-sessions.ts"
import { expiringConflicts } from "../sync/conflicts/expiring.ts"
import { loggerLayer } from "./logger.ts"
import { retaining } from "./retaining.ts"
import { RetentionPolicy } from "./retention/policy.ts"
import { Search } from "./search/search.ts"
import { ReadModels } from "./read-models.ts"
import { engineGauges, telemetryLayer } from "./telemetry.ts"

/** A server that is just starting, or out of connections, is waited for that often at open … */
const OPEN_TRIES = 20

/** … with so long in between, in ms. */
const OPEN_RETRY_MS = 250

/** Of something that is done every so often: it is not done. */
const NEVER_MS = 0

const migrated = Layer.effectDiscard(
  migrate.pipe(
    Effect.tap(({ applied }) => (applied.length > 0 ? Effect.logInfo("migrated", { applied }) : Effect.void)),
    Effect.retry({
      while: (error) => error._tag === "PostgresError" && error.reason._tag === "Busy",
      schedule: Schedule.spaced(OPEN_RETRY_MS),
      times: OPEN_TRIES
    })
  )
)

const logOf = (options: OpenOptions, environment: Environment) =>
  Layer.unwrap(
    Effect.map(configure(options, environment), (configuration) => {
      const { schema, connection, wake } = configuration
      const answer = options.answerTimeoutMs === undefined ? {} : { answerTimeoutMs: options.answerTimeoutMs }
      const postgres = Postgres.layer({
        schema,
        connection,
        ...(options.poolSize === undefined ? {} : { poolSize: options.poolSize }),
        ...(options.poolMinimum === undefined ? {} : { poolMinimum: options.poolMinimum }),
        ...(options.preparedStatements === undefined
          ? {}
          : { preparedStatements: options.preparedStatements }),
        ...answer
      })
      const appender = Appender.layer({
        ...(options.emitDeadlineMs === undefined ? {} : { deadlineMs: options.emitDeadlineMs }),
        ...answer
      })
      const application = connection.application_name
      const fleet = Fleet.layer({
        ...(application === undefined ? {} : { application }),
        ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs })
      })
      const log = EventLog.layer({
        ...(options.maxEventBytes === undefined ? {} : { maxEventBytes: options.maxEventBytes }),
        ...(options.events === undefined ? {} : { types: options.events })
      })
      // Whoever names another place for it is taken at his word that it is the server itself.
      const woken = Layer.unwrap(
        Effect.map(Postgres, ({ isPooled }) =>
          Wake.layer({ connection: wake, ...(wake === connection ? { isPooled } : {}) })
        )
      )
      return Layer.mergeAll(log, fleet, telemetryAhead).pipe(
        Layer.provideMerge(Feed.layer),
        Layer.provideMerge(Layer.merge(appender, woken)),
        Layer.provideMerge(LogIdentity.layer),
        Layer.provideMerge(migrated),
        Layer.provideMerge(postgres)
      )
    })
  )

/** The log and what it stands on, for the time of the layer's scope. */
export const logLayer = (options: OpenOptions, environment: Environment) =>
  Layer.unwrap(Effect.map(completed(options, environment), (complete) => logOf(complete, environment)))

const lagsOf = (statuses: ReadonlyArray<ProjectionStatus>): ReadonlyArray<readonly [string, number]> =>
  statuses.map(({ name, lag }) => [name, lag.atMost] as const)

const gauges = Layer.effectDiscard(
  Effect.flatMap(Projections, ({ status }) => engineGauges(() => lagsOf(status())))
)

const statesLayer = Layer.provideMerge(expiringConflicts, Layer.provide(States.layer, stateStore))

const linksLayer = (works: boolean) =>
  Layer.provide(Links.layer(works), Layer.merge(linkStore, agentStanding))

/** Alerts by webhook, where it is said where to. */
const deliveryOf = ({ alertWebhookUrl: url, alertWebhookSecret: secret }: OpenOptions) =>
  url === undefined || secret === undefined ? Layer.empty : alertDelivery({ url, secret })

const engineOf = (options: OpenOptions, environment: Environment) => {
  const { readOwnWritesMs, logger, readModels } = options
  const works = readModels !== "follow"
  const projections = {
    folds: works,
    ...(readOwnWritesMs === undefined ? {} : { readOwnWritesMs })
  }
  const cache = Cache.layer({
    ...(options.cacheTtlMs === undefined ? {} : { ttlMs: options.cacheTtlMs }),
    ...(options.cacheSweepMs === undefined ? {} : { sweepEveryMs: options.cacheSweepMs })
  })
  const expiring = expiringSessions(options.sessionSweepMs)
  const sweeping = options.retentionSweepMs === undefined ? Layer.empty : retaining(options.retentionSweepMs)
  const ruling = options.alertRules === undefined ? Layer.empty : configuredRules(options.alertRules)
  const working = works ? Layer.mergeAll(expiring, sweeping, ruling, deliveryOf(options)) : Layer.empty
  const dog = options.healthCheckMs === NEVER_MS ? Layer.empty : watchdog(options.healthCheckMs)
  const watching = Layer.merge(dog, evaluator(options.alertCheckMs))
  const kept = Layer.mergeAll(cache, watching, working)
  const { sessionTtlMs, heartbeatIntervalMs } = options
  const defaults = Layer.succeed(FleetDefaults, {
    ...(sessionTtlMs === undefined ? {} : { sessionTtlMs }),
    ...(heartbeatIntervalMs === undefined ? {} : { heartbeatIntervalMs })
  })
  const retention = Layer.succeed(RetentionPolicy, {
    ...(options.heartbeatDays === undefined ? {} : { heartbeatDays: options.heartbeatDays }),
    ...(options.metricDays === undefined ? {} : { metricDays: options.metricDays }),
    ...(options.systemLogDays === undefined ? {} : { systemLogDays: options.systemLogDays }),
    ...(options.telemetryDays === undefined ? {} : { telemetryDays: options.telemetryDays }),
    ...(options.archiveDirectory === undefined ? {} : { archiveDirectory: options.archiveDirectory })
  })
  const consumers = Consumers.layer(
    options.maxRetries === undefined ? {} : { maxRetries: options.maxRetries }
  )
  return Layer.mergeAll(linksLayer(works), gauges, Presence.layer, Oversight.layer, Search.layer, kept).pipe(
    Layer.provideMerge(Layer.merge(ReadModels.layer, statesLayer)),
    Layer.provideMerge(Layer.mergeAll(Projections.layer(projections), Rebuilds.layer, consumers)),
    Layer.provideMerge(logOf(options, environment)),
    Layer.provideMerge(Layer.mergeAll(telemetryLayer, loggerLayer(logger), defaults, retention))
  )
}

/** The whole engine: the log, its read models, and where its spans, metrics and log lines go. */
export const engineLayer = (options: OpenOptions, environment: Environment) =>
  Layer.unwrap(Effect.map(completed(options, environment), (complete) => engineOf(complete, environment)))

export type EngineServices = Layer.Success<ReturnType<typeof engineLayer>>
