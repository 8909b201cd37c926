import { FILES } from "./file.ts"
import { MONITORING_KEYS, type MonitoringKey } from "./monitoring.ts"
import type { Kind, Setting, Variable } from "./setting.ts"
import { PLACE, SETTINGS } from "./settings.ts"

// What people read of the settings, made of their declarations: docs/configuration.md, and an example of each file.

/** Parts stand below what they are parts of. */
const ALL: ReadonlyArray<Setting> = SETTINGS.flatMap((setting) =>
  setting.name === "database" ? [setting, ...PLACE] : [setting]
)

const MONITORING: ReadonlyArray<readonly [path: string, key: MonitoringKey]> = Object.entries(MONITORING_KEYS)

const kindText = (kind: Kind): string => {
  switch (kind.kind) {
    case "text":
      return "text"
    case "whole":
      return `${kind.least} to ${kind.most}${kind.unit === undefined ? "" : ` ${kind.unit}`}`
    case "flag":
      return "true, false"
    case "choice":
      return kind.of.map((one) => `\`${one}\``).join(", ")
    case "data":
      return `${kind.shape}, in code and files`
    case "code":
      return "in code and files"
  }
}

const variableText = ({ name, inSeconds = false }: Variable): string =>
  `\`${name}\`${inSeconds ? " (in seconds)" : ""}`

const rowOf = ({ name, what, kind, fallback, variables }: Setting): string =>
  `| \`${name}\` | ${what} | ${kindText(kind)} | ${fallback} | ${variables.map(variableText).join(", ")} |`

/** The page of all settings, in Markdown. */
export const referencePage = (): string => `# Configuration

Everything has a default; nothing needs to be configured. What is said in code (the options of \`open\`) goes before the environment, and the environment before a file.

- **Environment**: the variables below. Those that name the same setting are twins: where two of them are set and differ, opening fails with
  \`InvalidConfiguration\`, which names both. An empty variable counts as not set. libpq's own (\`PGHOST\`, \`PGPASSWORD\`, …) fill in what is left open of a
  database that is named. An example is [examples/tidemark.env](../examples/tidemark.env).
- **File**: ${FILES.map((name) => `\`${name}\``).join(", ")} in the working directory, or the one that \`config\`, \`--config\` or \`TIDEMARK_CONFIG\` names (JSON as well);
  \`config: false\` for none. Code gives its settings as its default export, an object or a function that returns one, and needs no compiler. Several of them in one directory are
  refused. An example is [examples/tidemark.yaml](../examples/tidemark.yaml).
- **Where the log is** is said by one of the three as a whole: \`database\` or \`embedded\` in code goes before any variable.

A setting that is not known is refused by its name, in code as in a file; so is a value that a setting cannot have. All that is wrong is told at once, and never a secret.

| setting | what it is | values | default | variables |
| --- | --- | --- | --- | --- |
${ALL.map(rowOf).join("\n")}

## The keys of a monitoring.yml

A file may say some of them in a section \`monitoring\`, too, in other words. What it says twice must be the same; a key that is not known is refused by its name.

| key below \`monitoring\` | what it is | example |
| --- | --- | --- |
${MONITORING.map(([path, { what, example }]) => `| \`${path}\` | ${what} | \`${example}\` |`).join("\n")}
`

/** A value as an example shows it. */
const exampleOf = ({ name, kind }: Setting, { inSeconds = false }: Variable): string => {
  const given = EXAMPLES.get(name)
  if (given !== undefined) return inSeconds ? String(Number(given) / 1_000) : given
  throw new Error(`There is no example of ${name}, of kind ${kind.kind}`)
}

const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ["database", "postgres://tidemark@localhost:5432/fleet"],
  ["database.host", "localhost"],
  ["database.port", "5432"],
  ["database.database", "fleet"],
  ["database.user", "tidemark"],
  ["database.password", "change-me"],
  ["database.sslmode", "prefer"],
  ["schema", "tidemark"],
  ["wake", "postgres://tidemark@localhost:5432/fleet"],
  ["poolSize", "10"],
  ["poolMinimum", "2"],
  ["preparedStatements", "true"],
  ["answerTimeoutMs", "30000"],
  ["emitDeadlineMs", "30000"],
  ["maxEventBytes", "1048576"],
  ["readModels", "keep"],
  ["leaseMs", "4000"],
  ["readOwnWritesMs", "1000"],
  ["cacheTtlMs", "3600000"],
  ["cacheSweepMs", "300000"],
  ["sessionSweepMs", "3600000"],
  ["sessionTtlMs", "86400000"],
  ["heartbeatIntervalMs", "60000"],
  ["healthCheckMs", "1000"],
  ["heartbeatDays", "30"],
  ["metricDays", "30"],
  ["systemLogDays", "30"],
  ["telemetryDays", "0"],
  ["archiveDirectory", "archive"],
  ["retentionSweepMs", "3600000"],
  ["measureMs", "1000"],
  ["alertRules", "[{ rule: slow, when: { kind: metric, metric: latency, of: p95, threshold: 500 } }]"],
  ["alertCheckMs", "5000"],
  ["alertWebhookUrl", "https://alerts.example.com/tidemark"],
  ["alertWebhookSecret", "whsec_Y2hhbmdlLW1lLWNoYW5nZS1tZS1jaGFuZ2UtbWU="],
  ["maxRetries", "4"]
])

/** A sentence as comment lines of a file. */
const comment = (what: string): string => `# ${what.replaceAll("`", "")}`

/** The variables of all settings, each commented out but for the database, by the first of its names. */
export const exampleEnvironment = (): string => {
  const blocks = ALL.filter(({ variables }) => variables.length > 0).map((setting) => {
    const [first, ...twins] = setting.variables
    const also = twins.length === 0 ? [] : [`# Also: ${twins.map(({ name }) => name).join(", ")}`]
    const sign = setting.name === "database" ? "" : "# "
    return [comment(setting.what), ...also, `${sign}${first!.name}=${exampleOf(setting, first!)}`].join("\n")
  })
  return `# Settings of Tidemark, as variables of the environment: node --env-file=tidemark.env\n\n${blocks.join("\n\n")}\n`
}

/** The section of a monitoring.yml, commented out. */
const monitoringYaml = (): string => {
  const lines = MONITORING.flatMap(([path, { example }], at) => {
    const [section, key] = path.split(".")
    const isFirst = MONITORING[at - 1]?.[0].split(".")[0] !== section
    return [...(isFirst ? [`#   ${section}:`] : []), `#     ${key}: ${example}`]
  })
  return `# What a monitoring.yml says, in its own words.\n# monitoring:\n${lines.join("\n")}`
}

/** A file with all settings that YAML can say, each commented out but for the database's parts. */
export const exampleYaml = (): string => {
  const parts = PLACE.map((setting) => {
    const name = setting.name.slice("database.".length)
    return `  ${comment(setting.what)}\n  ${name}: ${exampleOf(setting, { name })}`
  })
  const others = SETTINGS.filter(({ name }) => name !== "database" && EXAMPLES.has(name)).map(
    (setting) => `${comment(setting.what)}\n# ${setting.name}: ${exampleOf(setting, { name: setting.name })}`
  )
  return `# Settings of Tidemark: tidemark.yaml in the working directory\n\n${comment(SETTINGS[0]!.what)}\ndatabase:\n${parts.join("\n")}\n\n${others.join("\n\n")}\n\n${monitoringYaml()}\n`
}
