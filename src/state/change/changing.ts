import { Effect } from "effect"
import type { MaybeJson } from "../../base/json-value.ts"
import type { NewEvent, Placed } from "../../log/event.ts"
import { BranchDraft, type ChangeFields } from "../branch/draft.ts"
import type { Plan } from "../branch/writer.ts"
import { InvalidChange, PatchRefused, StateInvalid, stateError } from "../error.ts"
import { StateChanged } from "../event.ts"
import { Given, type StateUpdate } from "./given.ts"
import { type ByWhom, type StateFailure, type StateScene, sound, stateToken, submit } from "../parts.ts"
import { type Base, baseOf, rebased } from "./rebasing.ts"
import { NOTHING, type Selection, unionOf } from "../store.ts"
import type { KeyId } from "../tier.ts"
import { beginning, failing, patched, planOfChange, updated, type Written } from "./writing.ts"

export interface ChangeOptions extends ByWhom {
  /** The token of the read that the change was made on: what came since then is merged with it. */
  readonly base?: string
}

/** Names the version that a write has come to. */
export const tokenAfter =
  (scene: StateScene, before: { readonly state: { readonly position: number } }) =>
  (placed: Placed | undefined, branch: number, version: number): string =>
    stateToken(scene, { branch, version }, placed?.position ?? before.state.position)

/** What a change looks at, and what it comes to on the branch as it is then. */
export interface Changing {
  readonly selection: Selection
  readonly plan: (draft: BranchDraft) => Effect.Effect<Plan<Written>, StateFailure>
}

/** The values of keys that a change comes to on some state. */
type ValuesOf = (draft: BranchDraft) => ReadonlyMap<KeyId, MaybeJson> | InvalidChange | PatchRefused

/** How values are merged into a state. */
export const updating = Effect.fnUntraced(function* (
  scene: StateScene,
  given: StateUpdate,
  options: ChangeOptions
): Effect.fn.Return<Changing, StateFailure> {
  const update = yield* sound(new Given(scene.name).update(given))
  const selection = { tiers: [], keys: [...update.keys()] }
  return yield* changing(scene, options, selection, (draft) => updated(draft, update))
})

/** How an RFC 6902 patch is applied to a state. */
export const patching = Effect.fnUntraced(function* (
  scene: StateScene,
  given: ReadonlyArray<unknown>,
  options: ChangeOptions
): Effect.fn.Return<Changing, StateFailure> {
  const asked = new Given(scene.name)
  const patch = yield* sound(asked.patch(given))
  const selection = asked.selectionOfPatch(patch)
  return yield* changing(scene, options, selection, (draft) => patched(scene.name, draft, patch, selection))
})

/** Merges values into a state. */
export const updateState = (scene: StateScene, given: StateUpdate, options: ChangeOptions) =>
  Effect.flatMap(updating(scene, given, options), ({ selection, plan }) =>
    submit(scene, options, selection, plan)
  )

/** Applies an RFC 6902 patch to a state. */
export const patchState = (scene: StateScene, given: ReadonlyArray<unknown>, options: ChangeOptions) =>
  Effect.flatMap(patching(scene, given, options), ({ selection, plan }) =>
    submit(scene, options, selection, plan)
  )

/** Where a change is made on a base, its values are those that it has there, merged with what came since. */
const changing = Effect.fnUntraced(function* (
  scene: StateScene,
  { base: token, ...by }: ChangeOptions,
  selection: Selection,
  valuesOf: ValuesOf
): Effect.fn.Return<Changing, StateFailure> {
  const template = yield* scene.parts.definitions.template(scene.agentType)
  const base = token === undefined ? undefined : yield* baseOf(scene, token, selection)
  const checked = yield* checkedBy(scene)
  const plan: Changing["plan"] = (draft) =>
    Effect.gen(function* () {
      const first = yield* beginning(scene.name, draft, scene.agentType, template)
      const on = base === undefined ? draft : baseDraft(draft, base)
      const values = valuesOf(on)
      if (values instanceof InvalidChange || values instanceof PatchRefused) return yield* failing(values)
      const wanted = base === undefined ? values : yield* rebased(scene, draft, base, values, by)
      const change = yield* planOfChange(
        scene.name,
        draft,
        first,
        wanted,
        changed(base),
        tokenAfter(scene, draft)
      )
      return yield* fit(scene, draft, checked, change)
    })
  return { selection: unionOf([selection, checked]), plan }
})

const baseDraft = (draft: BranchDraft, { state }: Base): BranchDraft => {
  const on = new BranchDraft(state)
  on.agentType = draft.agentType
  return on
}

const changed =
  (base: Base | undefined) =>
  (fields: ChangeFields): NewEvent =>
    StateChanged.make(base === undefined ? fields : { ...fields, base: base.node })

/** What a schema of this engine looks at before the branch is written. */
const checkedBy = Effect.fnUntraced(function* ({
  parts: { branches, definitions, loader },
  name,
  agentType
}: StateScene): Effect.fn.Return<Selection, StateFailure> {
  if (!definitions.hasChecks) return NOTHING
  // What is loaded here is not kept: within a transaction it may never come to be.
  const state = branches.known(branches.of(name)) ?? (yield* loader.head(name, NOTHING))
  return { tiers: definitions.checkedTiers(name.agent, state.agentType ?? agentType), keys: [] }
})

/** The plan, where what it comes to is what the type of the state declares. */
const fit = (
  { parts: { definitions }, name: { agent, branch } }: StateScene,
  draft: BranchDraft,
  checked: Selection,
  plan: Plan<Written>
): Effect.Effect<Plan<Written>, StateFailure> => {
  if (checked.tiers.length === 0) return Effect.succeed(plan)
  const values = draft.document({ tiers: checked.tiers, keys: [] })
  const looked = Object.fromEntries(checked.tiers.map((tier) => [tier, values[tier]]))
  const [wrong] = definitions.problems(agent, draft.agentType, looked)
  return wrong === undefined
    ? Effect.succeed(plan)
    : Effect.fail(stateError(new StateInvalid({ agent, branch, ...wrong })))
}
