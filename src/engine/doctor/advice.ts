import { quoted } from "../../postgres/identifier.ts"
import type { Facts, Setting } from "./facts.ts"

/** From the worst: something is wrong or will be lost; it costs or will cost; it may be worth it. */
export const SEVERITIES = ["problem", "warning", "hint"] as const
export type Severity = (typeof SEVERITIES)[number]

/** What is not as it is advised. */
export interface Ill {
  readonly found: string
  /** Settings of the server, and what to set them to; a list is one of several elements, which must not become one. */
  readonly set?: Readonly<Record<string, string | ReadonlyArray<string>>>
  /** Other SQL that mends it. */
  readonly statements?: ReadonlyArray<string>
  /** What to do where SQL alone does not mend it. */
  readonly remedy?: string
}

/** Something that is advised, declared once: judged by it, printed with it, and documented from it. */
export interface Advice {
  /** A setting's name, or what else it is about. */
  readonly name: string
  readonly advised: string
  readonly why: string
  readonly severity: Severity
  /** Settings without which it cannot be judged: this role may not see them, or the server is too old to have them. */
  readonly reads?: ReadonlyArray<string>
  /** Undefined where all is well. Pure. */
  readonly judge: (facts: Facts) => Ill | undefined
}

/** When what the statements set counts. */
export type Takes = "at once" | "new connections" | "reload" | "restart"

/** What is not as it is advised, and what to do. */
export interface Finding {
  readonly name: string
  readonly severity: Severity
  readonly found: string
  readonly advised: string
  readonly why: string
  /** SQL to run in order, by whoever may. */
  readonly statements: ReadonlyArray<string>
  /** After them: a reload of the configuration, a restart of the server, or new connections. */
  readonly takes: Takes
  /** What to do beside them, or instead; null where nothing is. */
  readonly remedy: string | null
}

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`

interface Change {
  readonly statement?: string
  readonly takes: Takes
  readonly remedy?: string
}

/** How a setting is changed for good depends on who set it: what is nearer to the session goes before ALTER SYSTEM. */
const changeOf = (
  name: string,
  value: string | ReadonlyArray<string>,
  { source, context }: Pick<Setting, "source" | "context">,
  { server }: Facts
): Change => {
  const elements = typeof value === "string" ? [value] : value
  const to = `set ${name} = ${elements.map(literal).join(", ")};`
  switch (source) {
    case "user":
      return { statement: `alter role ${quoted(server.user)} ${to}`, takes: "new connections" }
    case "database":
      return { statement: `alter database ${quoted(server.database)} ${to}`, takes: "new connections" }
    case "database user":
      return {
        statement: `alter role ${quoted(server.user)} in database ${quoted(server.database)} ${to}`,
        takes: "new connections"
      }
    case "client":
    case "session":
      return {
        takes: "new connections",
        remedy: `${name} comes with the connection itself: change it in the connection's options or PGOPTIONS`
      }
    case "command line":
    case "environment variable":
      return {
        takes: "restart",
        remedy: `${name} is given on the server's command line, which goes before ALTER SYSTEM: change it there, to ${elements.join(", ")}`
      }
    default:
      return { statement: `alter system ${to}`, takes: context === "postmaster" ? "restart" : "reload" }
  }
}

const UNKNOWN_SETTING = { source: "default", context: "sighup" }

const TAKES: ReadonlyArray<Takes> = ["at once", "new connections", "reload", "restart"]

const lateOf = (all: ReadonlyArray<Takes>): Takes =>
  TAKES.findLast((takes) => all.includes(takes)) ?? "at once"

/** What an advice finds; undefined where all is well. */
export const judged = (advice: Advice, facts: Facts): Finding | undefined => {
  const ill = advice.judge(facts)
  if (ill === undefined) return undefined
  const { name, severity, advised, why } = advice
  const settings = Object.entries(ill.set ?? {})
  const changes = settings.map(([setting, value]) =>
    changeOf(setting, value, facts.server.settings[setting] ?? UNKNOWN_SETTING, facts)
  )
  const isPending = settings.some(([setting]) => facts.server.settings[setting]?.isPending === true)
  const remedies = [
    ...changes.flatMap(({ remedy }) => remedy ?? []),
    ...(isPending ? ["it was changed already, and counts once the server is restarted"] : []),
    ...(ill.remedy === undefined ? [] : [ill.remedy])
  ]
  return {
    name,
    severity,
    found: ill.found,
    advised,
    why,
    statements: [...changes.flatMap(({ statement }) => statement ?? []), ...(ill.statements ?? [])],
    takes: lateOf(changes.map(({ takes }) => takes)),
    remedy: remedies.length === 0 ? null : remedies.join("; ")
  }
}

export interface Judgement {
  /** The worst first, each kind in the order in which advice is declared. */
  readonly findings: ReadonlyArray<Finding>
  /** Advice that could not be judged, since its settings cannot be seen. */
  readonly unseen: ReadonlyArray<string>
}

/** Judges all advice by what was found. */
export const judge = (advice: ReadonlyArray<Advice>, facts: Facts): Judgement => {
  const isSeen = ({ reads = [] }: Advice): boolean => reads.every((name) => name in facts.server.settings)
  const findings = advice.filter(isSeen).flatMap((one) => judged(one, facts) ?? [])
  return {
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    unseen: advice.filter((one) => !isSeen(one)).map(({ name }) => name)
  }
}
