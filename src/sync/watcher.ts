import { Effect } from "effect"
import type { Event } from "../log/event.ts"
import type { Json } from "../base/json-value.ts"
import { BranchState } from "../state/branch/branch-state.ts"
import { StateHasher } from "../state/branch/hash.ts"
import { keysOfPatch } from "../state/change/keys.ts"
import { REPAIRS, StateBranchDeleted, StateBranched, StateCreated } from "../state/event.ts"
import { matches } from "../state/merge/glob.ts"
import { type StateFailure, type StateScene, stateToken } from "../state/parts.ts"
import type { Fault, Node } from "../state/store.ts"
import { documentOf, type KeyId, TIERS } from "../state/tier.ts"
import { type PathChange, pathChanges } from "./path-changes.ts"
import type { Patterns } from "./patterns.ts"

/** What one event has changed of what is watched; it is never told in parts. */
export interface StateChange {
  /** Where something is not what it was, with both values. */
  readonly changes: ReadonlyArray<PathChange>
  readonly agent: string
  readonly branch: string
  readonly version: number
  /** Who did it, and why. */
  readonly actor: string | undefined
  readonly reason: string | undefined
  readonly at: Date
  readonly event: Event
  /** Names the state after it, and where to go on from. Kept together with what was done about the change, nothing comes twice or is missed. */
  readonly token: string
}

/** What an event has to do with what is watched. */
interface Seen {
  readonly version: number
  readonly before: Json
  readonly after: Json
  readonly state: BranchState
}

/** Follows a branch of a state by the events of its stream, and tells what each has changed of what is watched. */
export class Watcher {
  private readonly scene: StateScene
  private readonly patterns: Patterns
  /** Some pattern names a whole tier, or the whole state. */
  private readonly isWide: boolean
  /** The branch after the event that was handled last; undefined where it is to be asked for. */
  private state: BranchState | undefined
  /** What the last event was about: it may be asked of again. */
  private last: Seen | undefined
  /** Where the branch was asked for, and a repair has passed over that since. */
  private passedOver: Fault | undefined

  constructor(scene: StateScene, patterns: Patterns) {
    this.scene = scene
    this.patterns = patterns
    this.isWide = patterns.globs.some(
      (glob) =>
        glob.at(-1) !== "**" && [[], ...TIERS.map((tier) => [tier])].some((path) => matches(glob, path))
    )
  }

  /** The branch of the event that was looked at last. */
  get branch(): number {
    return this.state?.id ?? 0
  }

  /** What an event has changed; undefined where that is nothing of what is watched. It may be asked of the same event again. */
  readonly change = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    StateChange | undefined,
    StateFailure
  > {
    const seen = this.last?.version === event.version ? this.last : yield* this.looked(event)
    if (seen === undefined) return undefined
    this.last = seen
    const { before, after, state } = seen
    const changes = pathChanges(this.patterns.globs, before, after)
    return changes.length === 0 ? undefined : this.told(event, state, changes)
  })

  /** What there was before an event, and after it; undefined where it does not count. */
  private readonly looked = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    Seen | undefined,
    StateFailure
  > {
    const state = yield* this.before(event)
    const { passedOver } = this
    if (event.version < (passedOver?.repaired ?? 0)) {
      this.state = state
      return undefined
    }
    const keys = keysChangedBy(event)
    // Whoever was told of what the repair took back has to hear what is there now: what it was told is not known any more.
    const before = passedOver === undefined ? this.documentOf(state, keys) : documentOf([])
    const after = yield* this.after(state, event)
    this.state = after
    return { version: event.version, before, after: this.documentOf(after, keys), state: after }
  })

  /** The branch before an event. */
  private readonly before = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    BranchState,
    StateFailure
  > {
    const { parts, name } = this.scene
    const { selection } = this.patterns
    const known = this.state
    if (known !== undefined && known.version === event.version - 1 && known.knows(selection)) return known
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
    if (keys === undefined || this.isWide) return state.values()
    return documentOf([...keys].map((key) => [key, state.value(key)] as const))
  }

  /** The branch after an event. */
  private after(before: BranchState, event: Event): Effect.Effect<BranchState, StateFailure> {
    const { position, version, type } = event
    if (type === StateBranched.type) return this.standing({ branch: position, version })
    if (!REPAIRS.has(type)) {
      before.apply({ ...event, recordedAt: event.recordedAt.getTime() })
      if (before.fault === undefined && before.knows(this.patterns.selection)) return Effect.succeed(before)
    }
    return this.standing({ branch: before.id, version })
  }

  /** The branch at a version, by what is known by now: where a repair has passed that over, it is as it was at the last good one. */
  private readonly standing = Effect.fnUntraced({ self: this }, function* (node: Node): Effect.fn.Return<
    BranchState,
    StateFailure
  > {
    const { loader, refs } = this.scene.parts
    const { selection } = this.patterns
    const state = yield* loader.at(node, selection)
    const { fault, isLive } = state
    this.passedOver = undefined
    if (fault === undefined || !isLive) return state
    if (fault.repaired === null) return yield* refs.corrupt(state)
    this.passedOver = fault
    return yield* loader.at({ branch: node.branch, version: fault.good }, selection)
  })

  private told(event: Event, { id: branch }: BranchState, changes: ReadonlyArray<PathChange>): StateChange {
    const { version, position, meta, recordedAt } = event
    const { agent, branch: name } = this.scene.name
    const { actor, reason } = meta
    const token = stateToken(this.scene, { branch, version }, position)
    return { changes, agent, branch: name, version, actor, reason, at: recordedAt, event, token }
  }
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
