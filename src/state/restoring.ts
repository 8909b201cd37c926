import { Effect } from "effect"
import type { MaybeJson } from "../base/json-value.ts"
import { tokenAfter } from "./changing.ts"
import { partsOf } from "./checkpointing.ts"
import { stateError, UnknownCheckpoint } from "./error.ts"
import { StateRestored } from "./event.ts"
import { nodeOf, ready, versionOf } from "./history.ts"
import type { ByWhom, StateFailure, StateScene } from "./parts.ts"
import { type Prepared, whileStill } from "./prepared.ts"
import type { RefLike } from "./ref.ts"
import type { Node } from "./store.ts"
import type { KeyId } from "./tier.ts"
import { planOfChange, type Written } from "./writing.ts"

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

const sourceOf = Effect.fnUntraced(function* (
  scene: StateScene,
  from: Restorable
): Effect.fn.Return<Source, StateFailure> {
  if (!isCheckpoint(from)) return nodeOf(yield* versionOf(scene, from))
  const checkpoint = typeof from === "string" ? from : from.checkpoint
  const parts = yield* partsOf(scene.parts, checkpoint)
  const { agent } = scene.name
  const part = parts.find((one) => one.agent === agent)
  if (part !== undefined) return { branch: part.branch, version: part.version, checkpoint }
  const agents = parts.map((one) => JSON.stringify(one.agent)).join(", ")
  const detail = `it is of ${agents}, and not of ${JSON.stringify(agent)}`
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
      const { parts, name } = scene
      yield* ready(scene, head)
      const to: Node = { branch, version }
      const keys = yield* parts.store.changedKeys(to, nodeOf(head))
      const then = yield* parts.refs.at(name, to, { tiers: [], keys })
      const values = new Map<KeyId, MaybeJson>(
        keys.flatMap((key) => {
          const value = then.value(key)
          return merged && value === undefined ? [] : [[key, value] as const]
        })
      )
      const of = checkpoint === undefined ? {} : { checkpoint }
      return {
        selection: { tiers: [], keys },
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
