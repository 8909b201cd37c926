import { Effect } from "effect"
import type { BranchState } from "../state/branch/branch-state.ts"
import type { ChangeFields } from "../state/branch/draft.ts"
import { type Prepared, whileStill } from "../state/branch/prepared.ts"
import { tokenAfter } from "../state/change/changing.ts"
import { planOfEvent, pointerOfKey } from "../state/change/writing.ts"
import type { Conflicting } from "../state/error.ts"
import { StateSynced } from "../state/event.ts"
import { blamed } from "../state/merging/combining.ts"
import { nameOfStrategy } from "../state/merging/pending-merge.ts"
import type { ByWhom, StateFailure, StateScene } from "../state/parts.ts"
import { nodeOf, ready } from "../state/past/history.ts"
import { headOf } from "../state/past/reading.ts"
import { NOTHING, type Selection } from "../state/store.ts"
import type { KeyId } from "../state/tier.ts"
import { bring, type Brought, type How, type Source } from "./bringing.ts"

/** A source and a target of one synchronisation. */
export interface Pair {
  readonly sync: string
  readonly source: Source
  readonly target: StateScene
  readonly selection: Selection
  readonly how: How
  readonly by: ByWhom
  /** When it began, by `performance.now()`. */
  readonly since: number
}

/** What it has come to in the target. */
export interface Done {
  readonly status: "synced" | "up_to_date" | "conflicts"
  readonly version: number
  readonly token: string
  readonly applied: ReadonlyArray<string>
  readonly merged: ReadonlyArray<string>
  readonly skipped: ReadonlyArray<string>
  readonly conflicts: ReadonlyArray<Conflicting>
}

/** How long it has taken so far, in whole ms. */
export const tookMs = ({ since }: Pair): number => Math.round(performance.now() - since)

/** The source as events name it. */
export const placeOf = ({ scene, node }: Source) => ({
  branch: node.branch,
  agent: scene.name.agent,
  name: scene.name.branch,
  version: node.version
})

const pointers = (keys: ReadonlyArray<string>): ReadonlyArray<string> => keys.map(pointerOfKey)

const statusOf = ({ values, conflicts }: Brought): Done["status"] => {
  if (conflicts.length > 0) return "conflicts"
  return values.size === 0 ? "up_to_date" : "synced"
}

const doneOf = (
  brought: Brought,
  conflicts: ReadonlyArray<Conflicting>
): Omit<Done, "version" | "token"> => ({
  status: statusOf(brought),
  applied: pointers(brought.applied),
  merged: pointers(brought.merged),
  skipped: pointers(brought.skipped),
  conflicts
})

/** What both come to on the target as it is. */
const lookAt = Effect.fnUntraced(function* (
  { target, source, selection, how }: Pair,
  head: BranchState
): Effect.fn.Return<readonly [Brought, Omit<Done, "version" | "token">], StateFailure> {
  const brought = yield* bring(target, head, source, selection, how)
  // Who has changed what is looked up in what is kept ready.
  if (brought.conflicts.length > 0) yield* ready(target, head, source.state)
  const conflicts = yield* blamed(target, brought.conflicts, nodeOf(head), source.node)
  return [brought, doneOf(brought, conflicts)]
})

/** What would be done; nothing is. */
export const trySynchronise = Effect.fnUntraced(function* (pair: Pair): Effect.fn.Return<Done, StateFailure> {
  const head = yield* headOf(pair.target)
  const [, done] = yield* lookAt(pair, head)
  return { ...done, ...as(pair.target, head) }
})

/** The branch as it is. */
const as = (scene: StateScene, head: BranchState): Pick<Done, "version" | "token"> => ({
  version: head.version,
  token: tokenAfter(scene, { state: head })(undefined, head.id, head.version)
})

/** Brings what the source has into the target, in one event with all that can be. */
export const synchronise = (pair: Pair): Effect.Effect<Done, StateFailure> =>
  whileStill(
    pair.target,
    pair.by,
    Effect.fnUntraced(function* (head): Effect.fn.Return<Prepared<Done>, StateFailure> {
      const { target } = pair
      const [brought, done] = yield* lookAt(pair, head)
      if (brought.values.size === 0) {
        const outcome = { ...done, ...as(target, head) }
        return { selection: NOTHING, plan: () => Effect.succeed({ events: [], told: () => outcome }) }
      }
      return planned(pair, brought, done)
    })
  )

/** Most keys of a synchronisation have been through the same: what is known is said once for all of these. */
const grouped = (keys: ReadonlyArray<KeyId>, known: Brought["known"]) => {
  const groups = new Map<
    string,
    { readonly keys: Array<string>; readonly branches: Record<string, number> }
  >()
  for (const key of keys) {
    const branches = Object.fromEntries(known.get(key) ?? [])
    const name = JSON.stringify(branches)
    const group = groups.get(name) ?? { keys: [], branches }
    group.keys.push(pointerOfKey(key))
    groups.set(name, group)
  }
  return [...groups.values()]
}

const planned = (
  pair: Pair,
  { values, settled, known }: Brought,
  done: Omit<Done, "version" | "token">
): Prepared<Done> => {
  const { sync, source, target, how } = pair
  const keys = [...values.keys()]
  return {
    selection: { tiers: [], keys },
    plan: (draft) =>
      Effect.sync(() => {
        const make = (fields: ChangeFields) =>
          StateSynced.make({
            ...fields,
            sync,
            source: placeOf(source),
            keys: pointers(keys),
            strategy: nameOfStrategy(how.strategy),
            known: grouped(keys, known),
            settled,
            durationMs: tookMs(pair)
          })
        const { events, told } = planOfEvent(draft, [], values, make, tokenAfter(target, draft))
        return {
          events,
          told: (placed, branch) => {
            const { version, token } = told(placed, branch)
            return { ...done, version, token }
          }
        }
      })
  }
}
