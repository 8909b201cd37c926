import { Effect } from "effect"
import { logError, VersionConflict } from "../../log/error.ts"
import { TagExists, stateError } from "../error.ts"
import { StateCommitted, StateTagged, StateUntagged } from "../event.ts"
import { agentLabel, refProblem, tagStream } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene, stateToken, submit } from "../parts.ts"
import { versionOf } from "./history.ts"
import { type RefLike, refOf } from "./ref.ts"
import { NOTHING } from "../store.ts"
import { beginning } from "../change/writing.ts"

/** What a commit has come to. */
export interface Commit {
  /** Its id. */
  readonly commit: string
  readonly version: number
  readonly message: string
  readonly author: string
  readonly token: string
}

export interface CommitOptions extends ByWhom {
  /** Default: the actor, else "unknown". */
  readonly author?: string
}

const NOBODY = "unknown"

/** Names the state of a branch as it is. */
export const commitState = Effect.fnUntraced(function* (
  scene: StateScene,
  message: string,
  { author, ...by }: CommitOptions
): Effect.fn.Return<Commit, StateFailure> {
  const who = author ?? by.actor ?? NOBODY
  const meta = by.actor === undefined && author !== undefined ? { ...by, actor: author } : by
  const template = yield* scene.parts.definitions.template(scene.agentType)
  return yield* submit(scene, meta, NOTHING, (draft) =>
    Effect.map(beginning(scene.name, draft, scene.agentType, template), (first) => {
      draft.note()
      const { version } = draft
      return {
        events: [...first, StateCommitted.make({ message, author: who })],
        told: (placed, branch) => {
          const { id, position } = placed.at(-1)!
          const token = stateToken(scene, { branch, version }, position)
          return { commit: id, version, message, author: who, token }
        }
      }
    })
  )
})

/** A name for a version. */
export interface Tag {
  readonly tag: string
  readonly branch: string
  readonly version: number
}

export interface TagOptions extends ByWhom {
  /** Move it, where it is there already. Default: false. */
  readonly move?: boolean
}

/** Gives a version a name. */
export const tagState = Effect.fnUntraced(function* (
  scene: StateScene,
  tag: string,
  of: RefLike | undefined,
  { move = false, ...by }: TagOptions
): Effect.fn.Return<Tag, StateFailure> {
  const { parts, name } = scene
  const problem = refProblem("tag", tag)
  if (problem !== undefined) return yield* logError(problem)
  const ref = of === undefined ? {} : refOf(of)
  const state = yield* versionOf(scene, of)
  if (state.version === 0)
    return yield* parts.refs.unknown(name, "its newest version", "nothing was written yet")
  const stream = tagStream(name.agent, tag)
  const { branch } = state.name
  const commit = ref.commit === undefined ? {} : { commit: ref.commit }
  const tagged = StateTagged.make(
    { branch: state.id, name: branch, version: state.version, ...commit },
    { labels: [agentLabel(name.agent)] }
  )
  for (;;) {
    const last = (yield* parts.store.lasts([stream])).get(stream)
    if (last?.type === StateTagged.type && !move)
      return yield* stateError(new TagExists({ agent: name.agent, tag }))
    const options = { expected: last?.version ?? ("none" as const), meta: metaOf(by) ?? {} }
    const result = yield* Effect.result(parts.log.emit(stream, tagged, options))
    if (result._tag === "Success") return { tag, branch, version: state.version }
    // Somebody else has moved it meanwhile, or taken it away: whether it may be moved is asked anew.
    if (!(result.failure.reason instanceof VersionConflict)) return yield* result.failure
  }
})

/** Takes a name away; the version stays. */
export const untagState = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  tag: string,
  by: ByWhom
): Effect.fn.Return<void, StateFailure> {
  const problem = refProblem("tag", tag)
  if (problem !== undefined) return yield* logError(problem)
  const stream = tagStream(name.agent, tag)
  const untagged = StateUntagged.make({}, { labels: [agentLabel(name.agent)] })
  for (;;) {
    const last = (yield* parts.store.lasts([stream])).get(stream)
    if (last?.type !== StateTagged.type)
      return yield* parts.refs.unknown(name, `tag ${JSON.stringify(tag)}`, "there is no such tag")
    const options = { expected: last.version, meta: metaOf(by) ?? {} }
    const result = yield* Effect.result(parts.log.emit(stream, untagged, options))
    if (result._tag === "Success") return
    // Somebody else has moved it meanwhile, which does not keep it, or taken it away.
    if (!(result.failure.reason instanceof VersionConflict)) return yield* result.failure
  }
})
