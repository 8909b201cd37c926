import { projection } from "../../src/projection/definition.ts"
import { SystemStateRemoved, SystemStateSet } from "./events.ts"
import { systemStateEntities } from "./fold.ts"
import { all, compareAndSet, get, history, remove, set } from "./operations.ts"

/** The global state of the fleet: values by key. */
export const systemState = projection({
  name: "system_state",
  version: 1,
  events: [SystemStateSet, SystemStateRemoved],
  tables: "#projections/system-state/tables.sql",
  relations: ["system_state"],
  model: systemStateEntities,
  operations: { set, compareAndSet, remove, get, all, history }
})
