import type { Event } from "../log/event.ts"
import { type StateScene, stateToken } from "../state/parts.ts"
import type { Seen } from "./follower.ts"
import { type PathChange, pathChanges } from "./path-changes.ts"
import type { Patterns } from "./patterns.ts"

/** What one event has changed of what is watched; it is never told in parts. */
export interface StateChange {
  /** Where something is not what it was, with both values. */
  readonly changes: ReadonlyArray<PathChange>
  readonly agent: string
  readonly branch: string
  readonly version: number
  /** Who did it, and why. */
  readonly actor: string | undefined
  readonly reason: string | undefined
  readonly at: Date
  readonly event: Event
  /** Names the state after it, and where to go on from. Kept together with what was done about the change, nothing comes twice or is missed. */
  readonly token: string
}

/** What an event comes to for who looks for some patterns. */
export interface Told {
  readonly version: number
  readonly branch: number
  /** Undefined where it has changed nothing of what is looked for. */
  readonly change: StateChange | undefined
}

export const toldOf = (
  scene: StateScene,
  patterns: Patterns,
  event: Event,
  { branch, sides }: Seen
): Told => {
  const { version, position, meta, recordedAt } = event
  const changes = sides === undefined ? [] : pathChanges(patterns.globs, ...sides)
  if (changes.length === 0) return { version, branch, change: undefined }
  const { agent, branch: name } = scene.name
  const { actor, reason } = meta
  const token = stateToken(scene, { branch, version }, position)
  const change = { changes, agent, branch: name, version, actor, reason, at: recordedAt, event, token }
  return { version, branch, change }
}
