import { agents } from "./agents/agents.ts"
import { heartbeats } from "./heartbeats/heartbeats.ts"
import { links } from "./links/links.ts"
import { metrics } from "./metrics/metrics.ts"
import { states } from "./states/states.ts"

/** The read models that every engine has, by name. */
export const builtIn = { agents, heartbeats, links, metrics, states } as const
