import { Effect } from "effect"
import type { MaybeJson } from "../../base/json-value.ts"
import { BranchDraft, type ChangeFields } from "../branch/draft.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { fits } from "../definition/constraining.ts"
import { tokenAfter } from "../change/changing.ts"
import { partsOf } from "./checkpointing.ts"
import { stateError, UnknownCheckpoint } from "../error.ts"
import { StateRestored } from "../event.ts"
import { begun, nodeOf, versionOf } from "../past/history.ts"
import type { ByWhom, StateFailure, StateParts, StateScene } from "../parts.ts"
import { type Prepared, whileStill } from "../branch/prepared.ts"
import type { RefLike } from "../past/ref.ts"
import { type Node, NOTHING } from "../store.ts"
import type { KeyId } from "../tier.ts"
import { writeTogether } from "../branch/together.ts"
import { planOfChange, planOfEvent, type Written } from "../change/writing.ts"

export interface RestoreOptions extends ByWhom {
  /** Keep the keys that were not there then. Default: false. */
  readonly merge?: boolean
}

/** What a state is restored from: a checkpoint, or any version. */
export type Restorable = string | { readonly checkpoint: string } | RefLike

interface Source extends Node {
  readonly checkpoint?: string
}

const isCheckpoint = (from: Restorable): from is string | { readonly checkpoint: string } =>
  typeof from === "string" || (typeof from === "object" && "checkpoint" in from)

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => JSON.stringify(name)).join(", ")

const sourceOf = Effect.fnUntraced(function* (
  scene: StateScene,
  from: Restorable
): Effect.fn.Return<Source, StateFailure> {
  if (!isCheckpoint(from)) return nodeOf(yield* versionOf(scene, from))
  const checkpoint = typeof from === "string" ? from : from.checkpoint
  const parts = yield* partsOf(scene.parts, checkpoint)
  const { agent, branch } = scene.name
  const own = parts.filter((one) => one.agent === agent)
  // Of several others, none is more likely to be meant than the rest.
  const part = own.find(({ name }) => name === branch) ?? (own.length === 1 ? own[0] : undefined)
  if (part !== undefined) return { branch: part.branch, version: part.version, checkpoint }
  const detail =
    own.length === 0
      ? `it is of ${quoted(parts.map((one) => one.agent))}, and not of ${JSON.stringify(agent)}`
      : `of ${JSON.stringify(agent)} it has the branches ${quoted(own.map(({ name }) => name))}, and not ${JSON.stringify(branch)}`
  return yield* stateError(new UnknownCheckpoint({ checkpoint, detail }))
})

/** Makes a branch what a state was at a version. */
export const restoreState = Effect.fnUntraced(function* (
  scene: StateScene,
  from: Restorable,
  { merge = false, ...by }: RestoreOptions
): Effect.fn.Return<Written, StateFailure> {
  const source = yield* sourceOf(scene, from)
  return yield* restoreTo(scene, source, merge, by)
})

/** What a restore comes to on a branch that is at some version: the keys that differ, as they are to be. */
const restored = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  to: Node,
  merged: boolean
): Effect.fn.Return<ReadonlyMap<KeyId, MaybeJson>, StateFailure> {
  const { parts, name } = scene
  const source = to.branch === head.id ? head : yield* parts.refs.at(name, to, NOTHING)
  yield* begun(scene, head, source)
  const keys = yield* parts.store.changedKeys(to, nodeOf(head))
  const then = yield* parts.refs.at(name, to, { tiers: [], keys })
  const values = new Map(
    keys.flatMap((key) => {
      const value = then.value(key)
      return merged && value === undefined ? [] : [[key, value] as const]
    })
  )
  yield* fits(scene, head, values)
  return values
})

/** Makes every branch that a checkpoint names what it was then, in one append; how each stands after that. */
export const restoreTogether = Effect.fnUntraced(function* (
  parts: StateParts,
  checkpoint: string,
  { merge = false, ...by }: RestoreOptions
): Effect.fn.Return<
  ReadonlyArray<Written & { readonly agent: string; readonly branch: string }>,
  StateFailure
> {
  const sources = yield* partsOf(parts, checkpoint)
  const scenes = sources.map(({ agent, name }): StateScene => ({
    parts,
    name: parts.named(agent, name),
    agentType: undefined
  }))
  return yield* writeTogether(scenes, by, (drafts) =>
    Effect.gen(function* () {
      const plans = yield* Effect.forEach(scenes, (scene, at) =>
        Effect.gen(function* () {
          const { branch, version } = sources[at]!
          const to: Node = { branch, version }
          const { state } = drafts[at]!
          const values = yield* restored(scene, state, to, merge)
          const selection = { tiers: [], keys: [...values.keys()] }
          const known = yield* parts.refs.at(scene.name, nodeOf(state), selection)
          const draft = new BranchDraft(known)
          const make = (fields: ChangeFields) =>
            StateRestored.make({ ...fields, to, merged: merge, checkpoint })
          // Where it has moved meanwhile, the append finds out.
          return { plan: planOfEvent(draft, [], values, make, tokenAfter(scene, draft)), id: known.id }
        })
      )
      return {
        events: plans.map(({ plan }) => plan.events),
        told: (placed) =>
          plans.map(({ plan, id }, at) => {
            const { agent, branch } = scenes[at]!.name
            return { agent, branch, ...plan.told(placed[at]!, id) }
          })
      }
    })
  )
})

const restoreTo = (
  scene: StateScene,
  { branch, version, checkpoint }: Source,
  merged: boolean,
  by: ByWhom
): Effect.Effect<Written, StateFailure> =>
  whileStill(
    scene,
    by,
    Effect.fnUntraced(function* (head): Effect.fn.Return<Prepared<Written>, StateFailure> {
      const { name } = scene
      const to: Node = { branch, version }
      const values = yield* restored(scene, head, to, merged)
      const of = checkpoint === undefined ? {} : { checkpoint }
      return {
        selection: { tiers: [], keys: [...values.keys()] },
        plan: (draft) =>
          planOfChange(
            name,
            draft,
            [],
            values,
            (fields) => StateRestored.make({ ...fields, to, merged, ...of }),
            tokenAfter(scene, draft)
          )
      }
    })
  )
