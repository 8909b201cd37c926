import type { JsonObject } from "../../base/json-value.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { hashText } from "../branch/hash.ts"
import type { Selection } from "../store.ts"
import { documentOf, placeOfKey, type StateValues, TIERS } from "../tier.ts"

/** A state as it is, or was, at a version. Its values are frozen. */
export interface Snapshot extends StateValues {
  readonly agent: string
  readonly branch: string
  /** Of the branch: 1, 2, 3 … by every event of it; 0 where nothing was ever written. */
  readonly version: number
  /** Of the whole state, whatever was asked for: 64 hexadecimal digits. */
  readonly hash: string
  /** Names this version: as the base of an update, and for reading what was written by others. */
  readonly token: string
}

/** What was asked for of a state. */
export const snapshotOf = (state: BranchState, { tiers, keys }: Selection, token: string): Snapshot => {
  const whole = state.values(tiers)
  const single = documentOf(
    keys.filter((key) => !tiers.includes(placeOfKey(key).tier)).map((key) => [key, state.value(key)] as const)
  )
  const values = Object.fromEntries(
    TIERS.map((tier): [string, JsonObject] => [tier, tiers.includes(tier) ? whole[tier] : single[tier]])
  ) as StateValues
  const { agent, branch } = state.name
  return { ...values, agent, branch, version: state.version, hash: hashText(state.hash), token }
}
