import { MAX_TTL_MS as MAX_SESSION_TTL_MS, MIN_TTL_MS } from "../../../projections/sessions/life-cycle.ts"
import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../../../projections/vitals/interval.ts"
import { MAX_TTL_MS } from "../../cache/entry.ts"
import { FOR_EVER, MAX_KEPT_DAYS } from "../retention/policy.ts"
import { secretProblem } from "../alerting/signature.ts"
import { rulesProblem } from "../alerting/configured-rules.ts"
import { urlProblem } from "../alerting/webhook.ts"
import type { Setting, Variable } from "./setting.ts"

const named = (...names: ReadonlyArray<string>): ReadonlyArray<Variable> => names.map((name) => ({ name }))

/** What Node's timers hold at most, in ms. */
const LONGEST_MS = 2_147_483_647

const MOST_CONNECTIONS = 10_000

/** For how long something is kept. */
const DAYS: Setting["kind"] = { kind: "whole", least: FOR_EVER, most: MAX_KEPT_DAYS, unit: "days" }

/** As many attempts as a subscription may ask for, but for the first. */
const MOST_RETRIES = 999

/** The parts of a database's place, by their libpq names. */
export const PLACE: ReadonlyArray<Setting> = [
  {
    name: "database.host",
    what: "Name or address of the server, or the directory of its Unix socket.",
    kind: { kind: "text" },
    fallback: "`PGHOST`, else `localhost`, where another part of the database is said",
    variables: named("POSTGRESQL_HOST", "POSTGRES_HOST")
  },
  {
    name: "database.port",
    what: "The server's port.",
    kind: { kind: "whole", least: 1, most: 65_535 },
    fallback: "`PGPORT`, else 5432",
    variables: named("POSTGRESQL_PORT", "POSTGRES_PORT")
  },
  {
    name: "database.database",
    what: "The name of the database.",
    kind: { kind: "text" },
    fallback: "`PGDATABASE`, else the user's name",
    variables: named("POSTGRESQL_DATABASE", "POSTGRES_DB")
  },
  {
    name: "database.user",
    what: "The role to connect as.",
    kind: { kind: "text" },
    fallback: "`PGUSER`, else the operating system's user",
    variables: named("POSTGRESQL_USER", "POSTGRES_USER")
  },
  {
    name: "database.password",
    what: "Its password.",
    kind: { kind: "text", isSecret: true },
    fallback: "`PGPASSWORD`, else `~/.pgpass`",
    variables: named("POSTGRESQL_PASSWORD", "POSTGRES_PASSWORD")
  },
  {
    name: "database.sslmode",
    what: "How far TLS is asked for, as libpq means it.",
    kind: { kind: "choice", of: ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] },
    fallback: "`PGSSLMODE`, else `prefer`",
    variables: named("POSTGRESQL_SSL_MODE", "POSTGRES_SSL_MODE")
  }
]

/** Everything else that may be configured. */
export const SETTINGS: ReadonlyArray<Setting> = [
  {
    name: "database",
    what: "The database, as a connection string; or its parts, by their libpq names.",
    kind: { kind: "text", isSecret: true },
    fallback: "an embedded server",
    variables: named("DATABASE_URL")
  },
  {
    name: "embedded",
    what: "Settings of an embedded server (`directory`, `port`, `database`, `settings`); false never starts one.",
    kind: { kind: "code" },
    fallback: "one below `.tidemark`, where no database is named",
    variables: []
  },
  {
    name: "schema",
    what: "The schema that holds the log.",
    kind: { kind: "text" },
    fallback: "`tidemark`",
    variables: named("TIDEMARK_SCHEMA")
  },
  {
    name: "wake",
    what: "Where LISTEN and NOTIFY go, where the database is reached through a pooler.",
    kind: { kind: "text", isSecret: true },
    fallback: "the database",
    variables: named("TIDEMARK_WAKE")
  },
  {
    name: "poolSize",
    what: "How many connections an engine opens at most, beside one that listens and one that notifies.",
    kind: { kind: "whole", least: 1, most: MOST_CONNECTIONS, unit: "connections" },
    fallback: "10",
    variables: named("TIDEMARK_POOL_SIZE", "POSTGRESQL_POOL_SIZE", "POSTGRES_POOL_MAX_SIZE")
  },
  {
    name: "poolMinimum",
    what: "How many of them stay open where nobody needs them.",
    kind: { kind: "whole", least: 0, most: MOST_CONNECTIONS, unit: "connections" },
    fallback: "0",
    variables: named("TIDEMARK_POOL_MINIMUM", "POSTGRES_POOL_MIN_SIZE")
  },
  {
    name: "preparedStatements",
    what: "Whether statements are prepared once per connection, which not every pooler bears.",
    kind: { kind: "flag" },
    fallback: "where no pooler is in between, as each connection shows",
    variables: named("TIDEMARK_PREPARED_STATEMENTS")
  },
  {
    name: "answerTimeoutMs",
    what: "How long a statement may go without an answer before its connection is given up; 0 waits for ever.",
    kind: { kind: "whole", least: 0, most: LONGEST_MS, unit: "ms" },
    fallback: "10 000 for an append, which is then sent again, and 30 000 for everything else",
    variables: [
      { name: "TIDEMARK_ANSWER_TIMEOUT_MS" },
      { name: "POSTGRESQL_TIMEOUT", inSeconds: true },
      { name: "POSTGRES_TIMEOUT", inSeconds: true }
    ]
  },
  {
    name: "emitDeadlineMs",
    what: "How long an emit is tried over lost connections.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "30 000",
    variables: named("TIDEMARK_EMIT_DEADLINE_MS")
  },
  {
    name: "maxEventBytes",
    what: "How large an event's data may be as JSON.",
    kind: { kind: "whole", least: 1, most: 1_000_000_000, unit: "bytes" },
    fallback: "1 MiB",
    variables: named("TIDEMARK_MAX_EVENT_BYTES")
  },
  {
    name: "readModels",
    what: "`keep`: this process keeps the read models up with the log, with the others that do; `follow`: it leaves that to them.",
    kind: { kind: "choice", of: ["keep", "follow"] },
    fallback: "`keep`",
    variables: named("TIDEMARK_READ_MODELS")
  },
  {
    name: "leaseMs",
    what: "How long the others wait for an engine that they do not hear of before they take over what it owns.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "4 000",
    variables: named("TIDEMARK_LEASE_MS")
  },
  {
    name: "readOwnWritesMs",
    what: "How long a query waits for its projection to have read this engine's own writes.",
    kind: { kind: "whole", least: 0, most: LONGEST_MS, unit: "ms" },
    fallback: "1 000",
    variables: named("TIDEMARK_READ_OWN_WRITES_MS")
  },
  {
    name: "cacheTtlMs",
    what: "How long an entry of the cache counts, unless whoever sets it says.",
    kind: { kind: "whole", least: 1, most: MAX_TTL_MS, unit: "ms" },
    fallback: "3 600 000",
    variables: [{ name: "TIDEMARK_CACHE_TTL_MS" }, { name: "CACHE_DEFAULT_TTL", inSeconds: true }]
  },
  {
    name: "cacheSweepMs",
    what: "How often an engine takes out of the cache what is over; it counts no more before.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "300 000",
    variables: [{ name: "TIDEMARK_CACHE_SWEEP_MS" }, { name: "CACHE_CLEANUP_INTERVAL", inSeconds: true }]
  },
  {
    name: "sessionSweepMs",
    what: "How often an engine records of sessions whose time is over that it is; they are over before.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "3 600 000",
    variables: [{ name: "TIDEMARK_SESSION_SWEEP_MS" }, { name: "SESSION_CLEANUP_INTERVAL", inSeconds: true }]
  },
  {
    name: "sessionTtlMs",
    what: "How long a session lasts after its last sign of life, unless whoever creates it says.",
    kind: { kind: "whole", least: MIN_TTL_MS, most: MAX_SESSION_TTL_MS, unit: "ms" },
    fallback: "86 400 000",
    variables: [{ name: "TIDEMARK_SESSION_TTL_MS" }, { name: "SESSION_DEFAULT_TTL", inSeconds: true }]
  },
  {
    name: "heartbeatIntervalMs",
    what: "How often an agent promises to beat when it is registered, unless it says.",
    kind: { kind: "whole", least: MIN_INTERVAL_MS, most: MAX_INTERVAL_MS, unit: "ms" },
    fallback: "it promises nothing, and is expected each 60 000 ms once it beats",
    variables: [
      { name: "TIDEMARK_HEARTBEAT_INTERVAL_MS" },
      { name: "DEFAULT_HEARTBEAT_INTERVAL", inSeconds: true }
    ]
  },
  {
    name: "healthCheckMs",
    what: "How often an engine looks for agents that are late, where it is the one that watches; 0 never.",
    kind: { kind: "whole", least: 0, most: LONGEST_MS, unit: "ms" },
    fallback: "1 000",
    variables: [{ name: "TIDEMARK_HEALTH_CHECK_MS" }, { name: "HEALTH_CHECK_INTERVAL", inSeconds: true }]
  },
  {
    name: "heartbeatDays",
    what: "For how many days heartbeats are kept, once retention is applied; 0 for ever.",
    kind: DAYS,
    fallback: "30",
    variables: named("TIDEMARK_HEARTBEAT_DAYS")
  },
  {
    name: "metricDays",
    what: "For how many days measurements are kept, and their sums by the minute; 0 for ever. Their sums by the hour are kept for ever.",
    kind: DAYS,
    fallback: "30",
    variables: named("TIDEMARK_METRIC_DAYS")
  },
  {
    name: "systemLogDays",
    what: "For how many days system events below WARNING are kept; 0 for ever.",
    kind: DAYS,
    fallback: "30",
    variables: named("TIDEMARK_SYSTEM_LOG_DAYS")
  },
  {
    name: "telemetryDays",
    what: "For how many days telemetry of all other categories is kept; 0 for ever.",
    kind: DAYS,
    fallback: "0",
    variables: named("TIDEMARK_TELEMETRY_DAYS")
  },
  {
    name: "archiveDirectory",
    what: "The directory that telemetry is archived in before it is dropped.",
    kind: { kind: "text" },
    fallback: "none: nothing is archived",
    variables: named("TIDEMARK_ARCHIVE_DIRECTORY")
  },
  {
    name: "retentionSweepMs",
    what: "How often an engine applies retention.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "never: `engine.retain` and `tidemark retention` apply it",
    variables: named("TIDEMARK_RETENTION_SWEEP_MS")
  },
  {
    name: "measureMs",
    what: "How often `tidemark start` measures the machine that it runs on.",
    kind: { kind: "whole", least: 100, most: LONGEST_MS, unit: "ms" },
    fallback: "1 000",
    variables: named("TIDEMARK_MEASURE_MS")
  },
  {
    name: "alertRules",
    what: "Rules of alerts that this engine sets when it is opened, where they are not there or are others: as `alerts.setRule` takes them.",
    kind: { kind: "data", shape: "a list of rules", problem: rulesProblem },
    fallback: "none",
    variables: []
  },
  {
    name: "alertCheckMs",
    what: "How often an engine judges the rules of alerts, where it is the one that does.",
    kind: { kind: "whole", least: 1, most: LONGEST_MS, unit: "ms" },
    fallback: "5 000",
    variables: named("TIDEMARK_ALERT_CHECK_MS")
  },
  {
    name: "alertWebhookUrl",
    what: "Where alerts are delivered when they are raised and cleared: an http or https URL.",
    kind: { kind: "text", isSecret: true, problem: urlProblem },
    fallback: "nowhere",
    variables: named("TIDEMARK_ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_URL"),
    needs: "alertWebhookSecret"
  },
  {
    name: "alertWebhookSecret",
    what: "What these deliveries are signed with: `whsec_` and 24 to 64 random bytes in base64.",
    kind: { kind: "text", isSecret: true, problem: secretProblem },
    fallback: "none, which `alertWebhookUrl` needs",
    variables: named("TIDEMARK_ALERT_WEBHOOK_SECRET", "ALERT_WEBHOOK_SECRET"),
    needs: "alertWebhookUrl"
  },
  {
    name: "maxRetries",
    what: "How often an event is tried again for a durable subscription before it is given up, unless the subscription says.",
    kind: { kind: "whole", least: 0, most: MOST_RETRIES },
    fallback: "4",
    variables: named("TIDEMARK_MAX_RETRIES", "DEFAULT_MAX_RETRIES")
  },
  {
    name: "logger",
    what: "A pino logger, or false for none.",
    kind: { kind: "code" },
    fallback: "warnings and errors as JSON lines on standard error",
    variables: []
  },
  {
    name: "events",
    what: "Types of event that are checked at emit and brought up to date when read.",
    kind: { kind: "code" },
    fallback: "none",
    variables: []
  }
]
