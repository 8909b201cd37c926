import { Effect } from "effect"
import type { Placed } from "../log/event.ts"
import type { BranchDraft, ChangeFields } from "./branch-draft.ts"
import { InvalidChange, PatchRefused } from "./error.ts"
import { StateChanged } from "./event.ts"
import { Given, type StateUpdate } from "./given.ts"
import { type ByWhom, type StateFailure, type StateScene, sound, stateToken, submit } from "./parts.ts"
import { beginning, failing, patched, planOfChange, updated, type Written } from "./writing.ts"

export interface ChangeOptions extends ByWhom {
  /** The token of the read that the change was made on: what came since then is merged with it. */
  readonly base?: string
}

/** Names the version that a write has come to. */
export const tokenAfter =
  (scene: StateScene, before: BranchDraft) =>
  (placed: Placed | undefined, branch: number, version: number): string =>
    stateToken(scene, { branch, version }, placed?.position ?? before.state.position)

const changed = (fields: ChangeFields) => StateChanged.make(fields)

/** Merges values into a state. */
export const updateState = Effect.fnUntraced(function* (
  scene: StateScene,
  given: StateUpdate,
  options: ChangeOptions
): Effect.fn.Return<Written, StateFailure> {
  const { name } = scene
  const update = yield* sound(new Given(name).update(given))
  const selection = { tiers: [], keys: [...update.keys()] }
  return yield* submit(scene, options, selection, (draft) =>
    Effect.flatMap(beginning(name, draft, scene.agentType), (first) =>
      planOfChange(name, draft, first, updated(draft, update), changed, tokenAfter(scene, draft))
    )
  )
})

/** Applies an RFC 6902 patch to a state. */
export const patchState = Effect.fnUntraced(function* (
  scene: StateScene,
  given: ReadonlyArray<unknown>,
  options: ChangeOptions
): Effect.fn.Return<Written, StateFailure> {
  const { name } = scene
  const asked = new Given(name)
  const patch = yield* sound(asked.patch(given))
  const selection = asked.selectionOfPatch(patch)
  return yield* submit(scene, options, selection, (draft) =>
    Effect.gen(function* () {
      const first = yield* beginning(name, draft, scene.agentType)
      const values = patched(name, draft, patch, selection)
      if (values instanceof InvalidChange || values instanceof PatchRefused) return yield* failing(values)
      return yield* planOfChange(name, draft, first, values, changed, tokenAfter(scene, draft))
    })
  )
})
