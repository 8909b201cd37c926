import type { MaybeJson } from "../../base/json-value.ts"
import { isSameJson } from "../../base/json-value.ts"
import type { PatchOperation } from "../../base/patch-operation.ts"
import { deepFrozen } from "../../base/frozen.ts"
import type { BranchState, KeyState } from "./branch-state.ts"
import { patchOfKey } from "../change/keys.ts"
import { SEMANTICS } from "../event.ts"
import { hashText, withEntry } from "./hash.ts"
import type { Selection } from "../store.ts"
import { documentOf, type KeyId, placeOfKey, type StateValues, type Tier, TIERS } from "../tier.ts"

/** What an event says of a change. */
export interface ChangeFields {
  readonly semantics: number
  readonly patch: ReadonlyArray<PatchOperation>
  readonly hash: string
}

const only = (values: StateValues, tiers: ReadonlyArray<Tier>): Partial<StateValues> =>
  Object.fromEntries(tiers.map((tier) => [tier, values[tier]]))

/** How much of a patch goes into one event, as JSON, unless a single key has more: half of what an event holds by default. */
const PART_CHARACTERS = 512 * 1024

/** A branch with changes that are worked out, one on the other, and not in the log yet. */
export class BranchDraft {
  readonly state: BranchState
  /** The version that the branch will have, once they are in the log. */
  version: number
  hash: bigint
  isLive: boolean
  agentType: string | undefined
  session: string | undefined
  private readonly changed: Map<KeyId, KeyState>

  constructor(state: BranchState, changed: ReadonlyMap<KeyId, KeyState> = new Map()) {
    this.state = state
    this.version = state.version
    this.hash = state.hash
    this.isLive = state.isLive
    this.agentType = state.agentType
    this.session = state.session
    this.changed = new Map(changed)
  }

  /** Another one, which goes on from here. */
  fork(): BranchDraft {
    const other = new BranchDraft(this.state, this.changed)
    other.version = this.version
    other.hash = this.hash
    other.isLive = this.isLive
    other.agentType = this.agentType
    other.session = this.session
    return other
  }

  /** All keys that it changes, as they are then. */
  get keys(): ReadonlyMap<KeyId, KeyState> {
    return this.changed
  }

  key(id: KeyId): KeyState {
    return this.changed.get(id) ?? this.state.key(id)
  }

  value(id: KeyId): MaybeJson {
    return this.key(id).value
  }

  /** What a selection names. */
  document({ tiers, keys }: Selection): StateValues {
    const single = keys.filter((key) => !tiers.includes(placeOfKey(key).tier))
    const values = single.map((key) => [key, this.value(key)] as const)
    return tiers.length === 0
      ? documentOf(values)
      : { ...documentOf(values), ...only(this.values(tiers), tiers) }
  }

  /** What is known of some tiers. */
  values(tiers: ReadonlyArray<Tier> = TIERS): StateValues {
    const kept = [...this.state.entries(tiers)].filter(([id]) => !this.changed.has(id))
    const changed = [...this.changed].filter(([id]) => tiers.includes(placeOfKey(id).tier))
    return documentOf([...kept, ...changed.map(([id, { value }]) => [id, value] as const)])
  }

  /** The next event of the branch, which changes nothing. */
  note(): void {
    this.version += 1
  }

  get hashText(): string {
    return hashText(this.hash)
  }

  /** The branch begins, with its next event. */
  begin(agentType: string | undefined): void {
    this.isLive = true
    this.agentType = agentType
  }

  /**
   * The next event of the branch, which gives keys these values; those that have them already are left as they are. Several events,
   * where it is too much for one; none where nothing changes.
   */
  change(values: ReadonlyMap<KeyId, MaybeJson>): ReadonlyArray<ChangeFields> {
    const parts: Array<ChangeFields> = []
    let patch: Array<PatchOperation> = []
    let size = 0
    const end = (): void => {
      this.version += 1
      parts.push({ semantics: SEMANTICS, patch, hash: hashText(this.hash) })
      patch = []
      size = 0
    }
    for (const [id, value] of values) {
      const before = this.key(id)
      if (isSameJson(before.value, value)) continue
      const operations = patchOfKey(id, before.value, deepFrozen(value))
      const length = operations.reduce((sum, operation) => sum + JSON.stringify(operation).length, 0)
      if (patch.length > 0 && size + length > PART_CHARACTERS) end()
      patch.push(...operations)
      size += length
      this.set(id, before, value)
    }
    if (patch.length > 0) end()
    return parts
  }

  /** The next event of the branch, which changes nothing of its values. */
  unchanged(): ChangeFields {
    this.version += 1
    return { semantics: SEMANTICS, patch: [], hash: hashText(this.hash) }
  }

  private set(id: KeyId, before: KeyState, value: MaybeJson): void {
    const entry = this.state.hasher!.entry(placeOfKey(id), value)
    this.hash = withEntry(this.hash, before.hash, entry.hash)
    this.changed.set(id, { value, ...entry })
  }
}
