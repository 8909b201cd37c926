import type { Engine } from "../../../dist/src/index.js"
import { StateConflict, type JsonObject } from "../../../dist/src/state.js"
import { random } from "./random.ts"
import type { Edit, Workload } from "./workloads.ts"

/** How writers write: over what is there, or merged with it since what they read, by rules or without. */
export type Way = "without base" | "base, default rules" | "base, own rules"

export const WAYS: ReadonlyArray<Way> = ["without base", "base, default rules", "base, own rules"]

export interface FleetOptions {
  readonly writers: number
  readonly writes: number
  /** What is read is so many versions old at most. */
  readonly stale: number
  readonly seed: number
}

/** What has become of the writes of a fleet. */
export interface Outcome {
  readonly workload: string
  readonly way: Way
  readonly writes: number
  /** Of these, somebody else had written since they were read. */
  readonly stale: number
  /** Changes of others that were overwritten by somebody who had not seen them. */
  readonly lost: number
  /** Brought together with what others had written. */
  readonly merged: number
  /** A person has to decide … */
  readonly conflicts: number
  /** … about these parts of the state: how often about each. */
  readonly where: Readonly<Record<string, number>>
}

interface Read {
  readonly shared: JsonObject
  readonly token: string
}

/** Writes as a fleet does, one after the other, each on what its writer read some time ago. */
export const fleet = async (
  engine: Engine,
  workload: Workload,
  way: Way,
  { writers, writes, stale, seed }: FleetOptions
): Promise<Outcome> => {
  const numbers = random(seed)
  const agent = `${workload.name} ${way}`.replaceAll(/\W+/g, "-")
  if (way === "base, own rules") await engine.defineState({ agent, rules: workload.rules })
  const state = engine.state(agent)
  const read = async (): Promise<Read> => {
    const { shared, token } = await state.read({ cached: true })
    return { shared, token }
  }
  await state.update({ shared: workload.begin })
  const reads = [await read()]
  const done: Array<Edit> = []
  /** Everybody has seen at least what he wrote himself. */
  const own = new Map<number, number>()
  const outcome = { writes: 0, stale: 0, lost: 0, merged: 0, conflicts: 0 }
  const where: Record<string, number> = {}

  const write = async (nth: number): Promise<void> => {
    const last = reads.length - 1
    const now = reads[last]!
    const writer = numbers.below(writers)
    const at = Math.max(last - numbers.below(stale + 1), own.get(writer) ?? 0)
    const choices = numbers.below(2 ** 31)
    let seen = reads[at]!
    let edit = workload.edit(seen.shared, writer, nth, random(choices))
    outcome.writes += 1
    if (at < last) outcome.stale += 1
    const base = way === "without base" ? {} : { base: seen.token }
    try {
      await state.update({ shared: edit.values }, { actor: `writer-${writer}`, ...base })
      if (at < last && way !== "without base") outcome.merged += 1
    } catch (error) {
      if (!(error instanceof StateConflict)) throw error
      outcome.conflicts += 1
      for (const part of new Set(error.conflicts.map(({ path }) => partOf(path))))
        where[part] = (where[part] ?? 0) + 1
      // Somebody looks at both, and does it on what is there.
      seen = now
      edit = workload.edit(seen.shared, writer, nth, random(choices))
      await state.update({ shared: edit.values }, { base: seen.token })
    }
    const after = await read()
    // What a writer had seen he may well have meant to overwrite.
    const before = seen.shared
    const overwritten = done.filter(
      ({ isThere }) => isThere(now.shared) && !isThere(before) && !isThere(after.shared)
    )
    outcome.lost += overwritten.length + uncounted(workload, seen, now, after, edit)
    done.push(edit)
    own.set(writer, reads.length)
    reads.push(after)
  }
  for (let nth = 0; nth < writes; nth += 1) await write(nth)
  return { workload: workload.name, way, ...outcome, where }
}

/** How deep the parts of a state lie that conflicts are counted by: a key, and what that has. */
const PART_DEPTH = 4

const partOf = (path: string): string => path.split("/").slice(0, PART_DEPTH).join("/")

/** How much of what others have counted is gone. */
const uncounted = ({ count }: Workload, seen: Read, now: Read, after: Read, edit: Edit): number => {
  if (count === undefined) return 0
  const wanted = count(edit.values) - count(seen.shared)
  return Math.max(0, count(now.shared) + wanted - count(after.shared))
}
