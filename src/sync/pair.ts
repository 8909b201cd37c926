import { Effect, type Result } from "effect"
import type { BranchState } from "../state/branch/branch-state.ts"
import type { ChangeFields } from "../state/branch/draft.ts"
import { type Prepared, whileStill } from "../state/branch/prepared.ts"
import { tokenAfter } from "../state/change/changing.ts"
import { planOfEvent, pointerOfKey } from "../state/change/writing.ts"
import type { Conflicting } from "../state/error.ts"
import { StateSynced } from "../state/event.ts"
import { blamed, told } from "../state/merging/combining.ts"
import { conflictOfSync } from "../state/merging/conflict-name.ts"
import { joined, type Node, type Vector } from "../state/merge/history.ts"
import { nameOfStrategy } from "../state/merging/pending-merge.ts"
import type { ByWhom, StateFailure, StateScene } from "../state/parts.ts"
import { nodeOf } from "../state/past/history.ts"
import { NOTHING, type Selection } from "../state/store.ts"
import type { KeyId } from "../state/tier.ts"
import { bring, type Brought, type How, type Source } from "./bringing.ts"

/** A source and a target of one synchronisation. */
export interface Pair {
  readonly sync: string
  /** The link that it is done for, and whether conflicts are written down by who brings the other way. */
  readonly link: string | undefined
  readonly isQuiet: boolean
  readonly source: Source
  readonly target: StateScene
  /** The target as it was when it began. */
  readonly head: Result.Result<BranchState, StateFailure>
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

const statusOf = ({ applied, merged, conflicts }: Brought): Done["status"] => {
  if (conflicts.length > 0) return "conflicts"
  return applied.length + merged.length === 0 ? "up_to_date" : "synced"
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
  pair: Pair,
  head: BranchState
): Effect.fn.Return<readonly [Brought, Omit<Done, "version" | "token">], StateFailure> {
  const { target, source, selection, how } = pair
  const brought = yield* bring(target, head, source, selection, how)
  return [brought, doneOf(brought, yield* conflictsOf(pair, head, brought))]
})

/** Conflicts, with who has changed what: that is looked up in what is kept ready, and left out where that is far behind. */
const conflictsOf = Effect.fnUntraced(function* (
  { target, source }: Pair,
  head: BranchState,
  { conflicts }: Brought
): Effect.fn.Return<ReadonlyArray<Conflicting>, StateFailure> {
  if (conflicts.length === 0) return []
  const isReady = yield* target.parts.store.isSoonCaughtUp(Math.max(head.position, source.state.position))
  const all = isReady ? yield* blamed(target, conflicts, nodeOf(head), source.node) : conflicts.map(told)
  const { agent, branch } = target.name
  return all.map((conflict) => ({
    id: conflictOfSync(placeOf(source), { agent, name: branch }, conflict.path),
    ...conflict
  }))
})

/** What would be done; nothing is. */
export const trySynchronise = Effect.fnUntraced(function* (pair: Pair): Effect.fn.Return<Done, StateFailure> {
  const head = yield* Effect.fromResult(pair.head)
  const [, done] = yield* lookAt(pair, head)
  return { ...done, ...as(pair.target, head) }
})

/** The branch as it is. */
const as = (scene: StateScene, head: BranchState): Pick<Done, "version" | "token"> => ({
  version: head.version,
  token: tokenAfter(scene, { state: head })(undefined, head.id, head.version)
})

/** So many keys are named by one event at most: more are several synchronisations, one after the other. */
const MOST_KEYS = 2_000

/** Brings what the source has into the target, in one event with all that can be. */
export const synchronise = Effect.fnUntraced(function* (pair: Pair): Effect.fn.Return<Done, StateFailure> {
  let all: Done | undefined
  for (;;) {
    const seen = all === undefined ? yield* Effect.fromResult(pair.head) : undefined
    const { done, isAll } = yield* synchroniseSome(pair, seen)
    all = all === undefined ? done : after(all, done)
    if (isAll) return all
  }
})

/** What was done before is not skipped. */
const after = (before: Done, { applied, merged, skipped, ...now }: Done): Done => {
  const all = { applied: [...before.applied, ...applied], merged: [...before.merged, ...merged] }
  const taken = new Set([...all.applied, ...all.merged])
  return { ...now, ...all, skipped: skipped.filter((path) => !taken.has(path)) }
}

interface Some {
  readonly done: Done
  readonly isAll: boolean
}

const synchroniseSome = (pair: Pair, seen: BranchState | undefined): Effect.Effect<Some, StateFailure> =>
  whileStill(
    pair.target,
    pair.by,
    Effect.fnUntraced(function* (head): Effect.fn.Return<Prepared<Some>, StateFailure> {
      const { target } = pair
      const [brought, done] = yield* lookAt(pair, head)
      if (brought.values.size === 0) {
        const outcome = { done: { ...done, ...as(target, head) }, isAll: true }
        return { selection: NOTHING, plan: () => Effect.succeed({ events: [], told: () => outcome }) }
      }
      if (brought.values.size <= MOST_KEYS) return planned(pair, brought, done, true)
      const values = new Map([...brought.values].slice(0, MOST_KEYS))
      const taken = (keys: ReadonlyArray<KeyId>) => keys.filter((key) => values.has(key))
      const some = { ...brought, values, applied: taken(brought.applied), merged: taken(brought.merged) }
      return planned(pair, some, doneOf(some, done.conflicts), false)
    }),
    seen
  )

interface Sides {
  /** The target, and the version that it comes to have. */
  readonly target: Node
  /** The branch of the source. */
  readonly source: number
}

/** What the target knows of others as far as a key is concerned, when it has what the source has; and when it was last decided about. */
const knownAfter = (
  key: KeyId,
  { known, learnt, decidedKeys }: Brought,
  { target, source }: Sides
): Vector => {
  const { decided, ...of } = known.get(key)!
  const theirs = new Map(of.source)
  // Of the source itself there is no news, where it was met before, but that it was decided about: were its version told each time, those who tell
  // each other what they know would never be done.
  if (learnt.has(key) && of.target.has(source)) theirs.set(source, decided.source ?? 0)
  const all = new Map(joined(of.target, theirs))
  const own = decidedKeys.has(key) ? target.version : decided.target
  if (own === undefined) all.delete(target.branch)
  else all.set(target.branch, own)
  return all
}

/** Most keys of a synchronisation have been through the same: what is known is said once for all of these. */
const grouped = (keys: ReadonlyArray<KeyId>, knownOf: (key: KeyId) => Vector) => {
  const groups = new Map<
    string,
    { readonly keys: Array<string>; readonly branches: Record<string, number> }
  >()
  for (const key of keys) {
    const branches = Object.fromEntries(knownOf(key))
    const name = JSON.stringify(branches)
    const group = groups.get(name) ?? { keys: [], branches }
    group.keys.push(pointerOfKey(key))
    groups.set(name, group)
  }
  return [...groups.values()]
}

const planned = (
  pair: Pair,
  brought: Brought,
  done: Omit<Done, "version" | "token">,
  isAll: boolean
): Prepared<Some> => {
  const { sync, link, source, target, how } = pair
  const { values, settled } = brought
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
            strategy: nameOfStrategy(how.strategy),
            ...(link === undefined ? {} : { link }),
            known: grouped(keys, (key) =>
              knownAfter(key, brought, {
                target: { branch: draft.state.id, version: draft.version },
                source: source.node.branch
              })
            ),
            settled: keys.reduce((sum, key) => sum + (settled.get(key) ?? 0), 0),
            durationMs: tookMs(pair)
          })
        const plan = planOfEvent(draft, [], values, make, tokenAfter(target, draft))
        return {
          events: plan.events,
          told: (placed, branch) => {
            const { version, token } = plan.told(placed, branch)
            return { done: { ...done, version, token }, isAll }
          }
        }
      })
  }
}
