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

/** Follows a branch of a state by the events of its stream, and tells what each has changed of what is watched. */
export class Watcher {
  private readonly scene: StateScene
  private readonly patterns: Patterns
  /** Some pattern names a whole tier, or the whole state. */
  private readonly isWide: boolean
  /** The branch after the event that was handled last; undefined where it is to be asked for. */
  private state: BranchState | undefined
  /** Where that was asked for, and a repair has passed over it since. */
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
    const before = yield* this.before(event)
    if (event.version < (this.passedOver?.repaired ?? 0)) return undefined
    const { keys, document } = this.seenBy(before, event)
    const after = yield* this.after(before, event)
    this.state = after
    const changes = pathChanges(this.patterns.globs, document, this.documentOf(after, keys))
    return changes.length === 0 ? undefined : this.told(event, after, changes)
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

  /** What is there of what an event may change, before it. */
  private seenBy(before: BranchState, { type, data }: Event) {
    const { patch } = data as { readonly patch?: ReadonlyArray<unknown> }
    const isWhole =
      REPAIRS.has(type) ||
      type === StateBranched.type ||
      type === StateCreated.type ||
      type === StateBranchDeleted.type
    const keys = isWhole ? undefined : keysOrNone(patch ?? [])
    return { keys, document: this.documentOf(before, keys) }
  }

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

/** What is none of ours is found out when it is applied. */
const keysOrNone = (patch: ReadonlyArray<unknown>): ReadonlySet<KeyId> => {
  try {
    return keysOfPatch(patch)
  } catch {
    return new Set()
  }
}
