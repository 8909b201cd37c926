import { Effect, Schema } from "effect"
import { expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import type { AnyOperation } from "../../src/projection/operation.ts"
import { reasonOf, scene } from "../projection/scene.ts"

const { start } = scene()

const operations = Object.values(builtIn).flatMap(
  (definition) => Object.values(definition.operations) as Array<AnyOperation>
)

type Call = (input: unknown) => Effect.Effect<unknown, never>

/** The read model that has an operation, which may go by another one's name. */
const ownerOf = (name: string) =>
  Object.values(builtIn).find(({ operations: own }) =>
    Object.values(own).some((operation: AnyOperation) => operation.name === name)
  ) as typeof builtIn.agents

const called = async (name: string) => {
  const one = await start()
  for (const other of operations.find((operation) => operation.name === name)?.reads ?? [])
    await one.project(builtIn[other as keyof typeof builtIn] as typeof builtIn.agents)
  const bound = (await one.project(ownerOf(name))) as unknown as Record<string, Call>
  return { one, call: bound[name.split(".")[1]!]! }
}

const asked = {
  stream: "help-ticket-42",
  type: "HelpRequested",
  data: { user: "ada", content: "?", priority: "low" }
}

const ruled = {
  stream: "alertrule-slow",
  type: "AlertRuleSet",
  data: { when: { kind: "missed_beats", from: "late" }, severity: "ERROR", isEnabled: true }
}

const begun = {
  stream: "session-login-42",
  type: "SessionCreated",
  data: { user: "ada", data: {}, ttlMs: 60_000 }
}

/** What must have happened before an example works. */
const before: Readonly<
  Record<string, ReadonlyArray<{ stream: string; type: string; id?: string; data: unknown }>>
> = {
  "alerts.removeRule": [ruled],
  "alerts.acknowledge": [
    {
      stream: "alert-slow",
      type: "AlertRaised",
      id: "01890a5d-ac96-774b-bcce-b302099a8057",
      data: {
        subject: "billing-7",
        severity: "ERROR",
        kind: "metric",
        value: 900,
        threshold: 500,
        since: "2026-01-31T12:00:00Z",
        summary: "slow",
        ruleVersion: 1
      }
    }
  ],
  "communications.acknowledge": [
    {
      stream: "inbox-billing-7",
      type: "MessageSent",
      id: "01890a5d-ac96-774b-bcce-b302099a8057",
      data: { from: "planner-1", type: "task", content: 1, priority: "low" }
    }
  ],
  "help.answer": [asked],
  "help.setStatus": [asked],
  "help.close": [asked],
  "sessions.touch": [begun],
  "sessions.end": [begun],
  "help.reopen": [asked, { stream: asked.stream, type: "HelpStatusChanged", data: { status: "closed" } }]
}

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s does what it says with its example",
  async (name, operation) => {
    const { one, call } = await called(name)
    for (const { stream, ...event } of before[name] ?? []) await one.emit(stream, event)
    const output = await one.run(call(operation.example))
    expect(output).toSatisfy(Schema.is(operation.output))
    // A surface sends it as JSON.
    Schema.encodeUnknownSync(Schema.toCodecJson(operation.output))(output)
    expect(operation.description).toMatch(/^[A-Z].*\.$/)
    expect(operation.scope).toBe(`${name.split(".")[0]}:${operation.kind === "query" ? "read" : "write"}`)
  }
)

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s refuses what it does not know, and says so",
  async (name, operation) => {
    const { one, call } = await called(name)
    const reason = await reasonOf(one.run(call({ ...(operation.example as object), nonsense: 1 })))
    expect(reason).toMatchObject({ _tag: "InvalidInput", operation: name })
    expect(reason.message).toContain("nonsense")
    expect(reason.message).toContain(JSON.stringify(operation.example))
  }
)

it.each([
  ["agents.register", { agent: "with space" }, "agent"],
  ["agents.register", { agent: "" }, "agent"],
  ["agents.register", { agent: "x".repeat(201) }, "agent"],
  ["agents.register", { agent: "a", occurredAt: "yesterday" }, "occurredAt"],
  ["agents.register", { agent: "a", occurredAt: "2026-01-31T12:00:00" }, "occurredAt"],
  ["agents.register", { agent: "a", config: { bad: Number.NaN } }, "config"],
  ["agents.register", { agent: "a", state: "retired" }, "agents.retire"],
  ["agents.register", { agent: "a", name: "" }, "name"],
  ["agents.register", { agent: "a", type: "t".repeat(101) }, "type"],
  ["agents.register", { agent: "a", type: "a\0" }, "type"],
  ["agents.register", { agent: "a", capabilities: "invoices" }, "capabilities"],
  ["agents.register", { agent: "a", capabilities: [""] }, "capabilities"],
  ["agents.register", { agent: "a", capabilities: Array.from({ length: 101 }, String) }, "capabilities"],
  ["agents.register", { agent: "a", heartbeatIntervalMs: 99 }, "heartbeatIntervalMs"],
  ["agents.register", { agent: "a", heartbeatIntervalMs: 604_800_001 }, "heartbeatIntervalMs"],
  ["agents.register", { agent: "a", heartbeatIntervalMs: 100.5 }, "heartbeatIntervalMs"],
  ["agents.update", { agent: "a" }, "give at least one of"],
  ["agents.update", { agent: "a", occurredAt: "2026-01-31T12:00:00Z" }, "give at least one of"],
  ["agents.update", { agent: "a", config: [] }, "config"],
  ["agents.update", { agent: "a", state: "busy" }, "state"],
  ["agents.updateState", { agent: "a" }, "state"],
  ["agents.updateState", { agent: "a", state: "retired" }, "agents.retire"],
  ["agents.updateState", { agent: "a", state: "x".repeat(51) }, "state"],
  ["agents.stop", { agent: "a", reason: 1 }, "reason"],
  ["agents.retire", { agent: "" }, "agent"],
  ["agents.status", {}, "agent"],
  ["agents.list", { capability: "" }, "capability"],
  ["agents.list", { limit: 10_001 }, "limit"],
  ["agents.list", { after: "with space" }, "after"],
  ["agents.active", { state: "busy" }, "state"],
  ["alerts.setRule", { rule: "with space", when: { kind: "missed_beats" } }, "rule"],
  ["alerts.setRule", { rule: "r".repeat(101), when: { kind: "missed_beats" } }, "rule"],
  ["alerts.setRule", { rule: "r" }, "when"],
  ["alerts.setRule", { rule: "r", when: {} }, "kind"],
  ["alerts.setRule", { rule: "r", when: { kind: "weather" } }, "kind"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats" }, severity: "bad" }, "severity"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats" }, isEnabled: 1 }, "isEnabled"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats" }, description: "" }, "description"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats" }, by: "" }, "by"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats" }, reason: 1 }, "reason"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats", from: "healthy" } }, "from"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats", agent: "a b" } }, "agent"],
  ["alerts.setRule", { rule: "r", when: { kind: "missed_beats", threshold: 1 } }, "threshold"],
  ["alerts.setRule", { rule: "r", when: { kind: "metric", threshold: 1 } }, "metric"],
  ["alerts.setRule", { rule: "r", when: { kind: "metric", metric: "\0", threshold: 1 } }, "metric"],
  ["alerts.setRule", { rule: "r", when: { kind: "metric", metric: "m" } }, "threshold"],
  [
    "alerts.setRule",
    { rule: "r", when: { kind: "metric", metric: "m", threshold: Number.NaN } },
    "threshold"
  ],
  ["alerts.setRule", { rule: "r", when: { kind: "metric", metric: "m", threshold: 1, of: "sum" } }, "of"],
  ["alerts.setRule", { rule: "r", when: { kind: "metric", metric: "m", threshold: 1, is: "at" } }, "is"],
  [
    "alerts.setRule",
    { rule: "r", when: { kind: "metric", metric: "m", threshold: 1, forMinutes: 1_441 } },
    "forMinutes"
  ],
  [
    "alerts.setRule",
    { rule: "r", when: { kind: "metric", metric: "m", threshold: 1, forMinutes: 0.5 } },
    "forMinutes"
  ],
  ["alerts.setRule", { rule: "r", when: { kind: "error_rate" } }, "above"],
  ["alerts.setRule", { rule: "r", when: { kind: "error_rate", above: 1.1 } }, "above"],
  ["alerts.setRule", { rule: "r", when: { kind: "error_rate", above: 0, atLeast: 0 } }, "atLeast"],
  ["alerts.setRule", { rule: "r", when: { kind: "error_rate", above: 0, windowMs: 999 } }, "windowMs"],
  ["alerts.setRule", { rule: "r", when: { kind: "system_event", windowMs: 604_800_001 } }, "windowMs"],
  ["alerts.setRule", { rule: "r", when: { kind: "system_event", severity: "FATAL" } }, "severity"],
  ["alerts.setRule", { rule: "r", when: { kind: "system_event", type: "" } }, "type"],
  ["alerts.setRule", { rule: "r", when: { kind: "projection_lag" } }, "above"],
  ["alerts.setRule", { rule: "r", when: { kind: "projection_lag", above: -1 } }, "above"],
  ["alerts.setRule", { rule: "r", when: { kind: "projection_lag", above: 1, of: "bytes" } }, "of"],
  ["alerts.setRule", { rule: "r", when: { kind: "projection_lag", above: 1, projection: "" } }, "projection"],
  ["alerts.removeRule", {}, "rule"],
  ["alerts.removeRule", { rule: "r", by: "x".repeat(256) }, "by"],
  ["alerts.rules", { rule: "" }, "rule"],
  ["alerts.rules", { limit: 1_001 }, "limit"],
  ["alerts.rules", { after: "a b" }, "after"],
  ["alerts.list", { status: "acknowledged" }, "status"],
  ["alerts.list", { rule: "a b" }, "rule"],
  ["alerts.list", { subject: "" }, "subject"],
  ["alerts.list", { severity: "bad" }, "severity"],
  ["alerts.list", { limit: 0 }, "limit"],
  ["alerts.list", { before: 0 }, "before"],
  ["alerts.acknowledge", { alert: 7 }, "alert"],
  ["alerts.acknowledge", { alert: "seven" }, "alert"],
  ["alerts.acknowledge", { alert: "01890a5d-ac96-774b-bcce-b302099a8057", by: "" }, "by"],
  ["alerts.acknowledge", { alert: "01890a5d-ac96-774b-bcce-b302099a8057", note: "" }, "note"],
  ["heartbeats.health", { agent: "a", minutes: 0 }, "minutes"],
  ["vitals.overview", { health: "healthy" }, "health"],
  ["vitals.overview", { limit: 1_001 }, "limit"],
  ["vitals.overview", { after: "" }, "after"],
  ["heartbeats.record", { agent: "a", errorCount: 1.5 }, "errorCount"],
  ["heartbeats.recent", { minutes: 0 }, "minutes"],
  ["metrics.record", { agent: "a", name: "m", value: Number.POSITIVE_INFINITY }, "value"],
  ["metrics.record", [], ""],
  ["metrics.record", { agent: "a", name: "", value: 1 }, "name"],
  ["metrics.record", { agent: "a", name: "x".repeat(256), value: 1 }, "name"],
  ["metrics.list", { limit: 10_001 }, "limit"],
  ["metrics.summary", { agent: "a b" }, "agent"],
  ["metrics.summary", { name: "" }, "name"],
  ["metrics.summary", { hours: 0 }, "hours"],
  ["metrics.summary", { hours: 1.5 }, "hours"],
  ["metrics.summary", { hours: 100_001 }, "hours"],
  ["metrics.summary", { bucket: "day" }, "bucket"],
  ["metrics.summary", { limit: 0 }, "limit"],
  ["metrics.summary", { limit: 100_001 }, "limit"],
  ["system_state.set", { key: "", value: 1 }, "key"],
  ["system_state.set", { key: "x".repeat(256), value: 1 }, "key"],
  ["system_state.set", { key: "a\0", value: 1 }, "key"],
  ["system_state.set", { key: "\ud800", value: 1 }, "key"],
  ["system_state.set", { key: "a" }, "value"],
  ["system_state.set", { key: "a", value: Number.NaN }, "value"],
  ["system_state.set", { key: "a", value: 1, by: "" }, "by"],
  ["system_state.set", { key: "a", value: 1, by: "x".repeat(256) }, "by"],
  ["system_state.compareAndSet", { key: "a", expected: Number.NaN, value: 1 }, "expected"],
  ["system_state.compareAndSet", { key: "a", expected: 1 }, "value"],
  ["system_state.remove", { key: "a", occurredAt: "now" }, "occurredAt"],
  ["system_state.get", {}, "key"],
  ["system_state.all", { limit: 10_001 }, "limit"],
  ["system_state.all", { after: "" }, "after"],
  ["system_state.history", { key: "a", before: 0 }, "before"],
  ["system_events.log", { type: "" }, "type"],
  ["system_events.log", { type: "x".repeat(101) }, "type"],
  ["system_events.log", { type: " t" }, "type"],
  ["system_events.log", { type: "t", severity: "info" }, "severity"],
  ["system_events.log", { type: "t", agent: "with space" }, "agent"],
  ["system_events.log", { type: "t", data: [1] }, "data"],
  ["system_events.list", { severity: "FATAL" }, "severity"],
  ["system_events.list", { since: "yesterday" }, "since"],
  ["system_events.list", { limit: 0 }, "limit"],
  ["system_events.list", { before: -1 }, "before"],
  ["system_events.counts", { until: "2026-01-31" }, "until"],
  ["communications.send", { from: "a b", to: "b", content: 1 }, "from"],
  ["communications.send", { from: "a", to: "b", content: 1, type: "x".repeat(101) }, "type"],
  ["communications.inbox", { agent: "a", limit: 0 }, "limit"],
  ["communications.inbox", { agent: "a", limit: 1_001 }, "limit"],
  ["communications.inbox", { agent: "a", before: 0 }, "before"],
  ["communications.unread", {}, "agent"],
  ["communications.acknowledge", { agent: "a", message: "m" }, "message"],
  ["communications.acknowledge", { agent: "a", message: [] }, "message"],
  ["communications.status", { message: "m" }, "message"],
  ["communications.list", { replyTo: "m" }, "replyTo"],
  ["conversations.record", {}, "prompt"],
  ["conversations.record", { prompt: "?", cost: "1e-7" }, "cost"],
  ["conversations.record", { prompt: "?", cost: -1 }, "cost"],
  ["conversations.record", { prompt: "?", cost: 1.23456789012345e-9 }, "cost"],
  ["conversations.record", { prompt: "?", cost: "1.0000000000000000001" }, "cost"],
  ["conversations.record", { prompt: "?", tokens: 2 ** 31 }, "tokens"],
  ["conversations.record", { prompt: "?", durationMs: 0.5 }, "durationMs"],
  ["conversations.list", { since: "2026-01-31" }, "since"],
  ["conversations.get", { conversation: "" }, "conversation"],
  ["conversations.totals", { by: "week" }, "by"],
  ["conversations.totals", { by: "day", since: "2026-02-30" }, "since"],
  ["conversations.totals", { by: "day", until: "0000-01-01" }, "until"],
  ["help.ask", { user: "", content: "?" }, "user"],
  ["help.ask", { user: "ada", content: "" }, "content"],
  ["help.ask", { user: "ada", content: "?", priority: "asap" }, "priority"],
  ["help.ask", { user: "ada", content: "?", request: "with space" }, "request"],
  ["help.answer", { request: "r", content: "!", confidence: 1.1 }, "confidence"],
  ["help.answer", { request: "r", content: "!", sources: "docs" }, "sources"],
  ["help.setStatus", { request: "r", status: "open" }, "status"],
  ["help.close", { request: "" }, "request"],
  ["help.reopen", { request: "r", occurredAt: "now" }, "occurredAt"],
  ["help.get", {}, "request"],
  ["help.list", { status: "open" }, "status"],
  ["sessions.create", {}, "user"],
  ["sessions.create", { data: {} }, "give a user, an agent, or both"],
  ["sessions.create", { user: "" }, "user"],
  ["sessions.create", { user: "x".repeat(256) }, "user"],
  ["sessions.create", { user: "a\0" }, "user"],
  ["sessions.create", { agent: "with space" }, "agent"],
  ["sessions.create", { user: "ada", session: "with space" }, "session"],
  ["sessions.create", { user: "ada", session: "x".repeat(201) }, "session"],
  ["sessions.create", { user: "ada", data: [1] }, "data"],
  ["sessions.create", { user: "ada", data: { bad: Number.NaN } }, "data"],
  ["sessions.create", { user: "ada", ttlMs: 999 }, "ttlMs"],
  ["sessions.create", { user: "ada", ttlMs: 315_360_000_001 }, "ttlMs"],
  ["sessions.create", { user: "ada", ttlMs: 1_000.5 }, "ttlMs"],
  ["sessions.create", { user: "ada", occurredAt: "now" }, "occurredAt"],
  ["sessions.touch", {}, "session"],
  ["sessions.touch", { session: "s", data: "text" }, "data"],
  ["sessions.touch", { session: "s", occurredAt: "2026-02-30T00:00:00Z" }, "occurredAt"],
  ["sessions.end", { session: "" }, "session"],
  ["sessions.end", { session: "s", reason: "" }, "reason"],
  ["sessions.expire", { limit: 0 }, "limit"],
  ["sessions.expire", { limit: 10_001 }, "limit"],
  ["sessions.get", {}, "session"],
  ["sessions.list", { status: "alive" }, "status"],
  ["sessions.list", { user: "" }, "user"],
  ["sessions.list", { limit: 1_001 }, "limit"],
  ["sessions.list", { before: 0 }, "before"]
])("%s names what is wrong with %j", async (name, input, said) => {
  const { one, call } = await called(name)
  const reason = await reasonOf(one.run(call(input)))
  expect(reason).toMatchObject({ _tag: "InvalidInput", operation: name })
  expect(reason.message).toContain(said)
})

it("takes agents' ids that make a stream's name as long as can be", async () => {
  const one = await start()
  const agents = await one.project(builtIn.agents)
  const agent = "~".repeat(200)
  await one.run(agents.register({ agent }))
  expect(await one.run(agents.get({ agent }))).toMatchObject({ agent })
})
