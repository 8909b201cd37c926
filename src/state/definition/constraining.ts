import { createHash } from "node:crypto"
import { Effect } from "effect"
import { canonicalJson } from "../../base/canonical-json.ts"
import type { JsonObject, MaybeJson } from "../../base/json-value.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { StateInvalid, stateError } from "../error.ts"
import type { Conflict } from "../merge/conflict.ts"
import type { StateFailure, StateScene } from "../parts.ts"
import { documentOf, type KeyId, type StateValues, type Tier } from "../tier.ts"

const only = (values: StateValues, tiers: ReadonlyArray<Tier>): Partial<StateValues> =>
  Object.fromEntries(tiers.map((tier) => [tier, values[tier]]))

/** What the tiers of a branch would be that a schema of this engine says something of. */
export const checkedAfter = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  agentType: string | undefined,
  values: ReadonlyMap<KeyId, MaybeJson>
): Effect.fn.Return<Partial<StateValues>, StateFailure> {
  const tiers = parts.definitions.checkedTiers(name.agent, agentType)
  if (tiers.length === 0) return {}
  const state = yield* parts.branches.read(parts.branches.of(name), { tiers, keys: [] }, true)
  const kept = [...state.entries(tiers)].filter(([key]) => !values.has(key))
  return only(documentOf([...kept, ...values]), tiers)
})

/** Where a state would not be what its type declares, as this engine has it in code: as conflicts of whole tiers. */
export const constraints = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  values: ReadonlyMap<KeyId, MaybeJson>
): Effect.fn.Return<ReadonlyArray<Conflict>, StateFailure> {
  const { parts, name } = scene
  const after = yield* checkedAfter(scene, head.agentType, values)
  return parts.definitions.problems(name.agent, head.agentType, after).map(({ tier, problem }): Conflict => ({
    path: `/${tier}`,
    kind: "constraint",
    base: undefined,
    ours: undefined,
    theirs: undefined,
    problem,
    digest: digestOf(after[tier as Tier]!)
  }))
})

const digestOf = (values: JsonObject): string =>
  createHash("sha256").update(canonicalJson(values)).digest("hex")

/** Fails where a branch with these values would not be what its type declares. */
export const fits = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  { agentType }: BranchState,
  values: ReadonlyMap<KeyId, MaybeJson>
): Effect.fn.Return<void, StateFailure> {
  const after = yield* checkedAfter({ parts, name, agentType }, agentType, values)
  const [wrong] = parts.definitions.problems(name.agent, agentType, after)
  const { agent, branch } = name
  if (wrong !== undefined) yield* stateError(new StateInvalid({ agent, branch, ...wrong }))
})
