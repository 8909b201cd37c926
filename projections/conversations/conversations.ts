import { projection, rows } from "../../src/projection/definition.ts"
import { ExchangeRecorded } from "./events.ts"
import { get, list, record, totals } from "./operations.ts"

/** Conversations with language models, and what they cost. */
export const conversations = projection({
  name: "conversations",
  version: 1,
  events: [ExchangeRecorded],
  tables: "#projections/conversations/tables.sql",
  relations: ["llm_conversations", "llm_totals"],
  model: rows("#projections/conversations/fold.sql"),
  operations: { record, list, get, totals }
})
