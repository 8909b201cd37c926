import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"

// What SQL has appended was checked by nobody, and what was redacted says nothing: neither stops a read model, live or rebuilt.

const log = testLog()

const append = (stream: string, type: string, ...data: ReadonlyArray<unknown>): Promise<unknown> =>
  log.db.query("select tidemark.append_events($1, $2)", [
    stream,
    JSON.stringify(data.map((one) => ({ type, data: one })))
  ])

const nothing = [{}, { redacted: true }] as const
const long = "x".repeat(3_000)

/** So long that an index has no room for it, however well it is compressed. */
const random = Array.from({ length: 3_000 }, (_, n) => ((n * n * 7_919) % 36).toString(36)).join("")

/** What is no count of errors, be it for its type, its sign, or since it is more than a column holds. */
const uncountable = ["many", "7", null, [1], { n: 1 }, true, -1, 2_147_483_648, 9e15, 1e308]

test("events that say nothing, or nonsense, stop no read model", async () => {
  const {
    agents,
    alerts,
    communications,
    conversations,
    heartbeats,
    help,
    metrics,
    sessions,
    systemEvents,
    systemState
  } = log.engine
  await help.ask({ request: "r", user: "ada", content: "?" })
  await append("help-r", "HelpStatusChanged", ...nothing, { status: "foo" })
  await append("help-r", "HelpAnswered", ...nothing, { content: "!", confidence: "high" })
  await append("help-s", "HelpRequested", ...nothing, { user: random, content: "?", priority: "low" })
  const message = { from: "a", type: "t", content: 1, priority: "low" }
  await append(
    "inbox-b",
    "MessageSent",
    ...nothing,
    { ...message, replyTo: "x" },
    { ...message, type: random }
  )
  await append("inbox-b", "MessageAcknowledged", ...nothing, { message: "x" })
  const dear = { prompt: "p", tokens: 9e15, cost: "NaN" }
  await append("conversation-c", "ExchangeRecorded", ...nothing, dear, dear, {
    prompt: "p",
    promptTokens: 3e9,
    responseTokens: 1.5,
    durationMs: "soon",
    cost: "abc",
    agent: random,
    model: long
  })
  await append("system_event-x", "SystemEventLogged", ...nothing, {
    type: random,
    agent: random,
    severity: "?"
  })
  const begun = { user: "ada", data: {}, ttlMs: 60_000 }
  await append(
    "session-s",
    "SessionCreated",
    ...nothing,
    { ...begun, ttlMs: 9e15 },
    { ...begun, user: random }
  )
  await append("session-s", "SessionEnded", {})
  await append("session-s", "SessionCreated", begun, { ...begun, user: "eve" })
  await append("session-s", "SessionTouched", ...nothing, { data: "text" }, { data: { n: 1 } })
  await append("session-s", "SessionExpired", ...nothing, { expiredAt: "soon" })
  await append("metric-m", "MetricRecorded", ...nothing, { name: "m" }, { value: 1 }, { name: 7, value: 1 })
  await append(
    "metric-m",
    "MetricRecorded",
    { name: "m", value: "12" },
    { name: "m", value: "NaN" },
    { name: "m", value: [1] },
    { name: random, value: 1 }
  )
  await append("system_state-k", "SystemStateSet", ...nothing, { key: 7, value: 1 })
  const silent = { heartbeatIntervalMs: -1, capabilities: "all", name: 7, type: [], config: 1, metadata: [] }
  await append("agent-n", "AgentRegistered", ...nothing, { state: 7, ...silent })
  for (const type of ["Renamed", "TypeChanged", "CapabilitiesChanged", "ConfigChanged", "MetadataChanged"])
    await append("agent-n", `Agent${type}`, ...nothing, silent)
  await append("agent-n", "AgentIntervalChanged", ...nothing, silent)
  await append("agent-n", "AgentStateChanged", ...nothing, { state: 7 })
  await append("heartbeat-n", "HeartbeatRecorded", ...nothing, { occurredAt: "now" })
  await append("heartbeat-m", "HeartbeatRecorded", ...uncountable.map((errorCount) => ({ errorCount })))
  await append("health-n", "AgentRanLate", ...nothing, { heard: 9e15, missed: "many" })
  await append("health-n", "AgentRecovered", ...nothing, { heard: "?" })
  const when = { kind: "missed_beats", from: "late" }
  const rule = { when, severity: "ERROR", isEnabled: true }
  await append(
    "alertrule-r",
    "AlertRuleSet",
    ...nothing,
    rule,
    { ...rule, severity: "?" },
    {
      ...rule,
      when: { kind: "metric", metric: random, threshold: "1", forMinutes: 9e15 }
    }
  )
  await append("alertrule-s", "AlertRuleSet", rule)
  await append("alertrule-s", "AlertRuleRemoved", ...nothing)
  const alert = { subject: "a", severity: "ERROR", kind: "?", value: null, threshold: 1, since: "now" }
  await append("alert-r", "AlertRaised", ...nothing, { ...alert, summary: "s", ruleVersion: 1 })
  await append("alert-r", "AlertCleared", ...nothing, { alert: random }, { alert: [1] })
  await append("alert-r", "AlertAcknowledged", ...nothing, { alert: 7 })

  await alerts.setRule({ rule: "t", when: { kind: "missed_beats" } })
  expect(await alerts.rules()).toMatchObject([
    { rule: "r", version: 3, when, severity: "ERROR" },
    { rule: "t", version: 1, when }
  ])
  expect(await alerts.list()).toEqual([])
  await help.setStatus({ request: "r", status: "in_progress" })
  expect(await help.get({ request: "r" })).toMatchObject({ status: "in_progress", answers: 0 })
  await communications.send({ from: "a", to: "b", content: 1 })
  expect(await communications.inbox({ agent: "b" })).toHaveLength(1)
  await conversations.record({ conversation: "c", prompt: "p", cost: "0.5", promptTokens: 2 })
  expect(await conversations.get({ conversation: "c" })).toHaveLength(6)
  expect(await conversations.totals({ by: "model" })).toContainEqual(
    expect.objectContaining({ of: null, cost: "0.5", promptTokens: 2 })
  )
  await sessions.create({ session: "t", user: "ada" })
  expect(await sessions.get({ session: "s" })).toMatchObject({
    status: "active",
    user: "ada",
    data: { n: 1 }
  })
  await metrics.record({ agent: "m", name: "m", value: 2 })
  expect(await metrics.summary({ agent: "m", name: "m" })).toMatchObject([{ count: 1, max: 2 }])
  expect(await metrics.list({ agent: "m", name: "m" })).toMatchObject([
    { value: 2 },
    { value: null },
    { value: null },
    { value: null },
    { value: null }
  ])
  await systemEvents.log({ type: "fine", severity: "ERROR" })
  expect(await systemEvents.list({ severity: "ERROR" })).toHaveLength(1)
  expect(await agents.status({ agent: "n" })).toMatchObject({
    state: "unknown",
    name: null,
    type: null,
    capabilities: [],
    heartbeatIntervalMs: null,
    health: "healthy",
    intervalMs: 60_000
  })
  await heartbeats.record({ agent: "m", errorCount: 2_147_483_647 })
  expect((await heartbeats.recent({ agent: "m" })).map(({ errorCount }) => errorCount)).toEqual([
    2_147_483_647,
    ...uncountable.map(() => 0)
  ])
  await systemState.set({ key: "k", value: 2 })
  expect(await systemState.get({ key: "k" })).toMatchObject({ value: 2 })
  for (const name of [
    "agents",
    "alert_rules",
    "alerts",
    "communications",
    "conversations",
    "heartbeats",
    "help",
    "metric_rollups",
    "metrics",
    "sessions",
    "vitals",
    "system_events",
    "system_state"
  ])
    expect((await log.engine.rebuild(name, { verify: true })).verified).toBeDefined()
})
