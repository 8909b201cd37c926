import { parsePointer } from "../../base/pointer.ts"
import { REPAIRS, StateMerged, StateSynced } from "../event.ts"
import type { Vector } from "../merge/history.ts"
import { keyId, type KeyId, placeOfKey, type Tier } from "../tier.ts"

/** What a branch knows of others as far as a key is concerned, and from which of its versions on. */
interface Met {
  readonly known: Vector
  readonly since: number
}

/** What a synchronisation says of what is known from it on. */
interface SyncedData {
  readonly known: ReadonlyArray<{
    readonly keys: ReadonlyArray<string>
    readonly branches: Readonly<Record<string, number>>
  }>
}

/** After these, what is known of keys is not what their own synchronisations say. */
const OTHERWISE_KNOWN: ReadonlySet<string> = new Set([...REPAIRS, StateMerged.type])

/** About how many bytes an entry of a vector takes. */
const ENTRY_BYTES = 16

/** How the keys of a branch have met those of others, as far as that was asked for, or its events have said it since. */
export class Meetings {
  /** About how many bytes it takes. */
  bytes = 0
  private readonly met = new Map<KeyId, Met>()
  private readonly gone = new Map<Tier, Set<KeyId>>()

  /** What is known of others at a version, not older than what is asked of; undefined where that is to be asked for. */
  known(key: KeyId, version: number): Vector | undefined {
    const met = this.met.get(key)
    return met === undefined || met.since > version ? undefined : met.known
  }

  learn(key: KeyId, known: Vector, since: number): void {
    const size = (of: Vector | undefined): number =>
      of === undefined ? 0 : key.length + of.size * ENTRY_BYTES
    this.bytes += size(known) - size(this.met.get(key)?.known)
    this.met.set(key, { known, since })
  }

  /** The keys of some tiers that were removed; undefined where these are to be asked for. */
  goneOf(tiers: ReadonlyArray<Tier>): ReadonlyArray<KeyId> | undefined {
    const sets = tiers.map((tier) => this.gone.get(tier))
    return sets.includes(undefined) ? undefined : sets.flatMap((set) => [...set!])
  }

  learnGone(tiers: ReadonlyArray<Tier>, keys: ReadonlyArray<KeyId>): void {
    for (const tier of tiers) this.gone.set(tier, new Set())
    for (const key of keys) this.gone.get(placeOfKey(key).tier)?.add(key)
  }

  changed(key: KeyId, isAbsent: boolean): void {
    const gone = this.gone.get(placeOfKey(key).tier)
    if (isAbsent) gone?.add(key)
    else gone?.delete(key)
  }

  /** Nobody can tell whether a key is there. */
  lost(key: KeyId): void {
    this.gone.delete(placeOfKey(key).tier)
  }

  /** The next event of the branch. */
  follow(type: string, data: unknown, version: number): void {
    if (OTHERWISE_KNOWN.has(type)) return this.forget()
    if (type !== StateSynced.type) return
    for (const { keys, branches } of (data as SyncedData).known) {
      const known = new Map(Object.entries(branches).map(([branch, upTo]) => [Number(branch), upTo]))
      for (const pointer of keys) {
        const [tier, key] = parsePointer(pointer)!
        const id = keyId(tier as Tier, key!)
        this.learn(id, known, version)
        // It may be one that others have removed, and this branch has never had: then others are to hear of it by this one.
        this.gone.get(tier as Tier)?.add(id)
      }
    }
  }

  forget(): void {
    this.met.clear()
    this.gone.clear()
    this.bytes = 0
  }
}
