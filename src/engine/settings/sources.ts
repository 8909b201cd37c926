import { resolve } from "node:path"
import { Effect } from "effect"
import type { Environment } from "../../postgres/connection-settings.ts"
import { fromEnvironment } from "./environment.ts"
import { InvalidConfiguration } from "./error.ts"
import { findFile, fromFile } from "./file.ts"
import { givenProblems, incompleteProblems } from "./given.ts"

/** A file by its name; true: the one that is there, if there is one; false: none. */
export type ConfigFile = string | boolean

type Values = Readonly<Record<string, unknown>>

/** Where the log is: said by one of them as a whole, and not by halves. */
const PLACE: ReadonlySet<string> = new Set(["database", "embedded"])

const namesPlace = ({ database, embedded }: Values): boolean =>
  database !== undefined || (typeof embedded === "object" && embedded !== null)

const said = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

/** What goes first counts. */
const merged = (levels: ReadonlyArray<Values>): Values => {
  const place = levels.find(namesPlace)
  const withoutPlace = (values: Values): Values =>
    Object.fromEntries(Object.entries(said(values)).filter(([name]) => !PLACE.has(name)))
  const isNever = levels.some(({ embedded }) => embedded === false)
  const where = place === undefined ? {} : said({ database: place["database"], embedded: place["embedded"] })
  return {
    ...(isNever ? { embedded: false } : {}),
    ...levels.toReversed().reduce<Values>((all, values) => ({ ...all, ...withoutPlace(values) }), {}),
    ...where
  }
}

/**
 * All settings together: what code says goes before the environment, and the environment before a file. Fails with InvalidConfiguration, which
 * names everything that cannot be taken.
 */
export const fromSources = Effect.fnUntraced(function* (
  { config, ...given }: Values & { readonly config?: ConfigFile },
  environment: Environment,
  directory: string
): Effect.fn.Return<Values, InvalidConfiguration> {
  const named = config ?? (environment["TIDEMARK_CONFIG"] || true)
  const path =
    typeof named === "string" ? resolve(directory, named) : named ? yield* findFile(directory) : undefined
  const file = path === undefined ? {} : yield* fromFile(path)
  const isOpen = (name: string): boolean => (PLACE.has(name) ? !namesPlace(given) : given[name] === undefined)
  const variables = fromEnvironment(environment, isOpen)
  const problems = [...givenProblems("the options", given), ...variables.problems]
  if (problems.length > 0) return yield* new InvalidConfiguration({ problems })
  const all = merged([given, variables.values, file])
  const incomplete = incompleteProblems(all)
  return incomplete.length === 0 ? all : yield* new InvalidConfiguration({ problems: [...incomplete] })
})
