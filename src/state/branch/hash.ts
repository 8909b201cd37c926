import { createHmac } from "node:crypto"
import { canonicalJson } from "../../base/canonical-json.ts"
import type { MaybeJson } from "../../base/json-value.ts"
import type { KeyPlace } from "../tier.ts"

const HASH_BITS = 256n
const MODULUS = 1n << HASH_BITS
const HEX_DIGITS = Number(HASH_BITS / 4n)

/** The hash of a state without a key. */
export const EMPTY_HASH = 0n

/** What a key adds to a state. */
export interface Entry {
  /** … to its hash; nothing where the key is absent. */
  readonly hash: bigint
  /** … to its size, as JSON. */
  readonly bytes: number
}

const NO_ENTRY: Entry = { hash: EMPTY_HASH, bytes: 0 }

/**
 * The hash of a state is the sum, modulo 2^256, of the keyed hashes of its entries `[tier, key, value]` in canonical JSON: a change
 * hashes anew only the keys that it touches (an incremental hash after Bellare and Micciancio, 1997). It finds what was damaged; it
 * is no proof against forgery. Each agent has a key of its own, kept outside the log, so that no hash outlives its value.
 */
export class StateHasher {
  private readonly secret: Buffer

  constructor(secret: Buffer) {
    this.secret = secret
  }

  entry({ tier, key }: KeyPlace, value: MaybeJson): Entry {
    if (value === undefined) return NO_ENTRY
    const text = canonicalJson([tier, key, value])
    const hash = BigInt(`0x${createHmac("sha256", this.secret).update(text).digest("hex")}`)
    return { hash, bytes: text.length }
  }
}

/** A hash after an entry has taken the place of another. */
export const withEntry = (hash: bigint, before: bigint, after: bigint): bigint =>
  (((hash - before + after) % MODULUS) + MODULUS) % MODULUS

export const hashText = (hash: bigint): string => hash.toString(16).padStart(HEX_DIGITS, "0")

export const hashOfText = (text: string): bigint => BigInt(`0x${text}`)
