import { InvalidArgument, type ProjectionDefinition } from "../../index.ts"
import { ExitCode } from "../exit-code.ts"
import { definitionsOf } from "./definitions.ts"
import { reportText } from "./progress-view.ts"
import { atWorkbench, opened, type WorkbenchOptions } from "./workbench.ts"

export interface RebuildOptions extends WorkbenchOptions {
  /** The name of a read model. */
  readonly subject?: string | undefined
  readonly all?: boolean
  readonly module?: string
  readonly verify?: boolean
  readonly keep?: number
  readonly force?: boolean
}

export interface RollbackOptions extends WorkbenchOptions {
  readonly subject?: string | undefined
}

/** Those that are meant, of a module or of every engine's; without a name or --all, a module's are. */
const chosen = async (
  { subject, all, module }: RebuildOptions,
  builtIn: ReadonlyArray<ProjectionDefinition>
): Promise<ReadonlyArray<ProjectionDefinition>> => {
  const given = module === undefined ? builtIn : await definitionsOf(module)
  if (subject === undefined) {
    if (all === true || module !== undefined) return given
    throw new InvalidArgument({ problem: "No read model is named: name one, or say --all" })
  }
  if (all === true) throw new InvalidArgument({ problem: "Name a read model, or say --all, not both" })
  const found = given.find(({ name }) => name === subject)
  if (found !== undefined) return [found]
  const known = given.map(({ name }) => name).join(", ")
  const where =
    module === undefined ? "Of your own, name the module that defines it with --module" : "Name another"
  throw new InvalidArgument({
    problem: `There is no read model ${JSON.stringify(subject)} among ${known}. ${where}`
  })
}

/** `tidemark rebuild`: builds read models again from the log, one after the other. */
export const rebuild = (options: RebuildOptions): Promise<ExitCode> =>
  atWorkbench(
    options,
    "Given up: the live tables are as they were.",
    async ({ workshop, watched, report }) => {
      const { verify = false, force = false, keep } = options
      const kept = keep === undefined ? {} : { keep }
      for (const definition of await chosen(options, workshop.builtIn))
        report(await workshop.rebuild(definition, { verify, force, ...kept, ...watched }), reportText)
    }
  )

/** `tidemark rollback`: shows the generation before the live one again. */
export const rollback = async (options: RollbackOptions): Promise<ExitCode> => {
  const { subject = "", json = false } = options
  await using workshop = await opened(options)
  const report = await workshop.rollback(subject)
  const { from, to, position } = report
  const text = `${subject}: generation ${from.generation} → ${to.generation} (version ${to.version}), at position ${position}; ${from.generation} is kept`
  process.stdout.write(`${json ? JSON.stringify(report) : text}\n`)
  return ExitCode.ok
}
