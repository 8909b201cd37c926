import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { InvalidArgument, type ProjectionDefinition } from "../../index.ts"

/** What tells a definition from anything else that a module may export. */
const isDefinition = (value: unknown): value is ProjectionDefinition =>
  typeof value === "object" &&
  value !== null &&
  ["name", "version", "events", "tables", "relations", "model"].every((key) => key in value)

/** Definitions as a module's default export: one, a list of them, or an object that holds them. */
const listOf = (exported: unknown): ReadonlyArray<unknown> => {
  if (isDefinition(exported)) return [exported]
  if (Array.isArray(exported)) return exported
  return typeof exported === "object" && exported !== null ? Object.values(exported) : [exported]
}

/** The definitions that a module has; rejects with InvalidArgument where it has none. */
export const definitionsOf = async (file: string): Promise<ReadonlyArray<ProjectionDefinition>> => {
  const refuse = (problem: string): InvalidArgument =>
    new InvalidArgument({
      problem: `The module ${file} ${problem}: give one whose default export is a definition, or a list of them`
    })
  let module: { readonly default?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as typeof module
  } catch (thrown) {
    throw refuse(`cannot be loaded (${thrown instanceof Error ? thrown.message : String(thrown)})`)
  }
  const found = listOf(module.default)
  const definitions = found.filter(isDefinition)
  if (definitions.length === 0 || definitions.length < found.length) {
    throw refuse("exports something by default that is no definition of a projection")
  }
  return definitions
}
