import { consume } from "./jobs/consume.ts"
import { fill } from "./jobs/fill.ts"
import { hear } from "./jobs/hear.ts"
import { drive } from "./jobs/load.ts"
import { listen } from "./jobs/listen.ts"
import { past } from "./jobs/past.ts"
import { replay } from "./jobs/replay.ts"
import type { Store } from "./store.ts"

/** What a contender's process can be asked to do with its store. */
const jobs = { drive, hear, replay, past, fill, listen, consume }

type Jobs = typeof jobs
export type JobName = keyof Jobs
export type Input<J extends JobName> = Parameters<Jobs[J]>[1]
export type Output<J extends JobName> = Awaited<ReturnType<Jobs[J]>>

/** What travels between the processes. */
export type Request = { readonly [J in JobName]: { readonly job: J; readonly input: Input<J> } }[JobName]
export type Answer = { readonly found: unknown } | { readonly error: string }

export const perform = (store: Store, { job, input }: Request): Promise<unknown> => {
  const run = jobs[job] as (store: Store, input: unknown) => Promise<unknown>
  return run(store, input)
}
