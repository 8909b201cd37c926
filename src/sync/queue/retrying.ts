import { Effect } from "effect"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { StateFailure } from "../../state/parts.ts"
import { branchStream } from "../../state/name.ts"
import type { States } from "../../state/states.ts"
import { type Course, type Synced, type SyncedTarget, type SyncOptions, syncStates } from "../sync.ts"
import type { WorkQueue } from "./queue.ts"
import { PRIORITIES, type Priority, rankOf } from "./work.ts"
import { retryDelayMs } from "./worker.ts"

export interface RetriedSyncOptions extends SyncOptions {
  /** Targets that fail are tried again by and by, by whichever engine of the fleet, until they are parked. Default: false. */
  readonly retry?: boolean
  /** Of what is tried again: what is done first, where there is more than can be done at once. Default: `normal`. */
  readonly priority?: Priority
}

/** … and, where it failed and is tried again, the id of that in the queue. */
export type RetriedTarget = SyncedTarget & { readonly queued: string | undefined }

export interface RetriedSynced extends Synced {
  readonly targets: ReadonlyArray<RetriedTarget>
}

/** Why this cannot be tried again, or undefined. */
const problemOf = ({ retry, priority, strategy, dryRun }: RetriedSyncOptions): string | undefined => {
  if (priority !== undefined && !PRIORITIES.includes(priority))
    return `There is no priority ${JSON.stringify(priority)}: give ${PRIORITIES.join(", ")}`
  if (retry !== true)
    return priority === undefined ? undefined : "A priority is of what is tried again: give `retry`, too"
  if (dryRun === true) return "Nothing is done, so nothing is tried again: leave out `retry` or `dryRun`"
  return typeof strategy === "function"
    ? "What is tried again outlives this process, and a function does not: give merge, source_wins or target_wins, or leave out `retry`"
    : undefined
}

/** Brings what a state has of some keys into others; what fails goes into the queue, where that is wanted. */
export const syncOrQueue = Effect.fnUntraced(function* (
  states: States["Service"],
  queue: WorkQueue,
  { retry = false, priority = "normal", ...options }: RetriedSyncOptions,
  course: Course
): Effect.fn.Return<RetriedSynced, StateFailure> {
  const problem = problemOf({ ...options, retry, ...(priority === "normal" ? {} : { priority }) })
  if (problem !== undefined) return yield* logError(new InvalidArgument({ problem }))
  const synced = yield* syncStates(states, options, course)
  const { source } = synced
  const targets: Array<RetriedTarget> = []
  for (const target of synced.targets) {
    const { agent, branch, error } = target
    if (error === undefined || !retry) {
      targets.push({ ...target, queued: undefined })
      continue
    }
    const again = {
      source: branchStream(source.agent, source.branch),
      target: branchStream(agent, branch),
      options: { ...options, to: [{ agent, branch }] }
    }
    const failure = { error: error.name, message: error.message }
    targets.push({
      ...target,
      queued: yield* queue.putAgain(again, rankOf(priority), failure, retryDelayMs(1))
    })
  }
  return { ...synced, targets }
})
