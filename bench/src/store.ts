import type { Step } from "./event.ts"

/** Ends a subscription; resolves when no callback can come any more. */
export type Stop = () => Promise<void>

/** An open event store. Every contender is driven through this and nothing else. */
export interface Store {
  /** Appends the steps to one stream in one atomic append; resolves when they are durable. */
  append(stream: string, steps: ReadonlyArray<Step>): Promise<void>
  /** Calls back for each event from now on. Resolves once started; the first events may take a moment longer. */
  readonly subscribe?: (onStep: (step: Step) => void) => Promise<Stop>
  /** Reads the log in order from its beginning; stops early when `until` says so. Resolves to the number of events. */
  readonly replay?: (until: () => boolean) => Promise<number>
  /** Goes through everything that the log holds now, and ends there. Resolves to the number of events. */
  readonly past?: () => Promise<number>
  /** Works on a durable subscription until it has passed a position. Resolves to the number of events it was given. */
  readonly consume?: (name: string, end: number) => Promise<number>
  /** Has the rest of what it offers in use, as far as that may cost something while nothing happens. */
  readonly attend?: () => Promise<void>
  close(): Promise<void>
}

/** Something that can be measured: Tidemark, a peer, or bare Postgres. */
export interface Contender {
  readonly name: string
  /** Prepares an empty database: tables, functions, roles. */
  install(database: string): Promise<void>
  /** Opens a prepared database with at most `connections` connections for appends. */
  open(database: string, connections: number): Promise<Store>
}
