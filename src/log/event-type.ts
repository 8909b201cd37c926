import { Result, Schema } from "effect"
import type { Event, NewEvent } from "./event.ts"

/** Brings the data of an event from one schema version to the next. */
export type Upcast = (data: unknown, event: Event) => unknown

/** A declared type of event: its data is checked at emit, and old versions are brought up to date when read. */
export interface EventType<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly schemaVersion: number
  readonly schema: Schema.Codec<Data, Data>
  /** From version n to n + 1, for each n below schemaVersion that the log may hold. */
  readonly upcasts: Readonly<Record<number, Upcast>>
  /** An event of this type to emit. A method, so that a list of types may hold types of any data. */
  make(
    data: Data,
    rest?: Omit<NewEvent, "type" | "data" | "schemaVersion">
  ): NewEvent<Data> & { readonly type: Type }
  /** Whether an event is of this type; its data is then typed. */
  readonly is: (event: Event) => event is Event<Data> & { readonly type: Type }
}

/**
 * Declares a type of event. The schema describes the JSON of its current version; it checks, and changes nothing.
 *
 * ```ts
 * const TaskDone = eventType("TaskDone", Schema.Struct({ task: Schema.String, ms: Schema.Finite }), {
 *   schemaVersion: 2,
 *   upcasts: { 1: (data) => ({ task: (data as TaskDone1).task, ms: (data as TaskDone1).seconds * 1000 }) }
 * })
 * ```
 */
export const eventType = <const Type extends string, Data>(
  type: Type,
  schema: Schema.Codec<Data, Data>,
  options?: { readonly schemaVersion?: number; readonly upcasts?: Readonly<Record<number, Upcast>> }
): EventType<Type, Data> => ({
  type,
  schema,
  schemaVersion: options?.schemaVersion ?? 1,
  upcasts: options?.upcasts ?? {},
  make: (data, rest) => ({ ...rest, type, data }),
  is: (event): event is Event<Data> & { readonly type: Type } => event.type === type
})

interface Declared {
  readonly eventType: EventType
  readonly problem: (data: unknown) => string | undefined
}

const declared = (type: EventType): Declared => {
  const decode = Schema.decodeUnknownResult(type.schema)
  return {
    eventType: type,
    problem: (data) => {
      const result = decode(data)
      return Result.isFailure(result) ? result.failure.message : undefined
    }
  }
}

/** The declared types of one engine. Types that are not declared pass unchecked and are read as they are. */
export class EventTypes {
  private readonly byType = new Map<string, Declared>()

  /** Declares types; a type declared again with another version or schema is refused with its name. */
  declare(types: Iterable<EventType>): string | undefined {
    for (const type of types) {
      const before = this.byType.get(type.type)
      if (before === undefined) this.byType.set(type.type, declared(type))
      else if (
        before.eventType.schema !== type.schema ||
        before.eventType.schemaVersion !== type.schemaVersion
      )
        return type.type
    }
    return undefined
  }

  currentVersion(type: string): number {
    return this.byType.get(type)?.eventType.schemaVersion ?? 1
  }

  /** Why the data is not what the declared type says, where the event is of its current version. */
  problem(type: string, schemaVersion: number, data: unknown): string | undefined {
    const known = this.byType.get(type)
    if (known === undefined) return undefined
    const { schemaVersion: current } = known.eventType
    if (schemaVersion > current)
      return `schema version ${schemaVersion} is newer than the declared one, ${current}`
    return schemaVersion === current ? known.problem(data) : undefined
  }

  /** The event at the current version of its type. Throws what an upcaster throws, or says which one is missing. */
  upcast(event: Event): Event {
    const known = this.byType.get(event.type)
    if (known === undefined || event.schemaVersion >= known.eventType.schemaVersion) return event
    let { data } = event
    for (let version = event.schemaVersion; version < known.eventType.schemaVersion; version++) {
      const upcast = known.eventType.upcasts[version]
      if (upcast === undefined) throw new Error(`there is no upcast from version ${version}`)
      data = upcast(data, event)
    }
    return { ...event, data, schemaVersion: known.eventType.schemaVersion }
  }
}
