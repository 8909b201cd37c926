import { Effect } from "effect"
import { isJsonObject, type Json, type MaybeJson } from "../../base/json-value.ts"
import { mergePatch } from "../../base/merge-patch.ts"
import { applyPatch } from "../../base/patch.ts"
import { PatchFailed, type PatchOperation } from "../../base/patch-operation.ts"
import { formatPointer } from "../../base/pointer.ts"
import { uuid } from "../../base/uuid.ts"
import type { NewEvent, Placed } from "../../log/event.ts"
import type { BranchDraft, ChangeFields } from "../branch/draft.ts"
import type { BranchName } from "../branch/branch-state.ts"
import type { Plan, WriteFailure } from "../branch/writer.ts"
import { keysIn, valueIn } from "./keys.ts"
import { InvalidChange, PatchRefused, StateError, stateError } from "../error.ts"
import { StateChanged, StateCreated } from "../event.ts"
import { MAIN } from "../name.ts"
import { unknownBranch } from "../past/refs.ts"
import type { Selection } from "../store.ts"
import { isTier, type KeyId, keyProblem, placeOfKey, TIERS } from "../tier.ts"

/** What a write has come to. */
export interface Written {
  /** Of the branch, after it. */
  readonly version: number
  readonly hash: string
  /** The keys that it changed, as RFC 6901 pointers; none where all was so already, and then nothing was appended. */
  readonly changed: ReadonlyArray<string>
  /** Names this version, as the token of a read does. */
  readonly token: string
}

export const pointerOfKey = (id: KeyId): string => {
  const { tier, key } = placeOfKey(id)
  return formatPointer([tier, key])
}

/** The event that begins a branch which is not there; only `main` does so by itself. */
export const beginning = (
  name: BranchName,
  draft: BranchDraft,
  agentType: string | undefined,
  template: ReadonlyMap<KeyId, MaybeJson> = new Map()
): Effect.Effect<ReadonlyArray<NewEvent>, StateError> => {
  if (draft.isLive) return Effect.succeed([])
  if (name.branch !== MAIN) return Effect.fail(unknownBranch(name))
  draft.begin(agentType)
  const [first, ...rest] = draft.change(template)
  const created = first ?? draft.unchanged()
  const type = agentType === undefined ? {} : { agentType }
  return Effect.succeed([
    StateCreated.make({ ...created, ...type }),
    ...rest.map((part) => StateChanged.make(part))
  ])
}

/** The events of a change: of several, the last says what it is. */
export const eventsOfChange = (
  parts: ReadonlyArray<ChangeFields>,
  make: (fields: ChangeFields) => NewEvent
): ReadonlyArray<NewEvent> => {
  const last = parts.at(-1)
  if (last === undefined) return []
  if (parts.length === 1) return [make(last)]
  const id = uuid()
  return [
    ...parts.slice(0, -1).map((part) => StateChanged.make({ ...part, partOf: id })),
    { ...make(last), id }
  ]
}

/** The values of keys that an update has merge patches for. */
export const updated = (
  draft: BranchDraft,
  update: ReadonlyMap<KeyId, Json>
): ReadonlyMap<KeyId, MaybeJson> =>
  new Map(
    [...update].map(([key, patch]) => [key, patch === null ? undefined : mergePatch(draft.value(key), patch)])
  )

/** The values of the keys that a patch changes; or why it cannot be applied. */
export const patched = (
  name: BranchName,
  draft: BranchDraft,
  patch: ReadonlyArray<PatchOperation>,
  selection: Selection
): ReadonlyMap<KeyId, MaybeJson> | InvalidChange | PatchRefused => {
  const before = draft.document(selection)
  try {
    const after = applyPatch(before as unknown as Json, patch)
    const problem = documentProblem(name, after)
    if (problem !== undefined) return problem
    const keys = new Set([...keysIn(before as unknown as Json), ...keysIn(after)])
    return new Map(
      [...keys].flatMap((key) => {
        const value = valueIn(after, key)
        return value === draft.value(key) ? [] : [[key, value] as const]
      })
    )
  } catch (thrown) {
    if (!(thrown instanceof PatchFailed)) throw thrown
    const { index, operation, kind, problem } = thrown
    const path = typeof operation?.path === "string" ? operation.path : ""
    return new PatchRefused({ ...placeOf(name), index, path, kind, problem, version: draft.version })
  }
}

const placeOf = ({ agent, branch }: BranchName) => ({ agent, branch })

/** Why a document is no state: it has the four tiers, each an object, and nothing else. */
const documentProblem = (name: BranchName, document: Json): InvalidChange | undefined => {
  const invalid = (path: string, problem: string) => new InvalidChange({ ...placeOf(name), path, problem })
  if (typeof document !== "object" || document === null || Array.isArray(document))
    return invalid("", "a state is an object of tiers")
  const state = document as Readonly<Record<string, Json>>
  const other = Object.keys(state).find((tier) => !isTier(tier))
  if (other !== undefined)
    return invalid(formatPointer([other]), `there is no such tier: a state has ${TIERS.join(", ")}`)
  for (const tier of TIERS) {
    const values = state[tier]
    if (!isJsonObject(values)) return invalid(formatPointer([tier]), "a tier is an object")
    const long = Object.keys(values)
      .map(keyProblem)
      .find((problem) => problem !== undefined)
    if (long !== undefined) return invalid(formatPointer([tier]), long)
  }
  return undefined
}

/** Names the version that a write has come to. */
export type TokenOf = (placed: Placed | undefined, branch: number, version: number) => string

/** What a change of values comes to: its events, none where nothing changes, and what its caller is told. */
export const planOfChange = (
  name: BranchName,
  draft: BranchDraft,
  first: ReadonlyArray<NewEvent>,
  values: ReadonlyMap<KeyId, MaybeJson>,
  make: (fields: ChangeFields) => NewEvent,
  tokenOf: TokenOf
): Effect.Effect<Plan<Written>, WriteFailure> =>
  Effect.try({
    try: () => {
      const before = valuesOf(draft, values)
      const parts = draft.change(values)
      return planOf(draft, [...first, ...eventsOfChange(parts, make)], before, tokenOf)
    },
    catch: (thrown) =>
      stateError(new InvalidChange({ ...placeOf(name), path: "", problem: messageOf(thrown) }))
  })

/** The same with an event whether values change or not; without `make`, none at all. */
export const planOfEvent = (
  draft: BranchDraft,
  first: ReadonlyArray<NewEvent>,
  values: ReadonlyMap<KeyId, MaybeJson>,
  make: ((fields: ChangeFields) => NewEvent) | undefined,
  tokenOf: TokenOf
): Plan<Written> => {
  const before = valuesOf(draft, values)
  if (make === undefined) return planOf(draft, first, before, tokenOf)
  const parts = draft.change(values)
  const events = eventsOfChange(parts.length === 0 ? [draft.unchanged()] : parts, make)
  return planOf(draft, [...first, ...events], before, tokenOf)
}

const valuesOf = (draft: BranchDraft, values: ReadonlyMap<KeyId, MaybeJson>) =>
  new Map([...values.keys()].map((key) => [key, draft.value(key)]))

const planOf = (
  draft: BranchDraft,
  events: ReadonlyArray<NewEvent>,
  before: ReadonlyMap<KeyId, MaybeJson>,
  tokenOf: TokenOf
): Plan<Written> => {
  const { version, hashText: hash } = draft
  const changed = [...before]
    .filter(([key, value]) => draft.value(key) !== value)
    .map(([key]) => pointerOfKey(key))
  return {
    events,
    told: (placed, branch) => ({ version, hash, changed, token: tokenOf(placed.at(-1), branch, version) })
  }
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

export const failing = (problem: InvalidChange | PatchRefused): Effect.Effect<never, StateError> =>
  Effect.fail(stateError(problem))
