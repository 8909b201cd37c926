import { existsSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { createInterface } from "node:readline/promises"
import { InvalidConfiguration } from "../../engine/settings/error.ts"
import { DEFAULT_SCHEMA } from "../../engine/configuration.ts"
import { findPlace } from "../../engine/place.ts"
import { probe, type Probe } from "../../engine/probe.ts"
import { givenProblems } from "../../engine/settings/given.ts"
import { ExitCode } from "../exit-code.ts"
import { writeLine } from "../output.ts"
import { type PlaceOptions, sayOnStandardError } from "../place.ts"
import { type Answers, answersOf, DEFAULT_FILE, textFor, valueOf } from "./answers.ts"

export interface SetupCommand extends Pick<PlaceOptions, "database" | "schema" | "verbose"> {
  /** Where to write it. */
  readonly file?: string
  readonly force?: boolean
  /** Asks nothing. */
  readonly yes?: boolean
}

/** A file that may hold a password is for its owner alone. */
const OWNER_ONLY = 0o600

const given = ({ database, schema }: SetupCommand): Answers =>
  new Map(Object.entries({ database, schema }).filter((one): one is [string, string] => one[1] !== undefined))

/** The answers as settings; fails with InvalidConfiguration. */
const checked = (answers: Answers): { readonly database?: string; readonly schema?: string } => {
  const values = Object.fromEntries([...answers].map(([name, answer]) => [name, valueOf(name, answer)]))
  const problems = givenProblems("what was answered", values)
  if (problems.length > 0) throw new InvalidConfiguration({ problems })
  return values
}

const toldOf = ({ version, role, isThere, mayWrite }: Probe, where: string, schema: string): string => {
  const what = isThere ? `the schema "${schema}" is there` : `the schema "${schema}" is to be made`
  const may = mayWrite
    ? ""
    : `, which the role "${role}" may not: have its owner run tidemark migrate --grant-writer ${role}`
  return `PostgreSQL ${version} answers at ${where}; ${what}${may}.`
}

const refuseTaken = (file: string, isForced: boolean): void => {
  if (isForced || !existsSync(file)) return
  const problem = "is there already: give --force to replace it, or another --file"
  throw new InvalidConfiguration({ problems: [{ where: file, problem }] })
}

/** Where the answers lead, and what is there. */
const looked = async (database: string | undefined, schema: string): Promise<string> => {
  const meant = { config: false, ...(database === undefined ? { embedded: {} } : { database }) } as const
  await using place = await findPlace({ ...meant, onNotice: sayOnStandardError })
  const found = await probe({ config: false, database: place.database, schema })
  return toldOf(found, place.where, schema)
}

/** A person at a terminal; whoever pipes answers in, and has no more of them, leaves the rest at what is offered. */
const asked = async (answers: Answers): Promise<Answers> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  let isOver = false
  const over = new Promise<string>((resolve) =>
    lines.once("close", () => {
      isOver = true
      resolve("")
    })
  )
  const ask = async (question: string): Promise<string> =>
    isOver ? "" : Promise.race([lines.question(question), over])
  try {
    return await answersOf(ask, answers)
  } finally {
    lines.close()
  }
}

/** `tidemark setup`: asks where the log is to be, looks whether it can be there, and writes that into a file. */
export const setup = async (options: SetupCommand): Promise<ExitCode> => {
  const { file = DEFAULT_FILE, force = false, yes = false } = options
  refuseTaken(file, force)
  const answers = yes ? given(options) : await asked(given(options))
  const { database, schema = DEFAULT_SCHEMA } = checked(answers)
  await writeLine(await looked(database, schema))
  await writeFile(file, textFor(file, answers), { mode: OWNER_ONLY, flag: force ? "w" : "wx" })
  await writeLine(`Written to ${file}, for its owner alone to read.`)
  return ExitCode.ok
}
