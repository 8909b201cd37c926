import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { batches, type FoldTables } from "../../src/projection/definition.ts"
import type { FoldFailed } from "../../src/projection/fold.ts"
import { agentOf, foldHealth, type HealthRow, isBeat } from "./fold.ts"
import { HealthState, LATE_AFTER_MISSED } from "./interval.ts"

type Folding = Effect.Effect<void, PostgresError | FoldFailed>
type ByAgent = ReadonlyMap<string, ReadonlyArray<Event>>

const byAgent = (events: ReadonlyArray<Event>): ByAgent => {
  const groups = new Map<string, Array<Event>>()
  for (const event of events) {
    const agent = agentOf(event)
    if (agent === undefined) continue
    const group = groups.get(agent)
    if (group === undefined) groups.set(agent, [event])
    else group.push(event)
  }
  return groups
}

/** Of agents that did nothing but beat, the last beat. */
const beatsIn = (groups: ByAgent) =>
  [...groups].flatMap(([agent, events]) => {
    const { position, recordedAt } = events.at(-1)!
    return events.every(isBeat) ? [{ agent_id: agent, position, recorded_at: recordedAt }] : []
  })

/** How many agents more, or fewer, there are at work in each state of health. */
const difference = (
  before: ReadonlyMap<string, HealthRow>,
  after: ReadonlyArray<HealthRow>
): ReadonlyArray<{ readonly health: HealthState; readonly agents: number }> => {
  const counts = new Map<HealthState, number>(HealthState.literals.map((health) => [health, 0]))
  const count = (row: HealthRow | undefined, by: number): void => {
    if (row?.standing === "watched") counts.set(row.health, counts.get(row.health)! + by)
  }
  for (const row of after) {
    count(before.get(row.agent_id), -1)
    count(row, 1)
  }
  return [...counts].map(([health, agents]) => ({ health, agents }))
}

/** Folds the events of agents in memory, and writes the row of each once. */
const foldAgents = Effect.fnUntraced(function* (
  groups: ReadonlyArray<readonly [agent: string, events: ReadonlyArray<Event>]>,
  { query, attempt }: FoldTables
): Effect.fn.Return<void, PostgresError | FoldFailed> {
  if (groups.length === 0) return
  const loaded = yield* query<HealthRow>("#projections/vitals/load.sql", [groups.map(([agent]) => agent)])
  const before = new Map(loaded.map((row) => [row.agent_id, row]))
  const after = yield* attempt(() =>
    groups.map(
      ([agent, events]) => events.reduce<HealthRow | undefined>(foldHealth, before.get(agent)) as HealthRow
    )
  )
  yield* query("#projections/vitals/save.sql", [JSON.stringify(after)])
  yield* query("#projections/vitals/save-counts.sql", [JSON.stringify(difference(before, after))])
})

/**
 * Nearly all events are beats of agents that are known to beat: these move a row's times alone, in one statement that is like `foldHealth`. All
 * else, and the first beat of a life, is folded in memory.
 */
const fold = Effect.fnUntraced(function* (events: ReadonlyArray<Event>, tables: FoldTables) {
  const groups = yield* tables.attempt(() => byAgent(events))
  const beats = yield* tables.attempt(() => beatsIn(groups))
  const moved =
    beats.length === 0
      ? []
      : yield* tables.query<{ readonly agent_id: string }>("#projections/vitals/beat.sql", [
          JSON.stringify(beats),
          LATE_AFTER_MISSED
        ])
  const done = new Set(moved.map(({ agent_id }) => agent_id))
  yield* foldAgents(
    [...groups].filter(([agent]) => !done.has(agent)),
    tables
  )
})

export const healthModel = batches((events, tables): Folding => fold(events, tables), { byIndex: true })
