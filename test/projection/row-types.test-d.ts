import { expectTypeOf, test } from "vitest"
import type {
  Agent,
  AgentStatus,
  Alert,
  AlertRule,
  AnsweredHelpRequest,
  ConversationTotal,
  Exchange,
  Health,
  HealthOverview,
  Heartbeat,
  HelpRequest,
  HelpResponse,
  Message,
  MessageStanding,
  Metric,
  MetricSummary,
  Received,
  Session,
  SystemEvent,
  SystemEventCounts,
  SystemState,
  SystemStateChange,
  UnwellAgent
} from "../../src/effect.ts"
import type { Engine } from "../../src/index.ts"

type Row<Query extends (...input: Array<never>) => Promise<unknown>> =
  Awaited<ReturnType<Query>> extends ReadonlyArray<infer One> ? One : never

test("what the read models give has names to write in a signature", () => {
  expectTypeOf<Row<Engine["agents"]["list"]>>().toEqualTypeOf<Agent>()
  expectTypeOf<Row<Engine["agents"]["active"]>>().toEqualTypeOf<Agent>()
  expectTypeOf<Awaited<ReturnType<Engine["agents"]["status"]>>>().toEqualTypeOf<AgentStatus | null>()
  expectTypeOf<Row<Engine["alerts"]["list"]>>().toEqualTypeOf<Alert>()
  expectTypeOf<Row<Engine["alerts"]["rules"]>>().toEqualTypeOf<AlertRule>()
  expectTypeOf<Awaited<ReturnType<Engine["vitals"]["overview"]>>>().toEqualTypeOf<HealthOverview>()
  expectTypeOf<HealthOverview["unwell"][number]>().toEqualTypeOf<UnwellAgent>()
  expectTypeOf<Row<Engine["heartbeats"]["recent"]>>().toEqualTypeOf<Heartbeat>()
  expectTypeOf<Awaited<ReturnType<Engine["heartbeats"]["health"]>>>().toEqualTypeOf<Health>()
  expectTypeOf<Row<Engine["metrics"]["list"]>>().toEqualTypeOf<Metric>()
  expectTypeOf<Row<Engine["metrics"]["summary"]>>().toEqualTypeOf<MetricSummary>()
  expectTypeOf<Row<Engine["systemState"]["all"]>>().toEqualTypeOf<SystemState>()
  expectTypeOf<Row<Engine["systemState"]["history"]>>().toEqualTypeOf<SystemStateChange>()
  expectTypeOf<Row<Engine["systemEvents"]["list"]>>().toEqualTypeOf<SystemEvent>()
  expectTypeOf<Awaited<ReturnType<Engine["systemEvents"]["counts"]>>>().toEqualTypeOf<SystemEventCounts>()
  expectTypeOf<Row<Engine["communications"]["inbox"]>>().toEqualTypeOf<Received>()
  expectTypeOf<Row<Engine["communications"]["list"]>>().toEqualTypeOf<Message>()
  expectTypeOf<
    Awaited<ReturnType<Engine["communications"]["status"]>>
  >().toEqualTypeOf<MessageStanding | null>()
  expectTypeOf<Row<Engine["help"]["list"]>>().toEqualTypeOf<HelpRequest>()
  expectTypeOf<Awaited<ReturnType<Engine["help"]["get"]>>>().toEqualTypeOf<AnsweredHelpRequest | null>()
  expectTypeOf<AnsweredHelpRequest["responses"][number]>().toEqualTypeOf<HelpResponse>()
  expectTypeOf<Row<Engine["sessions"]["list"]>>().toEqualTypeOf<Session>()
  expectTypeOf<Awaited<ReturnType<Engine["sessions"]["get"]>>>().toEqualTypeOf<Session | null>()
  expectTypeOf<Row<Engine["conversations"]["list"]>>().toEqualTypeOf<Exchange>()
  expectTypeOf<Row<Engine["conversations"]["totals"]>>().toEqualTypeOf<ConversationTotal>()
})
