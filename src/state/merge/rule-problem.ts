import { parseGlob } from "./glob.ts"
import type { Settings } from "./rule.ts"

interface Field {
  readonly takes: (value: unknown) => boolean
  readonly words: string
}

const oneOf = (...values: ReadonlyArray<unknown>): Field => ({
  takes: (value) => values.includes(value),
  words: values.map((value) => JSON.stringify(value)).join(" or ")
})

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isKeyed = (value: unknown): boolean =>
  isRecord(value) &&
  Object.keys(value).join() === "keyed" &&
  Array.isArray(value["keyed"]) &&
  value["keyed"].length > 0 &&
  value["keyed"].every((key) => typeof key === "string") &&
  new Set(value["keyed"]).size === value["keyed"].length

const named = oneOf("atomic", "set", "append", "sequence")

const FIELDS: Readonly<Record<keyof Settings, Field>> = {
  array: {
    takes: (value) => named.takes(value) || isKeyed(value),
    words: `${named.words} or { keyed } with the names of one or more fields, each once`
  },
  number: oneOf("counter", "max", "min"),
  text: oneOf(true),
  bothAdded: oneOf("merge", "conflict"),
  moves: oneOf("follow"),
  strategy: oneOf("source_wins", "target_wins")
}

const isField = (name: string): name is keyof Settings => Object.hasOwn(FIELDS, name)

const inWords = (value: unknown): string => JSON.stringify(value) ?? typeof value

const ruleProblem = (rule: unknown): string | undefined => {
  if (!isRecord(rule)) return "is no object"
  const { path, ...settings } = rule
  if (typeof path !== "string") return "has no path"
  if (parseGlob(path) === undefined) {
    return `has the path ${inWords(path)}, which is no pointer: each part begins with "/", and "~" is written "~0"`
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!isField(name)) return `has a field ${inWords(name)}, which no rule has`
    if (!FIELDS[name].takes(value)) return `has ${name} ${inWords(value)} and not ${FIELDS[name].words}`
  }
  return undefined
}

/** What is wrong with a list of rules, as a sentence that names the first such rule; undefined where nothing is. */
export const rulesProblem = (rules: unknown): string | undefined => {
  if (!Array.isArray(rules)) return "The rules are no list"
  for (const [index, rule] of rules.entries()) {
    const problem = ruleProblem(rule)
    if (problem !== undefined) return `Rule ${index + 1} ${problem}`
  }
  return undefined
}
