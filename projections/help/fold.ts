import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { batches } from "../../src/projection/definition.ts"
import type { FoldFailed } from "../../src/projection/fold.ts"
import { occurredAt } from "../moment.ts"
import { said } from "../said.ts"
import { HELP, HelpAnswered, HelpRequested, HelpStatusChanged } from "./events.ts"

/** What every row has of the event that it comes from. */
const facts = ({ position, stream, data, recordedAt }: Event) => ({
  id: position,
  request_id: idOf(stream),
  occurred_at: occurredAt(data) ?? null,
  recorded_at: recordedAt
})

const requestRow = (event: Event) => {
  const asked = said(HelpRequested, event)
  if (asked === undefined) return []
  const { user, content, context = null, priority } = asked
  return [{ ...facts(event), user_id: user, content, context, priority }]
}

const responseRow = (event: Event) => {
  const answered = said(HelpAnswered, event)
  if (answered === undefined) return []
  const { content, confidence = null, sources = null, agent = null } = answered
  return [{ ...facts(event), response_id: event.id, content, confidence, sources, agent_id: agent }]
}

const changeRow = (event: Event) => {
  if (said(HelpAnswered, event) !== undefined) return [{ ...facts(event), status: "answered", answers: 1 }]
  const changed = said(HelpStatusChanged, event)
  return changed === undefined ? [] : [{ ...facts(event), status: changed.status, answers: 0 }]
}

/**
 * Requests first, then what became of them: the statements leave out what lies before its request in the log, so that this is the same however
 * batches are cut.
 */
export const helpModel = batches(
  Effect.fnUntraced(function* (
    events,
    { query, attempt }
  ): Effect.fn.Return<void, PostgresError | FoldFailed> {
    // What somebody else has put such an event into is no request.
    const ours = events.filter(({ stream }) => categoryOf(stream) === HELP)
    const requests = yield* attempt(() => ours.flatMap(requestRow))
    const responses = yield* attempt(() => ours.flatMap(responseRow))
    const changes = yield* attempt(() => ours.flatMap(changeRow))
    if (requests.length > 0) yield* query("#projections/help/save-requests.sql", [JSON.stringify(requests)])
    if (responses.length > 0)
      yield* query("#projections/help/save-responses.sql", [JSON.stringify(responses)])
    if (changes.length > 0) yield* query("#projections/help/save-changes.sql", [JSON.stringify(changes)])
  }),
  { byIndex: true }
)
