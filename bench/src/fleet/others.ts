import { uuidOf } from "../../../dist/src/base/uuid.js"
import { AgentStateChanged, agentStream } from "../../../dist/projections/agents/events.js"
import {
  acknowledgementId,
  BROADCAST,
  inboxStream,
  MessageAcknowledged,
  MessageSent
} from "../../../dist/projections/communications/events.js"
import { conversationStream, ExchangeRecorded } from "../../../dist/projections/conversations/events.js"
import { HelpAnswered, HelpRequested, helpStream } from "../../../dist/projections/help/events.js"
import { SessionTouched, sessionStream } from "../../../dist/projections/sessions/events.js"
import {
  systemEventLabels,
  SystemEventLogged,
  systemEventStream
} from "../../../dist/projections/system-events/events.js"
import { SystemStateSet } from "../../../dist/projections/system-state/events.js"
import { stateStream } from "../../../dist/projections/system-state/key.js"
import { agentAt, sessionAt } from "./names.ts"
import type { Kind, Make } from "./placed.ts"

/** One in so many messages goes to all. */
const BROADCAST_EVERY = 50

/** One in so many messages is acknowledged, in place of the next. */
const MESSAGES_AND_ACKNOWLEDGEMENT = 4

const EXCHANGES = 8
const KEYS = 500

const systemEvent: Make = (nth) => {
  const severity = nth % 50 === 0 ? "ERROR" : nth % 10 === 0 ? "WARNING" : "INFO"
  const type = `task-${nth % 20}`
  const agent = agentAt(nth)
  return {
    stream: systemEventStream(severity, agent),
    event: SystemEventLogged.make(
      { type, severity, agent, data: { attempt: nth % 5, note: "looked up the invoice" } },
      { labels: systemEventLabels(type, severity) }
    )
  }
}

const messageId = (nth: number): string => uuidOf(`message ${nth}`)

const receiver = (nth: number): string => agentAt(nth * 7)

const sent: Make = (nth) => ({
  stream: nth % BROADCAST_EVERY === 0 ? BROADCAST : inboxStream(receiver(nth)),
  event: MessageSent.make(
    { from: agentAt(nth), type: "task", content: { invoice: nth }, priority: "medium" },
    { id: messageId(nth) }
  )
})

/** Every fourth is the acknowledgement of one that was sent a little before. */
const message: Make = (nth) => {
  const before = nth - (MESSAGES_AND_ACKNOWLEDGEMENT + 1)
  if (before < 0 || nth % MESSAGES_AND_ACKNOWLEDGEMENT < MESSAGES_AND_ACKNOWLEDGEMENT - 1) return sent(nth)
  const agent = receiver(before)
  const id = messageId(before)
  return {
    stream: inboxStream(agent),
    event: MessageAcknowledged.make({ message: id }, { id: acknowledgementId(agent, id) })
  }
}

const exchange: Make = (nth) => ({
  stream: conversationStream(`conversation-${Math.floor(nth / EXCHANGES)}`),
  event: ExchangeRecorded.make({
    prompt: "Which customer does this invoice belong to, and has it been paid?",
    response: "It belongs to customer 42, and was paid on the third of the month.",
    agent: agentAt(nth),
    model: `model-${nth % 5}`,
    promptTokens: 800 + (nth % 400),
    responseTokens: 120,
    cost: "0.0042",
    durationMs: 900
  })
})

const STATES = ["busy", "idle", "waiting"] as const

const agentChanged: Make = (nth) => ({
  stream: agentStream(agentAt(nth)),
  event: AgentStateChanged.make({ state: STATES[nth % STATES.length]!, metadata: { step: nth } })
})

const sessionTouched: Make = (nth) => ({
  stream: sessionStream(sessionAt(nth)),
  event: SessionTouched.make({ data: { step: nth } })
})

const help: Make = (nth) => {
  const request = Math.floor(nth / 2)
  const asked = HelpRequested.make({
    user: `user-${request % 1000}`,
    content: "How is an invoice filed that names no customer?",
    priority: "medium"
  })
  const answered = HelpAnswered.make({
    content: "By the number of the order that it names.",
    confidence: 0.9,
    agent: agentAt(request)
  })
  return { stream: helpStream(`request-${request}`), event: nth % 2 === 0 ? asked : answered }
}

const systemState: Make = (nth) => {
  const key = `setting-${nth % KEYS}`
  return { stream: stateStream(key), event: SystemStateSet.make({ key, value: { step: nth } }) }
}

/** What a fleet does beside beating and measuring: 20 of a hundred events. */
export const OTHERS: ReadonlyArray<Kind> = [
  { share: 5, make: systemEvent },
  { share: 4, make: message },
  { share: 3, make: exchange },
  { share: 3, make: agentChanged },
  { share: 2, make: sessionTouched },
  { share: 1, make: help },
  { share: 1, make: systemState },
  { share: 1, make: () => undefined }
]
