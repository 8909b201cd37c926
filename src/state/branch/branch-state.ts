import type { MaybeJson } from "../../base/json-value.ts"
import { deepFrozen } from "../../base/frozen.ts"
import { afterPatch, keysOfPatch } from "../change/keys.ts"
import { Meetings } from "./meetings.ts"
import { EMPTY_HASH, hashOfText, hashText, type StateHasher, withEntry } from "./hash.ts"
import type { Fault, LoadedKey, Selection, TailEvent } from "../store.ts"
import { documentOf, type KeyId, placeOfKey, type StateValues, type Tier, TIERS } from "../tier.ts"

/** A key of a branch, as it is known. */
export interface KeyState {
  readonly value: MaybeJson
  /** What it adds to the hash of the state, and to its size. */
  readonly hash: bigint
  readonly bytes: number
}

const ABSENT: KeyState = { value: undefined, hash: EMPTY_HASH, bytes: 0 }

/** What a key takes in memory, as far as it is counted: that it is absent is known by its name. */
const sizeOf = (id: KeyId, state: KeyState | undefined): number => {
  if (state === undefined) return 0
  return state.value === undefined ? id.length : state.bytes
}

/** What an event that changes a state says. */
interface ChangeData {
  readonly patch: ReadonlyArray<unknown>
  readonly hash: string
}

/** What a branch is called, and where it is written. */
export interface BranchName {
  readonly agent: string
  readonly branch: string
  readonly stream: string
}

/** A change that is worked out, and not appended yet. */
export interface Worked {
  readonly keys: ReadonlyMap<KeyId, KeyState>
  readonly hash: bigint
}

/** A branch at a version, as far as it is known: some of its keys, or all of some tiers. */
export class BranchState {
  readonly name: BranchName
  /** The position of the event that began it; 0 where it has not begun. */
  id = 0
  version = 0
  position = 0
  hash = EMPTY_HASH
  isLive = false
  /** From where on it is damaged. */
  fault: Fault | undefined
  agentType: string | undefined
  session: string | undefined
  hasher: StateHasher | undefined
  /** How its keys have met those of others. */
  readonly meetings = new Meetings()
  /** About how large what is known of its values is, as JSON. */
  bytes = 0
  private readonly keys = new Map<KeyId, KeyState>()
  private readonly whole = new Set<Tier>()

  constructor(name: BranchName) {
    this.name = name
  }

  /** Whether the keys of a selection are known. */
  knows(selection: Selection): boolean {
    const { tiers, keys } = selection
    return tiers.every((tier) => this.whole.has(tier)) && keys.every((key) => this.isKnown(key))
  }

  private put(id: KeyId, state: KeyState): void {
    // Where all of a tier is known, what is not there is known as well: nothing is kept of it.
    const kept = state.value === undefined && this.whole.has(placeOfKey(id).tier) ? undefined : state
    this.bytes += sizeOf(id, kept) - sizeOf(id, this.keys.get(id))
    if (kept === undefined) this.keys.delete(id)
    else this.keys.set(id, kept)
  }

  private isKnown(key: KeyId): boolean {
    return this.keys.has(key) || this.whole.has(placeOfKey(key).tier)
  }

  /** A key; one that is not known is taken for absent. */
  key(id: KeyId): KeyState {
    return this.keys.get(id) ?? ABSENT
  }

  value(id: KeyId): MaybeJson {
    return this.key(id).value
  }

  /** What is known of some tiers. */
  values(tiers: ReadonlyArray<Tier> = TIERS): StateValues {
    return documentOf(this.entries(tiers))
  }

  /** The keys that are there, of some tiers. */
  *entries(tiers: ReadonlyArray<Tier> = TIERS): Iterable<readonly [KeyId, MaybeJson]> {
    for (const [id, { value }] of this.keys)
      if (value !== undefined && tiers.includes(placeOfKey(id).tier)) yield [id, value]
  }

  /** A new branch at its beginning: it has no key, so that all are known. */
  begin(id: number, version: number): void {
    this.id = id
    this.version = version
    this.position = id
    this.hash = EMPTY_HASH
    this.isLive = true
    this.fault = undefined
    this.session = undefined
    this.forgetAll()
    for (const tier of TIERS) this.whole.add(tier)
  }

  /** The same without a key. What is written from now on is not in it. */
  outline(): BranchState {
    const { name, id, version, position, hash, isLive, fault, agentType, session, hasher } = this
    const same = { id, version, position, hash, isLive, fault, agentType, session, hasher }
    return Object.assign(new BranchState(name), same)
  }

  /** A new branch at its beginning, with what another had. */
  branchFrom(parent: BranchState, { version, position }: Pick<TailEvent, "version" | "position">): void {
    // Somebody who read on has seen it already.
    if (version <= this.version) return
    this.begin(position, version)
    this.hash = parent.hash
    this.agentType = parent.agentType
    this.session = parent.session
    this.whole.clear()
    for (const tier of parent.whole) this.whole.add(tier)
    for (const [id, state] of parent.keys) this.put(id, state)
  }

  /** Keys as they are at this version, of which all were asked for that the selection names. */
  learn(selection: Selection, loaded: Iterable<readonly [KeyId, KeyState]>): void {
    for (const [id, state] of loaded) this.put(id, state)
    for (const tier of selection.tiers) this.whole.add(tier)
    for (const key of selection.keys) if (!this.isKnown(key)) this.put(key, ABSENT)
  }

  /** What another knows of the same branch at the same version. */
  learnFrom(other: BranchState, selection: Selection): void {
    this.learn(selection, other.keys)
  }

  /**
   * The next event of its stream. Where that is not what it was when it was appended, the branch is at fault from there on, and nothing
   * that comes after counts but its end: whatever a repair makes of it is asked for anew.
   */
  apply(event: TailEvent): void {
    if (event.version <= this.version) return
    if (this.fault !== undefined) {
      if (event.type !== "StateBranchDeleted") return
      this.isLive = false
      this.version = event.version
      this.position = event.position
      return
    }
    switch (event.type) {
      case "StateCreated":
        this.begin(event.position, event.version)
        this.agentType = (event.data as { readonly agentType?: string }).agentType
        break
      case "StateBranchDeleted":
        this.isLive = false
        break
      case "StateSessionStarted":
        this.session = (event.data as { readonly session: string }).session
        break
      case "StateSessionEnded":
        this.session = undefined
        break
    }
    const { patch } = event.data as Partial<ChangeData>
    if (patch !== undefined) this.change(event, event.data as ChangeData)
    if (this.fault !== undefined) return
    this.meetings.follow(event.type, event.data, event.version)
    this.version = event.version
    this.position = event.position
  }

  /** From a repair on it is again what it was at a good version. */
  repairedFrom(good: BranchState, { version, position }: Pick<TailEvent, "version" | "position">): void {
    this.fault = undefined
    this.version = version
    this.position = position
    if (good === this) return
    this.session = good.session
    this.hash = good.hash
    this.forgetAll()
    this.learn({ tiers: [...good.whole], keys: [] }, good.keys)
  }

  /** A change that was worked out on this version is in the log. */
  accept({ keys, hash }: Worked, { version, position }: Pick<TailEvent, "version" | "position">): void {
    if (version <= this.version) return
    this.changed(keys)
    this.hash = hash
    this.version = version
    this.position = position
  }

  /** Works out what values come to. */
  work(values: ReadonlyMap<KeyId, MaybeJson>): Worked {
    const keys = new Map<KeyId, KeyState>()
    let { hash } = this
    for (const [id, value] of values) {
      const entry = this.hasher?.entry(placeOfKey(id), value) ?? { hash: EMPTY_HASH, bytes: 0 }
      hash = withEntry(hash, this.key(id).hash, entry.hash)
      keys.set(id, { value: deepFrozen(value), ...entry })
    }
    return { keys, hash }
  }

  private change(event: TailEvent, { patch, hash }: ChangeData): void {
    const damaged = (detail: string): void => {
      const { version, position } = event
      this.fault = { version, position, detail, good: version - 1, repaired: null }
    }
    try {
      // Without the secret of its agent nothing is worked out here: all of it is asked for again.
      const lost = lostBy(patch, (key) => this.hasher !== undefined && this.isKnown(key))
      const own = lost.size === 0 ? patch : patch.filter((operation) => !touchesAny(operation, lost))
      const worked = this.work(afterPatch(own, (key) => this.value(key)))
      const isWhole = lost.size === 0 && this.hasher !== undefined
      if (isWhole && hashText(worked.hash) !== hash) return damaged("its patch and its hash do not agree")
      this.changed(worked.keys)
      for (const key of lost) this.forget(key)
      this.hash = hashOfText(hash)
    } catch (thrown) {
      damaged(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }

  private changed(keys: ReadonlyMap<KeyId, KeyState>): void {
    for (const [id, state] of keys) {
      this.put(id, state)
      this.meetings.changed(id, state.value === undefined)
    }
  }

  private forgetAll(): void {
    this.keys.clear()
    this.whole.clear()
    this.meetings.forget()
    this.bytes = 0
  }

  /** What cannot be followed is to be asked for again. */
  private forget(key: KeyId): void {
    this.bytes -= sizeOf(key, this.keys.get(key))
    this.keys.delete(key)
    this.meetings.lost(key)
    this.whole.delete(placeOfKey(key).tier)
  }
}

const touchesAny = (operation: unknown, keys: ReadonlySet<KeyId>): boolean =>
  [...keysOfPatch([operation])].some((key) => keys.has(key))

/** The keys of which it cannot be told what a patch makes of them: those that are not known, and what it moves between these and others. */
const lostBy = (patch: ReadonlyArray<unknown>, isKnown: (key: KeyId) => boolean): ReadonlySet<KeyId> => {
  const lost = new Set([...keysOfPatch(patch)].filter((key) => !isKnown(key)))
  for (let before = 0; lost.size > before;) {
    before = lost.size
    for (const operation of patch)
      if (touchesAny(operation, lost)) for (const key of keysOfPatch([operation])) lost.add(key)
  }
  return lost
}

/** A loaded key as it is kept in memory. */
export const keyState = (
  { id, hash, value, bytes, patches }: LoadedKey,
  hasher: StateHasher | undefined
): readonly [KeyId, KeyState] => {
  let current: MaybeJson = value
  for (const patch of patches) {
    const own = patch.filter((operation) => keysOfPatch([operation]).has(id))
    current = afterPatch(own, () => current).get(id)
  }
  const entry = hash ?? hasher?.entry(placeOfKey(id), current).hash ?? EMPTY_HASH
  return [id, { value: deepFrozen(current), hash: entry, bytes }]
}
