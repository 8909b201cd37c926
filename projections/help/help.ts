import { projection } from "../../src/projection/definition.ts"
import { HELP_EVENTS } from "./events.ts"
import { helpModel } from "./fold.ts"
import { answer, ask, close, get, list, reopen, setStatus } from "./operations.ts"

/** Requests for help, what became of them, and the answers they got. */
export const help = projection({
  name: "help",
  version: 1,
  events: HELP_EVENTS,
  tables: "#projections/help/tables.sql",
  relations: ["help_requests", "help_responses"],
  model: helpModel,
  operations: { ask, answer, setStatus, close, reopen, get, list }
})
