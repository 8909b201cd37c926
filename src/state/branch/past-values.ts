import type { MaybeJson } from "../../base/json-value.ts"
import type { Node } from "../store.ts"
import type { KeyId } from "../tier.ts"
import type { BranchState } from "./branch-state.ts"

/** How many values are kept, and about how many bytes of them as JSON. */
const MOST_VALUES = 100_000
const MOST_BYTES = 16 * 1024 * 1024

interface Kept {
  /** Of this branch as it is followed: one that was loaded anew may be of what a repair has made of it. */
  readonly state: WeakRef<BranchState>
  readonly values: ReadonlyMap<KeyId, MaybeJson>
  readonly bytes: number
}

const nameOf = ({ branch, version }: Node): string => `${branch}.${version}`

/** What keys had at versions that others have met: the next time they meet, that is what both are merged against. */
export class PastValues {
  private readonly nodes = new Map<string, Kept>()
  private count = 0
  private bytes = 0

  /** Some keys of a branch as they are just now. */
  keep(state: BranchState, values: ReadonlyMap<KeyId, MaybeJson>): void {
    const name = nameOf({ branch: state.id, version: state.version })
    const before = this.of(name, state)
    const all = before === undefined ? values : new Map([...before.values, ...values])
    this.drop(name)
    const bytes = [...all.keys()].reduce((sum, key) => sum + state.key(key).bytes, 0)
    this.nodes.set(name, { state: new WeakRef(state), values: all, bytes })
    this.count += all.size
    this.bytes += bytes
    for (const oldest of this.nodes.keys()) {
      if (this.nodes.size === 1 || (this.count <= MOST_VALUES && this.bytes <= MOST_BYTES)) return
      this.drop(oldest)
    }
  }

  /** What keys had at a version of a branch; undefined where that is to be asked for. */
  find(node: Node, state: BranchState): ReadonlyMap<KeyId, MaybeJson> | undefined {
    const name = nameOf(node)
    const kept = this.of(name, state)
    if (kept === undefined) return undefined
    this.nodes.delete(name)
    this.nodes.set(name, kept)
    return kept.values
  }

  private of(name: string, state: BranchState): Kept | undefined {
    const kept = this.nodes.get(name)
    return kept?.state.deref() === state ? kept : undefined
  }

  private drop(name: string): void {
    const kept = this.nodes.get(name)
    if (kept === undefined) return
    this.count -= kept.values.size
    this.bytes -= kept.bytes
    this.nodes.delete(name)
  }
}
