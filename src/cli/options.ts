import { Option } from "commander"
import { count, from, names, one } from "./arguments.ts"

export const database = (): ReadonlyArray<Option> => [
  new Option(
    "-d, --database <url>",
    "connection string of a PostgreSQL from 15 on (default: $DATABASE_URL or the settings, else an embedded server)"
  ).conflicts("directory"),
  new Option(
    "--config <file>",
    "settings for all that is not said here (default: $TIDEMARK_CONFIG, else tidemark.config.ts or tidemark.yaml, where one is there)"
  ),
  new Option("-s, --schema <name>", "schema that holds the log (default: tidemark)"),
  new Option("--directory <path>", "where the embedded server keeps its data (default: .tidemark)"),
  new Option("-v, --verbose", "show where errors come from (also with $DEBUG)")
]

export const json = (what: string): Option => new Option("--json", what)

export const limit = (what: string): Option => new Option("-n, --limit <count>", what).argParser(count)

export const filters = (): ReadonlyArray<Option> => [
  new Option("--types <names>", "only events of these types, separated by commas").argParser(names),
  new Option("--categories <names>", "only streams of these categories, separated by commas").argParser(
    names
  ),
  new Option("--streams <name>", "only this stream; may be repeated").argParser(one),
  new Option("--labels <label>", "only events with this label; may be repeated").argParser(one),
  new Option("--agent <id>", "only what concerns this agent")
]

export const stretch = (): ReadonlyArray<Option> => [
  new Option(
    "--from <point>",
    "what lies behind it: start, a position, or a token (default: start)"
  ).argParser(from),
  new Option(
    "--to <point>",
    "what lies up to and with it: a position, or a token (default: all that is settled)"
  ).argParser(from),
  new Option(
    "--since <time>",
    "recorded then or later, by the database's clock: a day (UTC), or a time with its zone (2026-03-01T09:30Z)"
  ),
  new Option("--until <time>", "recorded before then")
]

/** What an archive of telemetry is not looked through for. */
const NOT_ARCHIVED = [
  "from",
  "to",
  "since",
  "until",
  "types",
  "categories",
  "streams",
  "labels",
  "agent",
  "correlation",
  "into",
  "audit"
]

export const archived = (): Option =>
  new Option("--archive <file>", "the events of a file that retention has archived instead").conflicts(
    NOT_ARCHIVED
  )

/** What a replay into a schema of its own cannot keep to, since it folds the log from its beginning. */
const NOT_INTO = ["from", "since", "until", "correlation", "limit", "audit"]

export const whatIfOptions = (): ReadonlyArray<Option> => [
  new Option(
    "--into <schema>",
    "fold read models into a schema of their own instead, and tell what differs from those that are live"
  ).conflicts(NOT_INTO),
  new Option(
    "--module <file>",
    "with --into: definitions that this module exports by default, also changed ones"
  ),
  new Option("--projection <names>", "with --into: only these read models, separated by commas").argParser(
    names
  ),
  new Option("--keep", "with --into: leave the schema there, to look at")
]
