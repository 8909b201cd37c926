import { Effect, type Scope } from "effect"
import type { Event } from "../log/event.ts"
import type { BranchState } from "../state/branch/branch-state.ts"
import type { StateFailure, StateScene } from "../state/parts.ts"
import { type Followed, followed, type Part } from "./followed.ts"
import { Follower } from "./follower.ts"
import type { Patterns } from "./patterns.ts"
import { type StateChange, type Told, toldOf } from "./state-change.ts"

/**
 * Tells what each event of a branch has changed of what is watched. What there was before and after is worked out once for all watches of
 * the branch in this engine; one that is behind the others works it out for itself, until it has caught up.
 */
export class Watcher {
  private readonly scene: StateScene
  private readonly patterns: Patterns
  private readonly followed: Followed
  private readonly part: Part
  /** While it is behind. */
  private own: Follower | undefined
  /** What the last event came to: it may be asked of again. */
  private last: Told | undefined

  private constructor(scene: StateScene, patterns: Patterns, [branch, part]: readonly [Followed, Part]) {
    this.scene = scene
    this.patterns = patterns
    this.followed = branch
    this.part = part
  }

  /** A watcher for the time of the scope. */
  static make(scene: StateScene, patterns: Patterns): Effect.Effect<Watcher, never, Scope.Scope> {
    return Effect.map(followed(scene, patterns), (joined) => new Watcher(scene, patterns, joined))
  }

  /** The branch of the event that was looked at last. */
  get branch(): number {
    return this.last?.branch ?? 0
  }

  /** Nothing was seen of the branch yet, by whoever watches it. */
  get isFirst(): boolean {
    return this.followed.isNew
  }

  /** Begins with the branch as it was loaded, so that the first event costs no question; those that follow it already are not behind its head. */
  begin(state: BranchState, isHead: boolean): void {
    if (this.followed.isNew) this.followed.begin(state)
    else if (!isHead) this.alone().begin(state)
  }

  /** What an event has changed; undefined where that is nothing of what is watched. It may be asked of the same event again. */
  readonly change = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    StateChange | undefined,
    StateFailure
  > {
    if (this.last?.version !== event.version) this.last = yield* this.told(event)
    return this.last.change
  })

  private readonly told = Effect.fnUntraced({ self: this }, function* (event: Event): Effect.fn.Return<
    Told,
    StateFailure
  > {
    const { scene, patterns, part } = this
    // What the others know of an event that a repair has passed over meanwhile is nothing to who begins with one before it.
    const isAbreast = event.version > part.since && this.own?.isPassedOver !== true
    const shared = isAbreast ? yield* this.followed.told(event, part) : undefined
    if (shared === undefined) return toldOf(scene, patterns, event, yield* this.alone().seen(event))
    this.own = undefined
    return shared
  })

  private alone(): Follower {
    this.own ??= new Follower(this.scene, () => this.patterns)
    return this.own
  }
}
