import { projection } from "../../src/projection/definition.ts"
import { STATE_EVENTS } from "../../src/state/event.ts"
import { branches, checkpoints, conflicts, find, merges, statistics, tags } from "./operations.ts"
import { statesModel } from "./fold.ts"
import { inbox } from "./inbox-operations.ts"
import { syncs } from "./sync-operations.ts"

/** The states of agents, kept ready by key, with their versions, branches, tags, checkpoints and merges. */
export const states = projection({
  name: "states",
  version: 1,
  events: STATE_EVENTS,
  tables: [
    "#projections/states/tables.sql",
    "#projections/states/sync-tables.sql",
    "#projections/states/inbox-tables.sql"
  ],
  relations: [
    "state_branches",
    "state_sessions",
    "state_keys",
    "state_key_versions",
    "state_points",
    "state_known",
    "state_sync_events",
    "state_sync_conflicts",
    "state_tags",
    "state_checkpoints",
    "state_merges",
    "state_conflicts"
  ],
  model: statesModel,
  views: "#projections/states/views.sql",
  operations: { branches, tags, checkpoints, merges, conflicts, find, statistics, syncs, inbox }
})
