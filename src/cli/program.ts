import { Command, Option } from "commander"
import { from, memorySize, names, seconds, wholeNumber } from "./arguments.ts"
import type { AuditOptions } from "./audit.ts"
import type { CompactCommand } from "./compact.ts"
import type { DoctorCommand } from "./doctor.ts"
import type { ExitCode } from "./exit-code.ts"
import { failure, failureText, isVerbose } from "./failure.ts"
import { paint } from "./terminal/palette.ts"
import { thresholds } from "./start/limits.ts"
import type { HealthCommand } from "./health.ts"
import type { MaintainCommand } from "./maintain.ts"
import type { MigrateOptions } from "./migrate.ts"
import { archived, database, filters, json, limit, stretch, whatIfOptions } from "./options.ts"
import type { PlaceOptions } from "./place.ts"
import type { RebuildOptions, RollbackOptions } from "./rebuild/rebuild.ts"
import type { RetentionCommand } from "./retention.ts"
import type { ReplayCommand } from "./replay.ts"
import type { SetupCommand } from "./setup/setup.ts"
import type { StartOptions } from "./start/start.ts"
import type { StatusOptions } from "./status.ts"
import type { TailOptions } from "./tail.ts"

/** Every command takes --json. */
interface CommandOptions extends PlaceOptions {
  readonly json?: boolean
}

/** What the commands do; apart, because loading them takes longer than showing the help. */
export interface Commands {
  readonly start: (options: StartOptions) => Promise<ExitCode>
  readonly setup: (options: SetupCommand) => Promise<ExitCode>
  readonly migrate: (options: MigrateOptions) => Promise<ExitCode>
  readonly tail: (options: TailOptions) => Promise<ExitCode>
  readonly replay: (options: ReplayCommand) => Promise<ExitCode>
  readonly audit: (options: AuditOptions) => Promise<ExitCode>
  readonly status: (options: StatusOptions) => Promise<ExitCode>
  readonly rebuild: (options: RebuildOptions) => Promise<ExitCode>
  readonly compact: (options: CompactCommand) => Promise<ExitCode>
  readonly maintain: (options: MaintainCommand) => Promise<ExitCode>
  readonly retention: (options: RetentionCommand) => Promise<ExitCode>
  readonly doctor: (options: DoctorCommand) => Promise<ExitCode>
  readonly health: (options: HealthCommand) => Promise<ExitCode>
  readonly rollback: (options: RollbackOptions) => Promise<ExitCode>
}

const EXIT_CODES = `
Exit codes:
  0  done; also when a running command was stopped (Ctrl-C, SIGTERM)
  1  failed; of doctor: there is a problem; of health: something does not do what it is for
  2  the command line cannot be understood
  3  no database could be reached or started
  130  ended at once by Ctrl-C, at the second one where the first asks for a clean end

With --json, a command that fails says so in the last line of its standard error:
  {"error":{"name":"Unreachable","message":"PostgreSQL cannot be reached: …"}}
`

const command = (
  name: string,
  description: string,
  options: ReadonlyArray<Option>,
  action: (options: CommandOptions & { readonly subject?: string }) => Promise<void>,
  subject?: readonly [name: string, description: string],
  place: ReadonlyArray<Option> = database()
): Command => {
  const made = new Command(name).description(description).allowExcessArguments(false)
  for (const option of [...options, ...place]) made.addOption(option)
  if (subject === undefined) return made.action(action)
  return made
    .argument(...subject)
    .action((given: string, flags: CommandOptions) => action({ ...flags, subject: given }))
}

/**
 * The command line; `report` hears the exit code of the command that ran. `isForPrograms`: it writes nothing about its own
 * mistakes, of which the CommanderError that it throws says as much.
 */
export const program = (
  commands: Commands,
  version: string,
  report: (code: ExitCode) => void,
  isForPrograms = false
): Command => {
  // What the options of a command are, its own list of them says.
  const reporting =
    <Options extends CommandOptions>(run: (options: Options) => Promise<ExitCode>) =>
    async (options: CommandOptions): Promise<void> => {
      try {
        report(await run(options as Options))
      } catch (error) {
        const failed = failure(error, isVerbose(options))
        process.stderr.write(`${failureText(failed, options.json === true)}\n`)
        report(failed.exitCode)
      }
    }
  const tidemark = new Command("tidemark")
    .description("An event-sourced state engine for fleets of agents, on plain PostgreSQL")
    .version(version, "-V, --version", "show the version")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", EXIT_CODES)
    .addCommand(
      command(
        "start",
        "run a host agent and a watch agent on what this machine measures of itself, and show the log live",
        [
          new Option("--seconds <number>", "end after that time, with a summary").argParser(seconds),
          new Option(
            "--threshold <metric=limit>",
            "alert at that limit: cpu, memory, disk (%), load (per processor), loop_delay (ms); separated by commas"
          ).argParser(thresholds),
          json("print the summary as JSON, and nothing else")
        ],
        reporting(commands.start)
      )
    )
    .addCommand(
      command(
        "setup",
        "ask where the log is to be, look whether it can be there, and write that into a file of settings",
        [
          new Option(
            "-f, --file <path>",
            "where to write it: YAML, or variables of the environment where it ends in neither .yaml nor .yml (default: tidemark.yaml)"
          ),
          new Option("--force", "replace the file that is there"),
          new Option("-y, --yes", "ask nothing: what the command line does not say is left at its default")
        ],
        reporting(commands.setup),
        undefined,
        database().filter(({ long }) => long !== "--config" && long !== "--directory")
      )
    )
    .addCommand(
      command(
        "migrate",
        "bring the schema up to date",
        [
          new Option("--grant-writer <role,…>", "let these roles append to the log").argParser(names),
          new Option("--grant-reader <role,…>", "let these roles read the log and its read models").argParser(
            names
          ),
          json("print what was done as JSON")
        ],
        reporting(commands.migrate)
      )
    )
    .addCommand(
      command(
        "tail",
        "follow the log",
        [
          new Option("--from <point>", "start, now, a position, or a token (default: now)").argParser(from),
          ...filters(),
          limit("end after that many events"),
          json("print each event as one line of JSON")
        ],
        reporting(commands.tail)
      )
    )
    .addCommand(
      command(
        "replay",
        "show the past of the log, in order of position",
        [
          ...stretch(),
          ...filters(),
          new Option("--correlation <id>", "only what belongs to this piece of work"),
          limit("end after that many events"),
          archived(),
          ...whatIfOptions(),
          new Option("--audit", "say of each event when, who, why, what changed and what caused it"),
          json("print each event as one line of JSON").conflicts("audit")
        ],
        reporting(commands.replay)
      )
    )
    .addCommand(
      command(
        "audit",
        "show what led to what: the trees of causes and effects of an agent, a piece of work or an event",
        [
          new Option("--as <kind>", "what the subject is, where it might be several").choices([
            "event",
            "correlation",
            "stream",
            "agent"
          ]),
          limit("how many events at most (default: 500)"),
          json("print each event of the trees, with its depth, as one line of JSON")
        ],
        reporting(commands.audit),
        ["<subject>", "the id of an event, a correlation id, a stream, or the id of an agent"]
      )
    )
    .addCommand(
      command(
        "status",
        "tell how the log stands, and who keeps it from settling",
        [
          new Option(
            "-w, --watch [seconds]",
            "look again every 2 seconds, or as often as given, until Ctrl-C"
          ).argParser(seconds),
          json("print it as JSON, one line a look")
        ],
        reporting(commands.status)
      )
    )
    .addCommand(
      command(
        "health",
        "tell whether the log and its fleet are well, and what to do where they are not; ends with 1 where they are unhealthy",
        [json("print what was found as JSON")],
        reporting(commands.health)
      )
    )
    .addCommand(
      command(
        "rebuild",
        "build a read model again from the log, beside the live one, and have it take that one's place",
        [
          new Option("--all", "every read model, one after the other"),
          new Option("--module <file>", "definitions of your own: the default export of a JavaScript module"),
          new Option("--verify", "compare with the live tables, row by row, before these are replaced"),
          new Option(
            "--keep <count>",
            "how many earlier generations stay for a rollback (default: 1)"
          ).argParser(wholeNumber),
          new Option("--force", "replace tables that a newer version of the definition filled"),
          json("print each report as one line of JSON")
        ],
        reporting(commands.rebuild),
        ["[name]", "the read model"]
      )
    )
    .addCommand(
      command(
        "compact",
        "let go of values of old versions of states that no tag, checkpoint, branch or merge names",
        [
          new Option("--agent <id>", "only of this agent"),
          new Option("--older-than <days>", "versions from before that (default: 30 days)").argParser(
            wholeNumber
          ),
          new Option("--dry-run", "only tell what would be let go of"),
          json("print what is let go of, a branch a line, as JSON")
        ],
        reporting(commands.compact)
      )
    )
    .addCommand(
      command(
        "maintain",
        "make stale statistics and bloated indexes of the log anew, and tell how its tables stand",
        [
          new Option("--dry-run", "only tell what would be done"),
          json("print what was found and done as JSON")
        ],
        reporting(commands.maintain)
      )
    )
    .addCommand(
      command(
        "retention",
        "drop telemetry that is over, once it is summed up and archived; durable events are never dropped",
        [
          new Option("--dry-run", "only tell what would be done"),
          new Option(
            "--archive <directory>",
            "write partitions there before they go, as compressed JSON lines (default: the setting archiveDirectory)"
          ),
          json("print what was found and done as JSON")
        ],
        reporting(commands.retention)
      )
    )
    .addCommand(
      command(
        "doctor",
        "compare the server's settings, and how the log stands, with what is advised; ends with 1 where there is a problem",
        [
          new Option("--memory <size>", "of the server's machine, where that is another one: 16GB").argParser(
            memorySize
          ),
          json("print what was found as JSON")
        ],
        reporting(commands.doctor)
      )
    )
    .addCommand(
      command(
        "rollback",
        "have a read model show the generation before the live one again",
        [json("print what was done as JSON")],
        reporting(commands.rollback),
        ["<name>", "the read model"]
      )
    )
  for (const each of [tidemark, ...tidemark.commands]) dress(each, isForPrograms)
  return tidemark
}

/** Errors name the way to the help, and end with an exception, so that there is one place where the process ends. */
const dress = (dressed: Command, isForPrograms: boolean): void => {
  const { parent } = dressed
  const path = parent === null ? dressed.name() : `${parent.name()} ${dressed.name()}`
  dressed
    .exitOverride()
    .helpOption("-h, --help", "show help")
    .showSuggestionAfterError(true)
    .showHelpAfterError(`Run "${path} --help" to see what it takes.`)
    .configureOutput(isForPrograms ? { writeErr: () => undefined } : {})
    .configureHelp({ styleTitle: (title) => paint(title, "bold") })
}
