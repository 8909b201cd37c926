import type { EngineStatus } from "../index.ts"
import { age, counted, rate } from "./terminal/quantity.ts"
import { type Cell, table } from "./terminal/table.ts"
import { printable } from "./terminal/text.ts"

type Durable = EngineStatus["durable"][number]
type Owner = Durable["partitions"][number]["owner"]

/** An engine, as people know it. */
export const engineText = (engine: Owner): string =>
  engine === undefined ? "nobody" : `${engine.application} on ${engine.host} (pid ${engine.pid})`

const heldText = ({ retrying, waiting, parked }: Durable["held"]): string =>
  [
    [retrying, "retrying"],
    [waiting, "waiting"],
    [parked, "parked"]
  ]
    .filter(([count]) => count !== 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(", ")

const lagText = ({ lag: { atLeast, atMost, isCount }, lagMs }: Durable): string => {
  if (atMost === 0) return "caught up"
  if (isCount) return `${counted(atMost, "event")} behind, for ${age(lagMs)}`
  const most = `≤ ${counted(atMost, "position")} behind`
  return `${atLeast === 0 ? most : `> ${counted(atLeast, "event")}, ${most}`}, for ${age(lagMs)}`
}

const stateText = ({ state, dealing }: Durable): string =>
  dealing === undefined
    ? state
    : `${state}, dealt into ${counted(dealing.partitions, "partition")} at ${dealing.at}`

/** Whose the partitions are, and how fast they go. */
const ownerRows = ({ partitions }: Durable): ReadonlyArray<ReadonlyArray<Cell>> => {
  const owners = new Map<string, { partitions: number; perSecond: number }>()
  for (const { owner, rate: perSecond = 0 } of partitions) {
    const known = owners.get(engineText(owner)) ?? { partitions: 0, perSecond: 0 }
    owners.set(engineText(owner), {
      partitions: known.partitions + 1,
      perSecond: known.perSecond + perSecond
    })
  }
  return [...owners].map(([owner, { partitions: count, perSecond }]) => [
    `  ${counted(count, "partition")}`,
    `handled by ${owner}`,
    perSecond === 0 ? "" : rate(perSecond)
  ])
}

const troubleLines = ({ partitions }: Durable): ReadonlyArray<string> =>
  partitions
    .filter(({ error }) => error !== undefined)
    .map(
      ({ partition, state, error }) =>
        `  partition ${partition} ${state === "stopped" ? "stopped" : "failed last"}: ${printable(error!)}`
    )

/** The durable subscriptions, each with whose its partitions are and what is wrong with them. */
export const subscriptionLines = ({ durable }: EngineStatus): ReadonlyArray<string> => {
  const heads = table(
    durable.map((one) => [
      one.name,
      stateText(one),
      counted(one.members, "engine"),
      lagText(one),
      heldText(one.held)
    ])
  )
  return durable.flatMap((one, at) => [heads[at]!, ...table(ownerRows(one)), ...troubleLines(one)])
}
