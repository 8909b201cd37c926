import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { batches } from "../../src/projection/definition.ts"
import type { FoldFailed } from "../../src/projection/fold.ts"
import { occurredAt } from "../moment.ts"
import { said } from "../said.ts"
import { BROADCAST, INBOX, MessageAcknowledged, MessageSent } from "./events.ts"

const isInbox = (stream: string): boolean => categoryOf(stream) === INBOX

/** The row of a message; what was put into another stream than an inbox went to nobody. */
const messageRow = (event: Event) => {
  const { stream, position, id, recordedAt } = event
  const sent = said(MessageSent, event)
  if (sent === undefined || !(isInbox(stream) || stream === BROADCAST)) return []
  const { from, type, content, priority, replyTo = null } = sent
  const at = occurredAt(sent)
  return [
    {
      id: position,
      message_id: id,
      from_agent: from,
      to_agent: stream === BROADCAST ? null : idOf(stream),
      message_type: type,
      content,
      priority,
      reply_to: replyTo,
      timestamp: at ?? recordedAt,
      occurred_at: at ?? null,
      recorded_at: recordedAt
    }
  ]
}

const acknowledgementRow = (event: Event) => {
  const { stream, position, recordedAt } = event
  const acknowledged = said(MessageAcknowledged, event)
  return acknowledged !== undefined && isInbox(stream)
    ? [{ agent_id: idOf(stream), message_id: acknowledged.message, position, at: recordedAt }]
    : []
}

/**
 * Messages first, then what was acknowledged: the statement leaves out what lies before its message in the log, so that this is the same
 * however batches are cut.
 */
export const communicationsModel = batches(
  Effect.fnUntraced(function* (
    events,
    { query, attempt }
  ): Effect.fn.Return<void, PostgresError | FoldFailed> {
    const sent = yield* attempt(() => events.flatMap(messageRow))
    const acknowledged = yield* attempt(() => events.flatMap(acknowledgementRow))
    if (sent.length > 0) yield* query("#projections/communications/save-messages.sql", [JSON.stringify(sent)])
    if (acknowledged.length > 0)
      yield* query("#projections/communications/save-acknowledgements.sql", [JSON.stringify(acknowledged)])
  }),
  { byIndex: true }
)
