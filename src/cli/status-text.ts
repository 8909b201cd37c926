import type { EngineStatus } from "../index.ts"
import { behind, type ProjectionFacts, projectionsOf } from "./start/facts.ts"
import { engineText, subscriptionLines } from "./subscription-text.ts"
import type { Paint } from "./terminal/palette.ts"
import { age, counted, elapsed, rate, size } from "./terminal/quantity.ts"
import { type Cell, table } from "./terminal/table.ts"
import { cut, padEnd } from "./terminal/text.ts"

const LABEL_WIDTH = 12

const tailLines = ({ feed, unsettledForMs }: EngineStatus): ReadonlyArray<string> => {
  if (feed.heldBy.length === 0) return ["nobody holds it"]
  const holders = feed.heldBy.map((holder): ReadonlyArray<Cell> => [
    holder.pid === null ? "prepared" : `pid ${holder.pid}`,
    holder.application,
    holder.user,
    holder.state,
    holder.ageMs === null ? null : `open for ${age(holder.ageMs)}`
  ])
  return [
    feed.heldForMs > 0 ? `held for ${age(feed.heldForMs)} by` : "held by",
    ...table(holders),
    ...(unsettledForMs > 0 ? [`the oldest event behind it waits for ${age(unsettledForMs)}`] : []),
    "Readers wait until these transactions end; writers do not."
  ]
}

const telemetryLine = ({ telemetry: { partitions, ahead, warning } }: EngineStatus): string => {
  const bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0)
  const found = `${counted(partitions.length, "partition")}, ${size(bytes)}`
  return `${found}, ${warning ?? `${ahead} ahead`}`
}

const projectionState = (projection: ProjectionFacts, lagMs: number | undefined): string => {
  const { isStopped, lag } = projection
  if (isStopped) return "stopped"
  if (lag === 0) return "caught up"
  return `${behind(projection)} behind${lagMs === undefined ? "" : `, for ${age(lagMs)}`}`
}

const projectionLines = (status: EngineStatus): ReadonlyArray<string> => {
  const facts = projectionsOf(status)
  return table(
    status.projections.map(({ owner, lagMs, rate: perSecond }, at) => [
      facts[at]!.name,
      facts[at]!.position,
      projectionState(facts[at]!, lagMs),
      `folded by ${engineText(owner)}`,
      perSecond === 0 ? "" : rate(perSecond),
      facts[at]!.error ?? ""
    ])
  )
}

const rebuildLines = ({ rebuilds }: EngineStatus): ReadonlyArray<string> =>
  table(
    rebuilds.map(({ projection, generation, position, target, rate: perSecond, etaMs, owner }) => [
      projection,
      `generation ${generation}`,
      target === 0 ? "begins" : `${Math.floor((100 * Math.min(position, target)) / target)} %`,
      rate(perSecond),
      owner === undefined ? "left behind" : etaMs === undefined ? "" : `${elapsed(etaMs)} left`,
      `by ${engineText(owner)}`
    ])
  )

const syncLines = ({ sync }: EngineStatus): ReadonlyArray<string> => {
  const { waiting, retrying, held, parked, oldestMs, broken } = sync
  const counts = (["waiting", "retrying", "held", "parked"] as const)
    .filter((kind) => sync[kind] > 0)
    .map((kind) => `${sync[kind]} ${kind}`)
  if (waiting + retrying + held + parked + broken.length === 0) return []
  return [
    `${counts.length === 0 ? "nothing waits" : counts.join(", ")}${waiting + retrying === 0 ? "" : `, for ${age(oldestMs)} at most`}`,
    ...broken.map(
      ({ agent, branch, failures, failure }) =>
        `${agent}${branch === "main" ? "" : ` (${branch})`} failed ${counted(failures, "time")} in a row and is left alone for a while: ${failure.message}`
    )
  ]
}

/** A status, and where it is of. */
export type ShownStatus = EngineStatus & {
  readonly database: string
  readonly directory: string | undefined
}

/** The status for people, in lines of a width at most. */
export const statusText = (status: ShownStatus, paint: Paint, width = Number.POSITIVE_INFINITY): string => {
  const { emit, wake } = status
  const sections: ReadonlyArray<readonly [label: string, lines: ReadonlyArray<string>]> = [
    ["log", [`${status.log}, epoch ${status.epoch}, schema ${status.schema}`]],
    [
      "database",
      [
        `${status.database}${status.standby ? " (standby: reads only)" : ""}${status.pooled ? " (behind a pooler)" : ""}`
      ]
    ],
    ["data", status.directory === undefined ? [] : [status.directory]],
    ["settled", [`${status.settled}${status.head > status.settled ? `, head ${status.head}` : ""}`]],
    ["tail", tailLines(status)],
    ["wake-ups", [`${wake.mode}: ${wake.reason}`]],
    ["emit", [`${emit.waiting} waiting, ${emit.blocked} blocked, ${emit.underWay} under way`]],
    ["telemetry", [telemetryLine(status)]],
    ["projections", projectionLines(status)],
    ["rebuilds", rebuildLines(status)],
    ["consumers", subscriptionLines(status)],
    ["syncs", syncLines(status)],
    ["trouble", status.feed.error === undefined ? [] : [status.feed.error]]
  ]
  return sections
    .flatMap(([label, lines]) =>
      lines.map((line, index) => {
        const text = width === Number.POSITIVE_INFINITY ? line : cut(line, Math.max(1, width - LABEL_WIDTH))
        return `${paint(padEnd(index === 0 ? label : "", LABEL_WIDTH), "dim")}${text}`
      })
    )
    .join("\n")
}
