import { Effect, type Scope, Semaphore } from "effect"
import type { Event } from "../log/event.ts"
import type { BranchState } from "../state/branch/branch-state.ts"
import type { StateFailure, StateParts, StateScene } from "../state/parts.ts"
import { unionOf } from "../state/store.ts"
import { Follower, type Seen } from "./follower.ts"
import type { Patterns, Sought } from "./patterns.ts"
import { type Told, toldOf } from "./state-change.ts"

/** How much of what was seen is kept for the watches of a branch that are behind, in events and in bytes of JSON: a slower one goes on alone. */
export const KEPT_EVENTS = 64
const KEPT_BYTES = 1_024 * 1_024

/** One watch's part in a branch that several may watch. */
export interface Part {
  /** What was seen before it came is none of its own: what it begins with may be known otherwise by now. */
  readonly since: number
  /** The last version that it has asked for. */
  at: number
  readonly patterns: Patterns
}

/** What was seen of an event. */
interface Kept {
  readonly seen: Seen
  /** What it comes to, by patterns: most watches of a branch have the same. */
  readonly told: Map<string, Told>
  /** How many have not asked for it yet. */
  left: number
}

/** A branch that is followed once for all its watches in this engine. */
export class Followed {
  private readonly scene: StateScene
  private readonly follower: Follower
  private readonly parts = new Set<Part>()
  private readonly kept = new Map<number, Kept>()
  private readonly turns = Semaphore.makeUnsafe(1)
  private sought: Sought | undefined
  private bytes = 0

  constructor(scene: StateScene) {
    this.scene = scene
    this.follower = new Follower(scene, () => (this.sought ??= this.together()))
  }

  get isWatched(): boolean {
    return this.parts.size > 0
  }

  /** Nothing was seen of it yet. */
  get isNew(): boolean {
    return this.follower.version === undefined
  }

  join(patterns: Patterns): Part {
    const since = this.follower.version ?? 0
    const part: Part = { since, at: since, patterns }
    this.parts.add(part)
    this.sought = undefined
    return part
  }

  leave(part: Part): void {
    this.parts.delete(part)
    this.sought = undefined
    for (const [version, kept] of this.kept) if (version > part.at) this.take(version, kept)
  }

  begin(state: BranchState): void {
    this.follower.begin(state)
  }

  /** What an event comes to; undefined where it was seen, and that is not kept any more. */
  readonly told = Effect.fnUntraced({ self: this }, function* (event: Event, part: Part): Effect.fn.Return<
    Told | undefined,
    StateFailure
  > {
    const { version } = event
    if (!this.isSeen(version)) yield* this.turns.withPermits(1)(this.see(event))
    const kept = this.kept.get(version)
    if (version > part.at) {
      part.at = version
      if (kept !== undefined) this.take(version, kept)
    }
    if (kept === undefined) return undefined
    const { id } = part.patterns
    const known = kept.told.get(id)
    if (known !== undefined) return known
    const told = toldOf(this.scene, part.patterns, event, kept.seen)
    kept.told.set(id, told)
    return told
  })

  private isSeen(version: number): boolean {
    return version <= (this.follower.version ?? 0)
  }

  private see(event: Event): Effect.Effect<void, StateFailure> {
    return Effect.suspend(() =>
      // Somebody has meanwhile.
      this.isSeen(event.version)
        ? Effect.void
        : Effect.map(this.follower.seen(event), (seen) =>
            this.keep({ seen, told: new Map(), left: this.parts.size })
          )
    )
  }

  private keep(kept: Kept): void {
    this.kept.set(kept.seen.version, kept)
    this.bytes += kept.seen.bytes
    for (const [oldest, { seen }] of this.kept) {
      // The last one is what is asked for.
      if (this.kept.size === 1 || (this.kept.size <= KEPT_EVENTS && this.bytes <= KEPT_BYTES)) return
      this.drop(oldest, seen)
    }
  }

  private take(version: number, kept: Kept): void {
    kept.left -= 1
    if (kept.left <= 0) this.drop(version, kept.seen)
  }

  private drop(version: number, { bytes }: Seen): void {
    if (this.kept.delete(version)) this.bytes -= bytes
  }

  /** What all its watches look for. */
  private together(): Sought {
    const all = [...this.parts].map(({ patterns }) => patterns)
    return {
      selection: unionOf(all.map(({ selection }) => selection)),
      isWide: all.some(({ isWide }) => isWide)
    }
  }
}

const branches = new WeakMap<StateParts, Map<string, Followed>>()

/** The branch, as it is followed for all who watch it, and a part in it for the time of the scope. */
export const followed = (
  scene: StateScene,
  patterns: Patterns
): Effect.Effect<readonly [Followed, Part], never, Scope.Scope> => {
  const { parts, name } = scene
  const all = branches.get(parts) ?? new Map<string, Followed>()
  branches.set(parts, all)
  return Effect.acquireRelease(
    Effect.sync(() => {
      const branch = all.get(name.stream) ?? new Followed(scene)
      all.set(name.stream, branch)
      return [branch, branch.join(patterns)] as const
    }),
    ([branch, part]) =>
      Effect.sync(() => {
        branch.leave(part)
        if (!branch.isWatched) all.delete(name.stream)
      })
  )
}
