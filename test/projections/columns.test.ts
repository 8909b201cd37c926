import { expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { scene } from "../projection/scene.ts"

const { db, start } = scene()

/** The tables and columns that the first documents of the system gave them. */
const seeds = {
  agents: ["agent_id", "state", "started_at", "stopped_at", "config", "metadata", "created_at", "updated_at"],
  agent_heartbeats: ["id", "agent_id", "timestamp", "state", "error_count", "metrics", "created_at"],
  performance_metrics: ["id", "agent_id", "metric_name", "value", "unit", "timestamp", "metadata"],
  system_state: ["id", "key", "value", "updated_at", "updated_by"],
  system_events: ["id", "event_type", "event_data", "agent_id", "timestamp", "severity"],
  session_records: ["session_id", "user_id", "agent_id", "data", "created_at", "expires_at"],
  help_requests: [
    "id",
    "request_id",
    "user_id",
    "content",
    "context",
    "status",
    "priority",
    "created_at",
    "updated_at"
  ],
  help_responses: [
    "id",
    "request_id",
    "response_id",
    "content",
    "confidence_score",
    "sources",
    "generated_at",
    "agent_id"
  ],
  agent_communications: ["id", "from_agent", "to_agent", "message_type", "content", "timestamp", "status"],
  llm_conversations: [
    "id",
    "conversation_id",
    "agent_id",
    "prompt",
    "response",
    "model",
    "tokens_used",
    "cost",
    "timestamp",
    "metadata"
  ]
} as const

/** And the columns of their indexes; some of ours go on in the order that their queries ask for, and by which we page. */
const seedIndexes = {
  agents: ["btree (state, agent_id)", "(started_at)"],
  agent_heartbeats: ['(agent_id, "timestamp" DESC)', '("timestamp" DESC)'],
  performance_metrics: ['(agent_id, metric_name, "timestamp" DESC)', '("timestamp" DESC)'],
  system_state: ["btree (key)"],
  system_events: [
    'btree (event_type, severity, "timestamp" DESC, id DESC)',
    'btree (agent_id, severity, "timestamp" DESC, id DESC) WHERE (agent_id IS NOT NULL)',
    'btree (severity, "timestamp" DESC, id DESC)'
  ],
  session_records: [
    "btree (session_id)",
    "(user_id, status, id DESC) WHERE (user_id IS NOT NULL)",
    "(agent_id, status, id DESC) WHERE (agent_id IS NOT NULL)",
    "(expires_at, session_id) WHERE (status = 'active'::text)"
  ],
  help_requests: ["(request_id)", "(status, id DESC)", "(user_id, id DESC)", "(created_at DESC)"],
  help_responses: ["(request_id, id)", "(response_id)", "(confidence_score DESC)"],
  agent_communications: ['(to_agent, "timestamp" DESC)', "(message_type, id DESC)"],
  llm_conversations: ['(agent_id, "timestamp" DESC, id DESC)', '(model, "timestamp" DESC, id DESC)']
} as const

const tables = Object.keys(seeds) as Array<keyof typeof seeds>

const projectAll = async () => {
  const one = await start()
  await one.project(builtIn.agents)
  await one.project(builtIn.heartbeats)
  await one.project(builtIn.alert_rules)
  await one.project(builtIn.alerts)
  await one.project(builtIn.vitals)
  await one.project(builtIn.metrics)
  await one.project(builtIn.sessions)
  await one.project(builtIn.system_state)
  await one.project(builtIn.system_events)
  await one.project(builtIn.help)
  await one.project(builtIn.communications)
  await one.project(builtIn.conversations)
}

it.each(tables)("%s has every column by its name, and both times of its last event", async (table) => {
  await projectAll()
  const rows = await db.query<{ name: string }>(
    "select column_name as name from information_schema.columns where table_schema = 'tidemark' and table_name = $1",
    [table]
  )
  expect(rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining([...seeds[table], "occurred_at", "recorded_at"])
  )
})

/** What there is beside, for the parts of the fleet that ask it. */
const ours = {
  agents: ["name", "type", "capabilities", "heartbeat_interval_ms", "retired_at", "version"],
  agent_health: [
    "agent_id",
    "standing",
    "health",
    "since",
    "interval_ms",
    "is_promised",
    "last_beat_at",
    "heard",
    "heard_at",
    "judged",
    "due_at",
    "recorded_at"
  ],
  agent_health_counts: ["health", "agents"],
  alert_rules: [
    "rule",
    "version",
    "kind",
    "condition",
    "severity",
    "is_enabled",
    "description",
    "set_by",
    "reason",
    "created_at",
    "recorded_at"
  ],
  alerts: [
    "alert_id",
    "id",
    "rule",
    "subject",
    "status",
    "severity",
    "kind",
    "value",
    "threshold",
    "since",
    "summary",
    "rule_version",
    "raised_at",
    "cleared_at",
    "cleared_why",
    "cleared_value",
    "lasted_ms",
    "acknowledged_at",
    "acknowledged_by",
    "note",
    "recorded_at"
  ]
}

it("what our own tables have beside that says what it is", async () => {
  await projectAll()
  const rows = await db.query<{ relation: string; name: string; comment: string | null }>(
    `select relname as relation, attname as name, obj_description(pg_class.oid) as comment
     from pg_class join pg_attribute on attrelid = pg_class.oid
     where relnamespace = 'tidemark'::regnamespace and relkind = 'r' and attnum > 0`
  )
  for (const [table, columns] of Object.entries(ours)) {
    const found = rows.filter(({ relation }) => relation === `${table}__1`)
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(columns))
    expect(found[0]?.comment).toMatch(/^[A-Z].*\.$/)
  }
})

it.each(tables)("%s has its indexes", async (table) => {
  await projectAll()
  const rows = await db.query<{ definition: string }>(
    "select indexdef as definition from pg_indexes where schemaname = 'tidemark' and tablename = $1",
    [`${table}__1`]
  )
  for (const columns of seedIndexes[table]) {
    expect(rows.filter(({ definition }) => definition.endsWith(columns))).toHaveLength(1)
  }
})
