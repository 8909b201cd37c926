import { setTimeout as pause } from "node:timers/promises"

/** Names what a test file left behind. */
export class Leaked extends Error {
  override readonly name = "Leaked"
  constructor(leaks: ReadonlyArray<string>) {
    super(
      `this file left behind:\n${leaks.map((leak) => `  - ${leak}`).join("\n")}\n` +
        "close what the tests open; `npx vitest run --detect-async-leaks <file>` shows where timers and sockets were made"
    )
  }
}

/** How many of each kind of resource keep the process alive: timers, sockets, servers, child processes. */
export type Resources = ReadonlyMap<string, number>

/** Closing takes a turn or two of the event loop; a timer of a second is no leak. */
const settledWithin = 2_000
const pauseBetween = 20

const activeResources = (): Resources => {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** What an earlier file of this process left behind, and was told of: the files after it have no part in that. */
let known: Resources = new Map()

/** What is there that is not the test file's, to compare with later. */
export const resourcesBefore = (): Resources => {
  const counts = new Map(activeResources())
  // Vitest has short timers only: one that happens to run now must not hide a timer that the file leaves behind.
  counts.set("Timeout", known.get("Timeout") ?? 0)
  return counts
}

const more = (before: Resources, now: Resources) =>
  [...now].flatMap(([kind, count]) => {
    const extra = count - (before.get(kind) ?? 0)
    return extra > 0 ? [`${extra} × ${kind} that keeps the process alive`] : []
  })

/** The resources that are there now, were not there before, and do not go away by themselves. */
export const resourcesSince = async (
  before: Resources,
  within = settledWithin
): Promise<ReadonlyArray<string>> => {
  // Not `until`: its timers would be counted.
  const deadline = performance.now() + within
  for (;;) {
    const extra = more(before, activeResources())
    if (extra.length === 0) return extra
    if (performance.now() >= deadline) {
      known = activeResources()
      return extra
    }
    await pause(pauseBetween)
  }
}
