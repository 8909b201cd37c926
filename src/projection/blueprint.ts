import { Effect } from "effect"
import { createHash } from "node:crypto"
import type { EventType } from "../log/event-type.ts"
import { TelemetryRetired } from "../log/retired.ts"
import { identifier } from "../postgres/identifier.ts"
import type { ProjectionDefinition } from "./definition.ts"
import { InvalidDefinition, type ProjectionError, projectionError } from "./error.ts"
import { impureSql } from "./sql-purity.ts"
import { readSql, type SqlSource } from "./sql-source.ts"

/** A definition that was checked, with its SQL. */
export interface Blueprint {
  readonly definition: ProjectionDefinition
  /** What it is told of: what it folds, and, where it has what may be over, that it is. */
  readonly events: ReadonlyArray<EventType>
  readonly tables: string
  /** The fold of a rows projection; empty for the others. */
  readonly fold: string
  /** The statement that deletes rows which are over; empty where none is. */
  readonly retirement: string
  /** What stands on its relations; empty where nothing does. */
  readonly views: string
  /** The same for equal definitions. Of a fold in code only the version number counts, since its text changes when it is built. */
  readonly hash: string
}

const hashOf = (
  definition: ProjectionDefinition,
  { tables, fold, retirement, views }: Pick<Blueprint, "tables" | "fold" | "retirement" | "views">
): string => {
  const { name, version, events, relations, model } = definition
  const types = events.map((event) => [event.type, event.schemaVersion])
  const shape = model.shape === "entities" ? [model.shape, model.table, model.key] : [model.shape]
  const over =
    model.shape === "rows" && model.retirement !== undefined ? [model.retirement.of, retirement] : []
  const parts = [name, version, types.toSorted(), relations, shape, tables, fold]
  const content = JSON.stringify([...parts, ...(views === "" ? [] : [views]), ...over])
  return createHash("sha256").update(content).digest("hex")
}

/** What is wrong with a definition in itself, or undefined. */
const problemOf = (
  { name, version, events, relations, model, operations, operationsOf = name }: ProjectionDefinition,
  tables: string,
  fold: string,
  retirement: string
): string | undefined => {
  if (!Number.isSafeInteger(version) || version < 1)
    return `its version ${version} is not a whole number from 1`
  if (events.length === 0) return "it folds no type of event"
  if (relations.length === 0) return "it names no table"
  const unmade = relations.find((relation) => !tables.includes(`:"${relation}"`))
  if (unmade !== undefined)
    return `its tables never mention :"${unmade}", as in: create table :"${unmade}" (…)`
  for (const [verb, operation] of Object.entries(operations)) {
    if (operation.name !== `${operationsOf}.${verb}`)
      return `its operation ${verb} is named ${operation.name}, not ${operationsOf}.${verb}`
  }
  if (model.shape === "entities") {
    return relations.includes(model.table) ? undefined : `its table ${model.table} is none of its relations`
  }
  const impure = impureSql(fold) ?? impureSql(retirement)
  return impure === undefined
    ? undefined
    : `its fold mentions ${impure}, and folds are pure, so that folding the log again gives the same rows: take times from recorded_at or data, ids from position or id`
}

/** Reads a definition's SQL and checks the definition in itself; fails with InvalidDefinition. */
export const blueprint = Effect.fnUntraced(function* (
  definition: ProjectionDefinition
): Effect.fn.Return<Blueprint, ProjectionError> {
  const { name, relations, model } = definition
  const retires = model.shape === "rows" ? model.retirement : undefined
  const invalid = (problem: string) => projectionError(new InvalidDefinition({ projection: name, problem }))
  for (const [kind, given] of [
    ["projection", name],
    ...relations.map((relation) => ["relation", relation])
  ] as const) {
    yield* Effect.mapError(identifier(kind!, given!), (error) => invalid(error.message))
  }
  const read = (source: SqlSource) =>
    Effect.try({
      try: () => readSql(source),
      catch: (thrown) => invalid(`its SQL cannot be read: ${String(thrown)}`)
    })
  const sources = Array.isArray(definition.tables) ? definition.tables : [definition.tables]
  const tables = (yield* Effect.forEach(sources as ReadonlyArray<SqlSource>, read)).join("\n")
  const fold = model.shape === "rows" ? yield* read(model.fold) : ""
  const retirement = retires === undefined ? "" : yield* read(retires.sql)
  const views = definition.views === undefined ? "" : yield* read(definition.views)
  const problem = problemOf(definition, tables, fold, retirement)
  if (problem !== undefined) return yield* invalid(problem)
  const sql = { tables, fold, retirement, views }
  const events = retires === undefined ? definition.events : [...definition.events, TelemetryRetired]
  return { definition, events, ...sql, hash: hashOf(definition, sql) }
})
