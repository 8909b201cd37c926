import { Result } from "effect"
import type { Environment } from "../../postgres/connection-settings.ts"
import { parseConnectionString, type Keyword, type Keywords } from "../../postgres/connection-string.ts"
import type { Problem } from "./error.ts"
import { type Setting, valueOfText, valueProblem } from "./setting.ts"
import { PLACE, SETTINGS } from "./settings.ts"

/** What the environment says, and what of it cannot be taken. */
export interface FromEnvironment {
  readonly values: Readonly<Record<string, unknown>>
  readonly problems: ReadonlyArray<Problem>
}

interface Said {
  readonly variable: string
  readonly value: unknown
}

/** An empty variable says nothing, as libpq has it. */
const saidOf = (setting: Setting, environment: Environment): ReadonlyArray<Said> =>
  setting.variables.flatMap((variable) => {
    const text = environment[variable.name]
    return text === undefined || text === ""
      ? []
      : [{ variable: variable.name, value: valueOfText(setting, variable, text) }]
  })

const contradiction = (setting: Setting, one: string, other: string): Problem => ({
  where: `${one} and ${other}`,
  problem: `say different things of ${setting.name}: set one of them, or both to the same`
})

/** What all the variables of a setting say together. */
const together = (
  setting: Setting,
  said: ReadonlyArray<Said>,
  problems: Array<Problem>
): Said | undefined => {
  const fit = said.filter(({ variable, value }) => {
    const problem = valueProblem(setting, value)
    if (problem !== undefined) problems.push({ where: variable, problem })
    return problem === undefined
  })
  const [first, ...others] = fit
  for (const other of others)
    if (other.value !== first!.value) problems.push(contradiction(setting, first!.variable, other.variable))
  return first
}

const KEYWORDS: Readonly<Record<string, Keyword>> = { database: "dbname" }

/** The part of a place as a connection string names it. */
const partOf = ({ name }: Setting): string => name.slice("database.".length)

/**
 * The database: as a connection string, by its parts, or both, where they do not contradict each other. A password alone names no database, nor
 * does a mode of TLS.
 */
const place = (environment: Environment, problems: Array<Problem>): unknown => {
  const url = environment["DATABASE_URL"]
  const parts = PLACE.flatMap((setting) => {
    const said = together(setting, saidOf(setting, environment), problems)
    return said === undefined ? [] : [{ setting, part: partOf(setting), ...said }]
  })
  if (url === undefined || url === "") {
    const names = parts.some(({ part }) => part !== "password" && part !== "sslmode")
    return names ? Object.fromEntries(parts.map(({ part, value }) => [part, value])) : undefined
  }
  if (parts.length === 0) return url
  const parsed = parseConnectionString(url)
  // Whoever connects by it says what is wrong with it.
  if (Result.isFailure(parsed)) return url
  const keywords: Keywords = { ...parsed.success }
  for (const { setting, part, variable, value } of parts) {
    const keyword = KEYWORDS[part] ?? (part as Keyword)
    const own = keywords[keyword]
    if (own !== undefined && own !== "" && own !== String(value))
      problems.push(contradiction(setting, "DATABASE_URL", variable))
    keywords[keyword] = String(value)
  }
  return keywords
}

/** Reads the environment's variables, each setting by any of its names. */
export const fromEnvironment = (
  environment: Environment,
  isOpen: (name: string) => boolean
): FromEnvironment => {
  const problems: Array<Problem> = []
  const values: Record<string, unknown> = {}
  // What code has said already need not be agreed on.
  for (const setting of SETTINGS.filter(({ name }) => isOpen(name))) {
    const value =
      setting.name === "database"
        ? place(environment, problems)
        : together(setting, saidOf(setting, environment), problems)?.value
    if (value !== undefined) values[setting.name] = value
  }
  return { values, problems }
}
