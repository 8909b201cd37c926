import { Effect } from "effect"
import type { Event } from "../log/event.ts"
import type { Json } from "../base/json-value.ts"
import { BranchState } from "../state/branch/branch-state.ts"
import { StateHasher } from "../state/branch/hash.ts"
import { keysOfPatch } from "../state/change/keys.ts"
import { REPAIRS, StateBranchDeleted, StateBranched, StateCreated } from "../state/event.ts"
import type { StateFailure, StateScene } from "../state/parts.ts"
import type { Fault, Node } from "../state/store.ts"
import { documentOf, type KeyId } from "../state/tier.ts"
import type { Sought } from "./patterns.ts"

/** What an event has to do with a branch. */
export interface Seen {
  readonly version: number
  readonly branch: number
  /** What there was before the event and after it, of what it may have changed; undefined where it does not count. */
  readonly sides: readonly [before: Json, after: Json] | undefined
  /** About how large that is, as JSON. */
  readonly bytes: number
}

/** Follows a branch of a state by the events of its stream. */
export class Follower {
  private readonly scene: StateScene
  private readonly sought: () => Sought
  /** The branch after the event that was handled last; undefined where it is to be asked for. */
  private state: BranchState | undefined
  /** Where the branch was asked for, and a repair has passed over that since. */
  private passedOver: Fault | undefined

  /** What is sought may become more. */
  constructor(scene: StateScene, sought: () => Sought) {
    this.scene = scene
    this.sought = sought
  }

  /** The version that was looked at last, or began with; undefined where there is none. */
  get version(): number | undefined {
    return this.state?.version
  }

  /** What it began with is of what a repair passes over, and that is still to come. */
  get isPassedOver(): boolean {
    return this.passedOver !== undefined
  }

  /** Begins with a branch as it was loaded, where nothing is known yet, so that the first event costs no question. */
  begin(state: BranchState): void {
    if (state.fault === undefined) this.state ??= state
  }

  /** What the next event has changed. One that is not the next is asked of the server. */
  readonly seen = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    Seen,
    StateFailure
  > {
    const { version } = event
    const state = yield* this.before(event)
    const { passedOver } = this
    if (version < (passedOver?.repaired ?? 0)) {
      this.state = state
      return { version, branch: state.id, sides: undefined, bytes: 0 }
    }
    const keys = keysChangedBy(event)
    const bytesBefore = sizeOf(state, keys)
    // Whoever was told of what the repair took back has to hear what is there now: what it was told is not known any more.
    const before = passedOver === undefined ? this.documentOf(state, keys) : documentOf([])
    const after = yield* this.after(state, event)
    this.state = after
    const sides = [before, this.documentOf(after, keys)] as const
    return { version, branch: after.id, sides, bytes: bytesBefore + sizeOf(after, keys) }
  })

  /** The branch before an event. */
  private readonly before = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    BranchState,
    StateFailure
  > {
    const { parts, name } = this.scene
    const { selection } = this.sought()
    const known = this.state
    if (known !== undefined && known.version === event.version - 1 && known.knows(selection)) {
      known.hasher ??= new StateHasher(yield* parts.store.secret(name.agent))
      return known
    }
    this.passedOver = undefined
    const located =
      event.version === 1
        ? undefined
        : yield* parts.store.locate({ stream: name.stream, version: event.version - 1 })
    const state = located === undefined ? new BranchState(name) : yield* this.standing(located)
    state.hasher ??= new StateHasher(yield* parts.store.secret(name.agent))
    return state
  })

  private documentOf(state: BranchState, keys: ReadonlySet<KeyId> | undefined): Json {
    // A branch that was deleted has nothing, whatever its versions had.
    if (!state.isLive) return documentOf([])
    if (keys === undefined || this.sought().isWide) return state.values()
    return documentOf([...keys].map((key) => [key, state.value(key)] as const))
  }

  /** The branch after an event. */
  private after(before: BranchState, event: Event): Effect.Effect<BranchState, StateFailure> {
    const { position, version, type } = event
    if (type === StateBranched.type) return this.standing({ branch: position, version })
    if (!REPAIRS.has(type)) {
      before.apply({ ...event, recordedAt: event.recordedAt.getTime() })
      if (before.fault === undefined && before.knows(this.sought().selection)) return Effect.succeed(before)
    }
    return this.standing({ branch: before.id, version })
  }

  /** The branch at a version, by what is known by now: where a repair has passed that over, it is as it was at the last good one. */
  private readonly standing = Effect.fnUntraced({ self: this }, function* (node: Node): Effect.fn.Return<
    BranchState,
    StateFailure
  > {
    const { loader, refs } = this.scene.parts
    const { selection } = this.sought()
    const state = yield* loader.at(node, selection)
    const { fault, isLive } = state
    this.passedOver = undefined
    if (fault === undefined || !isLive) return state
    if (fault.repaired === null) return yield* refs.corrupt(state)
    this.passedOver = fault
    return yield* loader.at({ branch: node.branch, version: fault.good }, selection)
  })
}

/** After these, all of a branch may be another. */
const WHOLE: ReadonlySet<string> = new Set([
  ...REPAIRS,
  StateCreated.type,
  StateBranched.type,
  StateBranchDeleted.type
])

/** The keys that an event may have changed; undefined for all. What is none of ours is found out when it is applied. */
const keysChangedBy = ({ type, data }: Event): ReadonlySet<KeyId> | undefined => {
  if (WHOLE.has(type)) return undefined
  const { patch = [] } = data as { readonly patch?: ReadonlyArray<unknown> }
  try {
    return keysOfPatch(patch)
  } catch {
    return new Set()
  }
}

const sizeOf = (state: BranchState, keys: ReadonlySet<KeyId> | undefined): number =>
  keys === undefined ? state.bytes : [...keys].reduce((sum, key) => sum + state.key(key).bytes, 0)
