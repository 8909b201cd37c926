import type { Json } from "../../base/json-value.ts"
import { count, list } from "../../base/words.ts"
import type { FleetContext } from "./fleet-context.ts"
import type { Indicator } from "./indicator.ts"

/** How much of a value is shown, in characters. */
const VALUE_CHARACTERS = 300

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`

/** On one line, so that what somebody wrote makes no headings of its own. */
const line = (text: string): string => cut(text.replace(/\s+/gu, " ").trim(), VALUE_CHARACTERS)

const valueText = (value: Json): string => line(JSON.stringify(value))

const numbers = (counted: Readonly<Record<string, number>>): string =>
  list(
    Object.entries(counted)
      .filter(([, many]) => many > 0)
      .map(([name, many]) => `${many} ${name}`)
  ) || "none"

const indicatorText = ({ name, value, unit, target }: Indicator): string => {
  const wanted = "below" in target ? `below ${target.below}` : `above ${target.above}`
  const found = value === undefined || !Number.isFinite(value) ? "too much to tell" : value.toFixed(1)
  return `- ${name}: ${found} ${unit === "percent" ? "%" : unit}, should be ${wanted}`
}

type Known = Omit<FleetContext, "text">

interface Section {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

/** The most urgent first. */
const sectionsOf = ({
  complaints,
  missed,
  counts,
  silent,
  troubles,
  requests,
  shared
}: Known): ReadonlyArray<Section> => [
  {
    title: "What is wrong",
    lines: complaints.map(
      ({ name, state, found, remedy }) => `- ${name} (${state}): ${line(found)}. To do: ${remedy}.`
    )
  },
  {
    title: "The fleet",
    lines: [
      `- agents: ${numbers(counts.agents)}`,
      `- their health: ${numbers(counts.health)}`,
      `- heartbeats in the last 5 minutes: ${counts.heartbeats}`,
      `- system events in the last 24 hours: ${numbers(counts.systemEvents)}`,
      `- requests for help: ${numbers(counts.help)}`,
      `- sessions alive: ${counts.sessions}`,
      `- messages that wait to be acknowledged: ${counts.unacknowledged}`,
      `- ${count(counts.conversations.exchanges, "exchange", "exchanges")} with language models today: ${counts.conversations.tokens} tokens, cost ${counts.conversations.cost}`
    ]
  },
  {
    title: "Agents that do not beat as they should",
    lines: silent.map(
      ({ agent, health, since, lastBeatAt }) =>
        `- ${agent} ${health} since ${since.toISOString()}, last heard of ${lastBeatAt?.toISOString() ?? "never"}`
    )
  },
  {
    title: "Troubles of the last 24 hours, the newest first",
    lines: troubles.map(
      ({ timestamp, severity, type, agent, data }) =>
        `- ${timestamp.toISOString()} ${severity} ${line(type)}${agent === null ? "" : ` of ${agent}`}: ${valueText(data)}`
    )
  },
  {
    title: "Requests for help that wait, the newest first",
    lines: requests.map(
      ({ request, user, status, priority, content }) =>
        `- ${request} (${priority}, ${status}) of ${line(user)}: ${line(content)}`
    )
  },
  { title: "Numbers that are not as they should be", lines: missed.map(indicatorText) },
  {
    title: "Shared state",
    lines: shared.map(({ key, value }) => `- ${line(key)} = ${valueText(value)}`)
  }
]

const LEFT_OUT = "\n(More is left out.)"

/** A text of what is known, the most urgent first, as long as may be. */
export const briefing = (known: Known, maxCharacters: number): string => {
  const lines = [
    `# The fleet at ${known.at.toISOString()}: ${known.health}`,
    ...sectionsOf(known)
      .filter((section) => section.lines.length > 0)
      .flatMap(({ title, lines: said }) => [`\n## ${title}`, ...said])
  ]
  let text = lines[0]!
  for (const next of lines.slice(1)) {
    if (text.length + next.length + 1 + LEFT_OUT.length > maxCharacters) return text + LEFT_OUT
    text += `\n${next}`
  }
  return text
}
