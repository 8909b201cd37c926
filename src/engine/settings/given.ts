import { isKeyword } from "../../postgres/connection-string.ts"
import type { Problem } from "./error.ts"
import { type Setting, valueProblem } from "./setting.ts"
import { SETTINGS } from "./settings.ts"

const BY_NAME: ReadonlyMap<string, Setting> = new Map(SETTINGS.map((setting) => [setting.name, setting]))

const NAMES: ReadonlyArray<string> = [...BY_NAME.keys()]

/** What is wrong with settings that mean nothing without each other. */
export const incompleteProblems = (all: Readonly<Record<string, unknown>>): ReadonlyArray<Problem> =>
  SETTINGS.flatMap(({ name, needs }) =>
    needs === undefined || all[name] === undefined || all[needs] !== undefined
      ? []
      : [{ where: name, problem: `needs ${needs} as well: set both of them, or neither` }]
  )

/** The settings that are places: also an object of parts. */
const PLACES: ReadonlySet<string> = new Set(["database", "wake"])

const EMBEDDED: ReadonlySet<string> = new Set(["directory", "port", "database", "settings", "onNotice"])

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const lettersOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z]/g, "")

const unknown = (where: string, name: string, names: ReadonlyArray<string>): Problem => {
  const meant = names.find((one) => lettersOf(one) === lettersOf(name))
  const hint = meant === undefined ? `there are ${names.join(", ")}` : `do you mean ${meant}?`
  return { where, problem: `has a setting ${JSON.stringify(name)}, which is not known: ${hint}` }
}

const partsProblems = (where: string, name: string, value: object): ReadonlyArray<Problem> => {
  const isKnown = (part: string): boolean =>
    name === "embedded" ? EMBEDDED.has(part) : part === "database" || isKeyword(part)
  return Object.keys(value)
    .filter((part) => !isKnown(part))
    .map((part) => ({
      where: `${where}: ${name}`,
      problem: `has a part ${JSON.stringify(part)}, which is not known`
    }))
}

/** What of an object, of code or of a file, cannot be taken for settings. */
export const givenProblems = (
  where: string,
  given: Readonly<Record<string, unknown>>
): ReadonlyArray<Problem> =>
  Object.entries(given).flatMap(([name, value]) => {
    const setting = BY_NAME.get(name)
    if (setting === undefined) return [unknown(where, name, NAMES)]
    if (value === undefined) return []
    if (isObject(value) && (PLACES.has(name) || name === "embedded")) return partsProblems(where, name, value)
    if (name === "embedded" && value !== false)
      return [{ where: `${where}: ${name}`, problem: "is neither false nor an object of its settings" }]
    const problem = valueProblem(setting, value)
    return problem === undefined ? [] : [{ where: `${where}: ${name}`, problem }]
  })
