import { projection } from "../../src/projection/definition.ts"
import { LINK_EVENTS } from "../../src/sync/link/event.ts"
import { linkEntities } from "./fold.ts"
import { list } from "./operations.ts"

/** The links between agents' states: who shares which keys. */
export const links = projection({
  name: "links",
  version: 1,
  events: LINK_EVENTS,
  tables: "#projections/links/tables.sql",
  relations: ["state_links"],
  model: linkEntities,
  operations: { list }
})
