import { Effect, Schema } from "effect"
import { uuid } from "../../src/base/uuid.ts"
import { command, query } from "../../src/projection/operation.ts"
import { AgentId } from "../agent-id.ts"
import { GivenMoment, happened } from "../moment.ts"
import { DEFAULT_LIMIT, numbered, Page } from "../page.ts"
import { Recorded, recorded } from "../recorded.ts"
import { shortText } from "../short-text.ts"
import { ThingId } from "../thing-id.ts"
import { decimalOf, GivenCost } from "./cost.ts"
import { Count, conversationStream, ExchangeRecorded } from "./events.ts"

const READ = "conversations:read"
const WRITE = "conversations:write"

/** The first and the last day of all, and the day that has the sums of all days, as PostgreSQL writes them. */
const FIRST_DAY = "0001-01-01"
const LAST_DAY = "infinity"
const ALL_DAYS = "-infinity"

const DAY = /^\d{4}-\d{2}-\d{2}$/

const isDay = (day: string): boolean => {
  const time = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) && day >= FIRST_DAY
}

/** A day in UTC. */
const Day = Schema.String.check(
  Schema.makeFilter((day: string) => isDay(day) || "give a day, such as 2026-01-31")
)

/** In characters. */
const MAX_LENGTH = 100

const Name = shortText(MAX_LENGTH)

/** A prompt, and what came of it. What was not said is null. */
export const Exchange = Schema.Struct({
  /** Its position in the log. */
  id: Schema.Int,
  conversation: Schema.String,
  agent: Schema.NullOr(Schema.String),
  prompt: Schema.String,
  response: Schema.NullOr(Schema.String),
  model: Schema.NullOr(Schema.String),
  provider: Schema.NullOr(Schema.String),
  promptTokens: Schema.NullOr(Schema.Int),
  responseTokens: Schema.NullOr(Schema.Int),
  tokens: Schema.NullOr(Schema.Int),
  /** As a decimal, such as "0.00125". */
  cost: Schema.NullOr(Schema.String),
  durationMs: Schema.NullOr(Schema.Int),
  /** When it was by the agent's clock, where it said so; else when it was recorded. */
  timestamp: Schema.Date,
  metadata: Schema.Json,
  occurredAt: Schema.NullOr(Schema.Date),
  recordedAt: Schema.Date
})
export type Exchange = typeof Exchange.Type

/** What exchanges sum up to. What was not said of one counts as nothing. */
export const ConversationTotal = Schema.Struct({
  /** The agent, model or day; null where the exchanges did not say it. */
  of: Schema.NullOr(Schema.String),
  exchanges: Schema.Int,
  promptTokens: Schema.Int,
  responseTokens: Schema.Int,
  tokens: Schema.Int,
  /** As a decimal, exact. */
  cost: Schema.String,
  durationMs: Schema.Int
})
export type ConversationTotal = typeof ConversationTotal.Type

/** All tokens, where they were not given: those of the prompt and of the response, as far as known. */
const tokensOf = (prompt: number | undefined, response: number | undefined): number | undefined =>
  prompt === undefined && response === undefined ? undefined : (prompt ?? 0) + (response ?? 0)

export const record = command({
  name: "conversations.record",
  description:
    "Records a prompt and its response, in a conversation or in a new one, whose id it says. The cost is a decimal as text, or a number, which stands for the decimal that it is written as.",
  scope: WRITE,
  input: Schema.Struct({
    conversation: Schema.optionalKey(ThingId),
    agent: Schema.optionalKey(AgentId),
    prompt: Schema.String,
    response: Schema.optionalKey(Schema.String),
    model: Schema.optionalKey(Name),
    provider: Schema.optionalKey(Name),
    promptTokens: Schema.optionalKey(Count),
    responseTokens: Schema.optionalKey(Count),
    tokens: Schema.optionalKey(Count),
    cost: Schema.optionalKey(GivenCost),
    durationMs: Schema.optionalKey(Count),
    metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    occurredAt: Schema.optionalKey(GivenMoment)
  }),
  output: Schema.Struct({ ...Recorded.fields, conversation: Schema.String }),
  example: {
    agent: "billing-7",
    prompt: "Which invoices are late?",
    response: "Two of them.",
    model: "small-1",
    promptTokens: 120,
    responseTokens: 8,
    cost: "0.00125",
    durationMs: 840
  },
  run: ({ conversation = uuid(), occurredAt, cost, ...said }, { emit }) => {
    const tokens = said.tokens ?? tokensOf(said.promptTokens, said.responseTokens)
    const data = {
      ...said,
      ...(tokens === undefined ? {} : { tokens }),
      ...(cost === undefined ? {} : { cost: decimalOf(cost) })
    }
    const meta = said.agent === undefined ? {} : { meta: { actor: said.agent } }
    const event = ExchangeRecorded.make(data, { ...happened(occurredAt), ...meta })
    return Effect.map(emit(conversationStream(conversation), event), (appended) => ({
      ...recorded(appended),
      conversation
    }))
  }
})

export const list = query({
  name: "conversations.list",
  description:
    "Exchanges, the newest first: of all, of an agent, in a conversation, with a model, from a time on or before one.",
  scope: READ,
  input: Schema.Struct({
    agent: Schema.optionalKey(AgentId),
    conversation: Schema.optionalKey(ThingId),
    model: Schema.optionalKey(Name),
    since: Schema.optionalKey(GivenMoment),
    until: Schema.optionalKey(GivenMoment),
    ...Page
  }),
  output: Schema.Array(Exchange),
  example: { agent: "billing-7", since: "2026-01-31T00:00:00Z" },
  run: (given, context) => {
    const { agent = null, conversation = null, model = null, since = null, until = null } = given
    const { limit = DEFAULT_LIMIT, before = null } = given
    const values = [agent, conversation, model, since, until, limit, before]
    return Effect.map(
      context.query<Exchange>("#projections/conversations/list.sql", values, { planned: "anew" }),
      numbered
    )
  }
})

export const get = query({
  name: "conversations.get",
  description:
    "The exchanges of a conversation in order: the first, or those after one; none where there is no such conversation.",
  scope: READ,
  input: Schema.Struct({ conversation: ThingId, limit: Page.limit, after: Page.before }),
  output: Schema.Array(Exchange),
  example: { conversation: "chat-42" },
  run: ({ conversation, limit = DEFAULT_LIMIT, after = 0 }, context) =>
    Effect.map(
      context.query<Exchange>("#projections/conversations/get.sql", [conversation, limit, after]),
      numbered
    )
})

export const totals = query({
  name: "conversations.totals",
  description:
    "How many exchanges, tokens and milliseconds there were, and what they cost, by agent, model or day: of all days, or from one day to another, both included. Days are those of UTC.",
  scope: READ,
  input: Schema.Struct({
    by: Schema.Literals(["agent", "model", "day"]),
    since: Schema.optionalKey(Day),
    until: Schema.optionalKey(Day)
  }),
  output: Schema.Array(ConversationTotal),
  example: { by: "model", since: "2026-01-01", until: "2026-01-31" },
  run: ({ by, since, until }, context) => {
    const isOfAll = by !== "day" && since === undefined && until === undefined
    const days = isOfAll ? [ALL_DAYS, ALL_DAYS] : [since ?? FIRST_DAY, until ?? LAST_DAY]
    return context.query<ConversationTotal>("#projections/conversations/totals.sql", [by, ...days])
  }
})
