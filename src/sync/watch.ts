import { Effect, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import { decodeToken } from "../base/token.ts"
import { isServerGone } from "../postgres/error.ts"
import type { Event } from "../log/event.ts"
import { InvalidArgument, logError } from "../log/error.ts"
import { ProjectionBehind, ProjectionError } from "../projection/error.ts"
import type { BranchState } from "../state/branch/branch-state.ts"
import { MAIN } from "../state/name.ts"
import { type StateFailure, type StateScene, stateToken } from "../state/parts.ts"
import { unknownBranch } from "../state/past/refs.ts"
import { type Node, NOTHING, type Selection } from "../state/store.ts"
import { patternsOf } from "./patterns.ts"
import { Presence } from "./presence.ts"
import type { StateChange } from "./state-change.ts"
import { Watcher } from "./watcher.ts"

/** Handles what one event has changed; what it returns is waited for, an effect is run. */
export type ChangeHandler<Context = unknown> = (change: StateChange, context: Context) => unknown

/** What is to be subscribed to, and what handles its events. */
export interface Watch<Context = unknown> {
  readonly streams: readonly [string]
  /** A token to go on from, where one was given. */
  readonly from: string | undefined
  readonly handler: (event: Event, context: Context) => Effect.Effect<void, unknown>
  /** Where to go on from when all is handled up to a position. */
  readonly tokenAt: (position: number) => string
}

export interface WatchFrom {
  /** A token to go on from. Default: from now on. */
  readonly from?: string | undefined
  /** Its place is kept under this name, and may be known: then nothing is asked about where it is to begin. */
  readonly name?: string | undefined
}

const NOWHERE: Node = { branch: 0, version: 0 }

/** The server, or the read model, will answer later. */
const isPassing = (failure: StateFailure): boolean =>
  isServerGone(failure) || (failure instanceof ProjectionError && failure.reason instanceof ProjectionBehind)

/** Tries again until the server answers: what is looked up for a handler is not the handler's fault. */
const patiently = Effect.fnUntraced(function* <A>(
  asked: Effect.Effect<A, StateFailure>
): Effect.fn.Return<A, StateFailure> {
  for (let failures = 0; ; failures += 1) {
    const result = yield* Effect.result(asked)
    if (result._tag === "Success") return result.success
    if (!isPassing(result.failure)) return yield* result.failure
    yield* Effect.sleep(backoffMs(failures))
  }
})

/** Where a watch begins, and the branch as it is there; undefined where nobody had written it. */
type Beginning = readonly [node: Node, state: BranchState | undefined]

/** The version of this branch that a token names. */
const atToken = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  token: string,
  selection: Selection
): Effect.fn.Return<Beginning, StateFailure> {
  // Of a state that nobody had written.
  const nothing = decodeToken(token)?.of
  if (name.branch === MAIN && nothing?.branch === 0 && nothing.version === 0)
    return yield* Effect.as(parts.log.resolve(token), [nothing, undefined] as const)
  const node = yield* parts.refs.token(name, token)
  const state = yield* parts.loader.at(node, selection)
  // From what a repair has passed over it goes on; what is damaged still says nothing.
  if (state.fault?.repaired === null && state.isLive) return yield* parts.refs.corrupt(state)
  if (state.name.stream === name.stream) return [node, state]
  const problem = `The token is of the branch ${JSON.stringify(state.name.branch)}, and ${JSON.stringify(name.branch)} is watched: watch that one, or from a token of this one`
  return yield* logError(new InvalidArgument({ problem }))
})

/** The version that the branch is at; with what is selected, where that is to be kept. */
const atHead = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  selection: Selection | undefined
): Effect.fn.Return<Beginning, StateFailure> {
  const head = yield* selection === undefined
    ? parts.branches.read(parts.branches.of(name), NOTHING, true)
    : parts.loader.head(name, selection)
  if (!head.isLive && name.branch !== MAIN) return yield* unknownBranch(name)
  if (head.fault !== undefined) return yield* parts.refs.corrupt(head)
  // What this engine writes with is not to be followed with.
  return [{ branch: head.id, version: head.version }, selection === undefined ? undefined : head]
})

/**
 * Watches paths of a branch, from now on or from a token, for the time of the scope, in which others see that it is watched.
 * Patterns are RFC 6901 pointers, in which `*` is any one part and `**` any number.
 * Subscribe with what it gives. Fails with InvalidArgument, UnknownBranch, UnknownRef, StateCorrupt, LogRewound.
 */
export const watch = Effect.fnUntraced(function* <Context>(
  scene: StateScene,
  paths: ReadonlyArray<string>,
  handler: ChangeHandler<Context>,
  { from, name }: WatchFrom = {}
): Effect.fn.Return<Watch<Context>, StateFailure, Scope.Scope | Presence> {
  const patterns = patternsOf(paths)
  if (patterns instanceof Error) return yield* logError(patterns)
  if (typeof handler !== "function")
    return yield* logError(new InvalidArgument({ problem: "The handler is not a function" }))
  const watcher = yield* Watcher.make(scene, patterns)
  let node = NOWHERE
  if (name === undefined) {
    const { selection } = patterns
    const [began, state] = yield* from === undefined
      ? atHead(scene, watcher.isFirst ? selection : undefined)
      : atToken(scene, from, selection)
    node = began
    if (state !== undefined) watcher.begin(state, from === undefined)
  }
  const { agent, branch } = scene.name
  yield* (yield* Presence).attend({ agent, branch, paths, name })
  return {
    streams: [scene.name.stream],
    from,
    handler: Effect.fnUntraced(function* (event, context) {
      const change = yield* patiently(watcher.change(event))
      if (change !== undefined) {
        const handled = handler(change, context)
        if (Effect.isEffect(handled)) yield* handled as Effect.Effect<unknown, unknown>
        else yield* Effect.tryPromise({ try: async () => handled, catch: (thrown) => thrown })
      }
      node = { branch: watcher.branch, version: event.version }
    }),
    tokenAt: (position) => stateToken(scene, node, position)
  }
})
