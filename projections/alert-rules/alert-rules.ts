import { projection } from "../../src/projection/definition.ts"
import { RULE_EVENTS } from "./events.ts"
import { ruleEntities } from "./fold.ts"
import { removeRule, rules, setRule } from "./operations.ts"

/** The rules by which alerts are raised and cleared. */
export const alertRules = projection({
  name: "alert_rules",
  version: 1,
  events: RULE_EVENTS,
  tables: "#projections/alert-rules/tables.sql",
  relations: ["alert_rules"],
  model: ruleEntities,
  operationsOf: "alerts",
  operations: { setRule, removeRule, rules }
})
