import { projection } from "../../src/projection/definition.ts"
import { MessageAcknowledged, MessageSent } from "./events.ts"
import { communicationsModel } from "./fold.ts"
import { acknowledge, inbox, list, send, status, unread } from "./operations.ts"

/** Messages between agents: to one or to all, and who has acknowledged them. */
export const communications = projection({
  name: "communications",
  version: 1,
  events: [MessageSent, MessageAcknowledged],
  tables: "#projections/communications/tables.sql",
  relations: ["agent_communications", "agent_acknowledgements", "agent_inboxes"],
  model: communicationsModel,
  operations: { send, inbox, unread, acknowledge, status, list }
})
