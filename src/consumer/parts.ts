import type { Effect, Semaphore } from "effect"
import type { Fleet } from "../fleet/fleet.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Meta } from "../log/event.ts"
import type { Feed } from "../log/feed.ts"
import type { LogIdentity } from "../log/identity.ts"
import type { Telemetry } from "../log/telemetry.ts"
import type { Turns } from "./caution.ts"
import type { Run } from "./cursor.ts"
import type { Places } from "./places.ts"

/** What the members and partitions of an engine work with. */
export interface ConsumerParts {
  readonly places: Places
  readonly log: EventLog["Service"]
  readonly feed: Feed["Service"]
  readonly fleet: Fleet["Service"]
  readonly identity: LogIdentity["Service"]
  readonly telemetry: Telemetry
  readonly ambient: () => Meta | undefined
  readonly transactions: Semaphore.Semaphore
  readonly turns: Turns
  readonly run: Run
  /** The same, given up where the signal says so. */
  readonly runUntil: <A>(effect: Effect.Effect<A, unknown>, signal: AbortSignal) => Promise<A>
}
