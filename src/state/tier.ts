import type { Json, JsonObject } from "../base/json-value.ts"
import type { Path } from "../base/pointer.ts"

/** The four parts of an agent's state: its own, shared with others, of the present session, and lasting. */
export const TIERS = ["local", "shared", "session", "persistent"] as const
export type Tier = (typeof TIERS)[number]

/** The values of an agent's state, by tier. */
export type StateValues = Readonly<Record<Tier, JsonObject>>

/** A part of a state: a top-level key of a tier. State is kept, hashed and merged by these. */
export interface KeyPlace {
  readonly tier: Tier
  readonly key: string
}

/** In UTF-8: keys are kept ready by an index, which takes no much longer ones. */
export const MAX_KEY_BYTES = 1_024

/** Why a key cannot be called so, or undefined. */
export const keyProblem = (key: string): string | undefined => {
  const bytes = Buffer.byteLength(key)
  return bytes <= MAX_KEY_BYTES
    ? undefined
    : `the name of a key has ${bytes} bytes, and may have ${MAX_KEY_BYTES}: put what is long into its value`
}

/** A key in one text, for maps. No tier has a "/" in its name, so no two keys share one. */
export type KeyId = string

export const keyId = (tier: Tier, key: string): KeyId => `${tier}/${key}`

export const placeOfKey = (id: KeyId): KeyPlace => {
  const at = id.indexOf("/")
  return { tier: id.slice(0, at) as Tier, key: id.slice(at + 1) }
}

export const isTier = (name: unknown): name is Tier => TIERS.includes(name as Tier)

/** The key that a path lies in or names; undefined for the whole state, a whole tier, and what lies in none. */
export const keyOfPath = ([tier, key]: Path): KeyId | undefined =>
  isTier(tier) && key !== undefined ? keyId(tier, key) : undefined

/** Values by key as a document: only the tiers and keys that there are values for. */
export const documentOf = (values: Iterable<readonly [KeyId, Json | undefined]>): StateValues => {
  const tiers: Record<Tier, Record<string, Json>> = { local: {}, shared: {}, session: {}, persistent: {} }
  for (const [id, value] of values) {
    if (value === undefined) continue
    const { tier, key } = placeOfKey(id)
    // A key may be called as what every object inherits is.
    Object.defineProperty(tiers[tier], key, { value, enumerable: true, configurable: true, writable: true })
  }
  return tiers
}
