/** What is true of an append besides its events: who did it, why, and as part of what. */
export interface Meta {
  /** Who did it: an agent's id, a user. */
  readonly actor?: string
  /** Why, in words. */
  readonly reason?: string
  /** The id that everything of one piece of work shares. */
  readonly correlationId?: string
  /** The id of the event that led to this one. */
  readonly causationId?: string
  /** The W3C trace context of the caller. */
  readonly traceparent?: string
  readonly [key: string]: unknown
}

/** An event to emit. */
export interface NewEvent<Data = unknown> {
  /** What happened, in the past tense: 1–128 visible ASCII characters. */
  readonly type: string
  /** JSON; `{}` by default. */
  readonly data?: Data
  /** A UUID that names this event for ever; made where it is not given. Sending the same again with the same ids is safe. */
  readonly id?: string
  /** What else the event concerns, such as `run:42`: up to 32 labels of 1–128 characters, for filters. */
  readonly labels?: ReadonlyArray<string>
  /** When it happened by the caller's clock; kept as `occurredAt` in the data, which must then be an object. */
  readonly occurredAt?: Date | string
  /** The version of the type's schema; that of the declared type by default, else 1. */
  readonly schemaVersion?: number
  /** What is true of this event alone, beside and before what is said of the whole append. */
  readonly meta?: Meta
}

/** An event of the log: immutable. */
export interface Event<Data = unknown> {
  /** Its place in the log: only grows, may skip numbers, never reorders. */
  readonly position: number
  readonly id: string
  readonly stream: string
  /** Its number in its stream: 1, 2, 3 … without a hole. */
  readonly version: number
  readonly type: string
  readonly data: Data
  readonly labels: ReadonlyArray<string>
  readonly meta: Meta
  /** The database's clock at insert; not monotone over the log. */
  readonly recordedAt: Date
  readonly schemaVersion: number
}

/** `none`: the stream must be new; `exists`: it must not be; a number: it must be at this version. */
export type ExpectedVersion = "any" | "none" | "exists" | number

/** One stream's share of an atomic append. */
export interface Part {
  readonly stream: string
  readonly events: NewEvent | ReadonlyArray<NewEvent>
  readonly expected?: ExpectedVersion
}

/** Where an emitted event came to lie. */
export interface Placed {
  readonly id: string
  readonly position: number
  readonly version: number
}

/** What an emit returns. */
export interface Appended {
  readonly stream: string
  /** The stream's version after it. */
  readonly version: number
  /** The position of its last event. */
  readonly position: number
  readonly events: ReadonlyArray<Placed>
  /** Names this point of the log; for resuming, and for reading one's own writes. */
  readonly token: string
}
