import { FILES } from "../../engine/settings/file.ts"
import type { Setting } from "../../engine/settings/setting.ts"
import { SETTINGS } from "../../engine/settings/settings.ts"

/** What somebody wants to be written, by the names of the settings. */
export type Answers = ReadonlyMap<string, string>

/** Asks a person; the answer is empty where they leave it at what is offered. */
export type Ask = (question: string) => Promise<string>

/** What is asked for, in this order; the rest is in the reference. */
const ASKED: ReadonlyArray<readonly [name: string, question: string]> = [
  ["database", "Connection string of a PostgreSQL from 15 on (nothing for an embedded server): "],
  ["schema", "Schema that holds the log (tidemark): "],
  ["poolSize", "Connections of an engine at most (10): "]
]

/** What a person answers to each question that the command line has not answered. */
export const answersOf = async (ask: Ask, given: Answers): Promise<Answers> => {
  const answers = new Map(given)
  for (const [name, question] of ASKED) {
    if (answers.has(name)) continue
    const answer = (await ask(question)).trim()
    if (answer !== "") answers.set(name, answer)
  }
  return answers
}

const settingOf = (name: string): Setting => SETTINGS.find((setting) => setting.name === name)!

/** The variable that says a setting, by the first of its names. */
const variableOf = (name: string): string => settingOf(name).variables[0]!.name

/** An answer as its setting has it. */
export const valueOf = (name: string, answer: string): string | number =>
  settingOf(name).kind.kind === "whole" && /^\d+$/.test(answer) ? Number(answer) : answer

const WRITTEN = "Written by tidemark setup; docs/configuration.md lists all settings."

/** The files that can be written, by their endings: YAML, or variables of the environment. */
export const textFor = (file: string, answers: Answers): string => {
  const isYaml = /\.ya?ml$/.test(file)
  // JSON is YAML, and a text in double quotes is what Node reads of a file of variables.
  const lines = [...answers].map(([name, answer]) =>
    isYaml
      ? `${name}: ${JSON.stringify(valueOf(name, answer))}`
      : `${variableOf(name)}=${JSON.stringify(answer)}`
  )
  return [`# ${WRITTEN}`, ...lines, ""].join("\n")
}

export const DEFAULT_FILE = FILES.find((name) => name.endsWith(".yaml"))!
