import type { Engine, Event, ReplayOptions } from "../../../src/index.ts"

/** All that a replay gives. */
export const replayed = async (engine: Engine, options?: ReplayOptions): Promise<ReadonlyArray<Event>> => {
  const events: Array<Event> = []
  for await (const event of engine.replay(options)) events.push(event)
  return events
}
