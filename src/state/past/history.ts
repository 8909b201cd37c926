import { Effect } from "effect"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { BranchState } from "../branch/branch-state.ts"
import { keysOfPatch } from "../change/keys.ts"
import { refProblem } from "../name.ts"
import type { StateFailure, StateScene } from "../parts.ts"
import { headOf } from "./reading.ts"
import { type RefLike, refOf } from "./ref.ts"
import { type Node, NOTHING, type PastEvent } from "../store.ts"
import type { KeyId } from "../tier.ts"
import { pointerOfKey } from "../change/writing.ts"

export interface HistoryOptions {
  /** Of this branch; of the one that is asked, by default. */
  readonly branch?: string
  /** Up to this version; to the newest by default. */
  readonly of?: RefLike
  /** 50 by default, 1 000 at most. */
  readonly limit?: number
  /** Only what lies before this position: that of the last entry gives the next page. */
  readonly before?: number
}

/** What happened to a state. */
export interface HistoryEntry {
  /** The branch that it happened to: the state of a branch goes on from that of another. */
  readonly branch: string
  readonly version: number
  readonly position: number
  /** The id of its event; that of a commit names it. */
  readonly id: string
  readonly type: string
  readonly at: Date
  readonly actor: string | undefined
  readonly reason: string | undefined
  /** Of a commit. */
  readonly message: string | undefined
  readonly author: string | undefined
  /** The keys that it changed, as RFC 6901 pointers. */
  readonly changed: ReadonlyArray<string>
  /** The hash of the state after it, where it says so. */
  readonly hash: string | undefined
  /** What it made, or took over: the version that a branch began with or that was merged, or restored. */
  readonly source:
    | {
        /** Of a synchronisation: whose state it was. */
        readonly agent?: string
        readonly branch: string
        readonly version: number
      }
    | undefined
}

const DEFAULT_LIMIT = 50
const MOST = 1_000

/** What an event of a branch may say, as far as it is told. */
interface Said {
  readonly patch?: ReadonlyArray<unknown>
  readonly hash?: string
  readonly message?: string
  readonly author?: string
  readonly parent?: { readonly name: string; readonly version: number }
  readonly source?: { readonly agent?: string; readonly name: string; readonly version: number }
}

const changedBy = (patch: ReadonlyArray<unknown>): ReadonlyArray<KeyId> => {
  try {
    return [...keysOfPatch(patch)]
  } catch {
    return []
  }
}

const sourceOf = ({ agent, name, version }: NonNullable<Said["source"]>) => ({
  ...(agent === undefined ? {} : { agent }),
  branch: name,
  version
})

export const entryOf = ({ data, meta, recordedAt, ...event }: PastEvent): HistoryEntry => {
  const { patch = [], hash, message, author, parent, source = parent } = data as Said
  const { branch, version, position, id, type } = event
  return {
    branch,
    version,
    position,
    id,
    type,
    at: recordedAt,
    actor: meta.actor,
    reason: meta.reason,
    message,
    author,
    changed: changedBy(patch).map(pointerOfKey),
    hash,
    source: source && sourceOf(source)
  }
}

/** The version that is meant, looked at; the newest where none is named. */
export const versionOf = Effect.fnUntraced(function* (
  scene: StateScene,
  of: RefLike | undefined
): Effect.fn.Return<BranchState, StateFailure> {
  const { parts, name } = scene
  const node = yield* parts.refs.node(name, of === undefined ? {} : refOf(of))
  if (node !== undefined) return yield* parts.refs.at(name, node, NOTHING)
  const branch = of === undefined ? undefined : refOf(of).branch
  if (branch === undefined || branch === name.branch) return yield* headOf(scene)
  return yield* headOf({ ...scene, name: parts.named(name.agent, branch) })
})

export const nodeOf = ({ id, version }: BranchState): Node => ({ branch: id, version })

/** What is kept ready knows a version, and what led to it. */
export const ready = ({ parts }: StateScene, ...states: ReadonlyArray<BranchState>) =>
  parts.store.caughtUp(Math.max(...states.map(({ position }) => position)))

/** What is kept ready knows the branch of a version: a branch is numbered by the position of its beginning. */
export const begun = ({ parts }: StateScene, ...states: ReadonlyArray<BranchState>) =>
  parts.store.caughtUp(Math.max(...states.map(({ id }) => id)))

export const historyOf = Effect.fnUntraced(function* (
  scene: StateScene,
  { branch, of, limit = DEFAULT_LIMIT, before }: HistoryOptions
): Effect.fn.Return<ReadonlyArray<HistoryEntry>, StateFailure> {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST)
    return yield* logError(
      new InvalidArgument({ problem: `The limit is ${limit}: give a whole number from 1 to ${MOST}` })
    )
  const problem = branch === undefined ? undefined : refProblem("branch", branch)
  if (problem !== undefined) return yield* logError(problem)
  const name = branch === undefined ? scene.name : scene.parts.named(scene.name.agent, branch)
  const state = yield* versionOf({ ...scene, name }, of)
  if (state.version === 0) return []
  yield* ready(scene, state)
  return (yield* scene.parts.store.history(nodeOf(state), limit, before)).map(entryOf)
})
