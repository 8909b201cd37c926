/** How many agents the fleet has. */
export const AGENTS = 10_000

/** How many sessions are in use, of an agent each. */
export const SESSIONS = 2_000

export const agentAt = (n: number): string => `agent-${n % AGENTS}`

export const sessionAt = (n: number): string => `session-${n % SESSIONS}`
