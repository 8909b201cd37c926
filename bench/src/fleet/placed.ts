import type { NewEvent } from "../../../dist/src/index.js"

/** An event and the stream that it goes to. */
export interface Placed {
  readonly stream: string
  readonly event: NewEvent
}

/** The nth event of its kind; undefined where that is a change of an agent's state, which only the engine can write. */
export type Make = (nth: number) => Placed | undefined

/** A kind of event, and how many of a hundred are of it. */
export interface Kind {
  readonly share: number
  readonly make: Make
}
