import type { Engine } from "../../src/index.ts"
import type { EngineLink } from "../../src/engine/linking.ts"

/** How many agents are linked. */
export const AGENTS = 5

const how = { keys: ["/shared/**"] }

export const TOPOLOGIES = ["group", "ring", "star", "chain of groups"] as const
export type Topology = (typeof TOPOLOGIES)[number]

/** How five agents may be linked, so that what one changes comes to all. */
export const topologies = (
  engine: Engine
): Readonly<Record<Topology, (agents: ReadonlyArray<string>) => Promise<ReadonlyArray<EngineLink>>>> => ({
  group: async (group) => [await engine.link({ group, ...how })],
  ring: (agents) =>
    Promise.all(
      agents.map((from, at) => engine.link({ from, to: [agents[(at + 1) % agents.length]!], ...how }))
    ),
  star: async ([from, ...to]) => [await engine.link({ from: from!, to, both: true, ...how })],
  "chain of groups": (agents) =>
    Promise.all([
      engine.link({ group: agents.slice(0, 3), ...how }),
      engine.link({ group: agents.slice(2), ...how })
    ])
})
