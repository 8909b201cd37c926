import { Effect } from "effect"
import { type LogError, logError, VersionConflict } from "../../log/error.ts"
import { BranchExists, BranchProtected, StateCorrupt, StateError, stateError } from "../error.ts"
import { StateBranchDeleted, StateBranched } from "../event.ts"
import { hashText } from "./hash.ts"
import { branchName } from "./loader.ts"
import { agentLabel, MAIN, refProblem } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene, stateToken, submit } from "../parts.ts"
import { versionOf } from "../past/history.ts"
import type { RefLike } from "../past/ref.ts"
import { unknownBranch } from "../past/refs.ts"
import { NOTHING } from "../store.ts"

export interface BranchOptions extends ByWhom {
  /** The version that it begins with; the newest by default. */
  readonly at?: RefLike
  readonly description?: string
}

/** A branch that was just made. */
export interface MadeBranch {
  readonly branch: string
  /** The branch and the version that it began with. */
  readonly from: { readonly branch: string; readonly version: number }
  readonly token: string
}

/** Makes a branch, which begins with what this one has at a version. One event, whatever the state's size. */
export const branchState = Effect.fnUntraced(function* (
  scene: StateScene,
  to: string,
  { at, description, ...by }: BranchOptions
): Effect.fn.Return<MadeBranch, StateFailure> {
  const { parts, name } = scene
  const problem = refProblem("branch", to)
  if (problem !== undefined) return yield* logError(problem)
  const target = branchName(name.agent, to)
  const taken = stateError(new BranchExists({ agent: name.agent, branch: to }))
  const { branches, log } = parts
  const from = yield* versionOf(scene, at)
  if (from.version === 0) return yield* unknownBranch(name)
  if (to === MAIN) return yield* taken
  const parent = { branch: from.id, name: from.name.branch, version: from.version }
  const event = StateBranched.make(
    { parent, hash: hashText(from.hash), ...(description === undefined ? {} : { description }) },
    { labels: [agentLabel(name.agent)] }
  )
  const begin = (expected: "none" | number) =>
    log.emit(target.stream, event, { expected, meta: metaOf(by) ?? {} })
  const beginAnew = Effect.flatMap(branches.read(branches.of(target), NOTHING, true), (known) =>
    known.isLive ? Effect.fail(taken) : orElse(begin(known.version), Effect.fail(taken))
  )
  // Where there was one that was deleted, it begins anew in the same stream.
  const { version, position } = yield* orElse(begin("none"), beginAnew)
  // What it has is asked of the log: since then its parent may have been repaired to before the version that it begins with.
  branches.forgetName(target)
  const { branch, version: forked } = { branch: parent.name, version: parent.version }
  const token = stateToken(scene, { branch: position, version }, position)
  return { branch: to, from: { branch, version: forked }, token }
})

/** Something else where somebody has written the stream already. */
const orElse = <A, E>(
  beginning: Effect.Effect<A, LogError>,
  other: Effect.Effect<A, E>
): Effect.Effect<A, E | LogError> =>
  Effect.catchIf(
    beginning,
    ({ reason }) => reason instanceof VersionConflict,
    () => other
  )

/** Ends a branch; its versions stay, and what began with one of them or was merged goes on. */
export const deleteBranch = Effect.fnUntraced(function* (
  scene: StateScene,
  branch: string,
  by: ByWhom
): Effect.fn.Return<void, StateFailure> {
  const { parts, name } = scene
  const { agent } = name
  const problem = refProblem("branch", branch)
  if (problem !== undefined) return yield* logError(problem)
  if (branch === MAIN) return yield* stateError(new BranchProtected({ agent, branch }))
  const target = { ...scene, parts, name: branchName(agent, branch) }
  const ended = submit(target, by, NOTHING, (draft) =>
    Effect.suspend(() => {
      if (!draft.isLive) return Effect.fail(unknownBranch(target.name))
      draft.note()
      draft.isLive = false
      return Effect.succeed({ events: [StateBranchDeleted.make({})], told: () => undefined })
    })
  )
  yield* Effect.catchIf(ended, isCorrupt, () => deleteDamaged(target, by))
})

const isCorrupt = (failure: StateFailure): boolean =>
  failure instanceof StateError && failure.reason instanceof StateCorrupt

/** What is damaged is written by nobody who knows it, so that its writer is not asked. */
const deleteDamaged = Effect.fnUntraced(function* (
  { parts: { log, store, branches, loader }, name }: StateScene,
  by: ByWhom
): Effect.fn.Return<void, StateFailure> {
  const event = StateBranchDeleted.make({}, { labels: [agentLabel(name.agent)] })
  for (;;) {
    const { head: expected } = yield* store.tail(name.stream, Number.MAX_SAFE_INTEGER)
    const { isLive } = yield* loader.head(name, NOTHING)
    if (!isLive) return yield* unknownBranch(name)
    const result = yield* Effect.result(log.emit(name.stream, event, { expected, meta: metaOf(by) ?? {} }))
    if (result._tag === "Success") return branches.forgetName(name)
    // Somebody who does not know it has written it meanwhile.
    if (!(result.failure.reason instanceof VersionConflict)) return yield* result.failure
  }
})
