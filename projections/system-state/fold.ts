import type { Event } from "../../src/log/event.ts"
import { categoryOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { occurredAt } from "../moment.ts"
import { SystemStateSet } from "./events.ts"
import { keyOf, SYSTEM_STATE } from "./key.ts"

/** A row of `system_state`. */
export type SystemStateRow = {
  readonly stream: string
  readonly id: number | string
  readonly key: string
  readonly value: unknown
  readonly version: number | string
  readonly created_at: Date
  readonly updated_at: Date
  readonly updated_by: string | null
  readonly reason: string | null
  readonly occurred_at: Date | null
  readonly recorded_at: Date
}

/** What an event's data says under a name; undefined where it says nothing, as after a redaction. */
const saidIn = (data: unknown, name: string): unknown =>
  typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined

const textOrNull = (said: unknown): string | null => (typeof said === "string" ? said : null)

/** A key after an event: its value, or nothing once it was removed. */
export const foldSystemState = (
  row: SystemStateRow | undefined,
  event: Event
): SystemStateRow | undefined => {
  const key = keyOf(event.stream, saidIn(event.data, "key")) ?? row?.key
  if (key === undefined || !SystemStateSet.is(event)) return undefined
  return {
    stream: event.stream,
    id: row?.id ?? event.position,
    key,
    value: saidIn(event.data, "value") ?? null,
    version: event.version,
    created_at: row?.created_at ?? event.recordedAt,
    updated_at: event.recordedAt,
    updated_by: textOrNull(event.meta.actor),
    reason: textOrNull(event.meta.reason),
    occurred_at: occurredAt(event.data) ?? null,
    recorded_at: event.recordedAt
  }
}

export const systemStateEntities = entities<SystemStateRow>({
  table: "system_state",
  key: "stream",
  keyOf: ({ stream }) => (categoryOf(stream) === SYSTEM_STATE ? stream : undefined),
  fold: foldSystemState
})
