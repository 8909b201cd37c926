import { Effect } from "effect"
import { isUuid } from "../../base/uuid.ts"
import { type Prepared, whileStill } from "../branch/prepared.ts"
import { stateError, UnknownBranch, UnknownCheckpoint } from "../error.ts"
import { StateCheckpointDropped, StateCheckpointed } from "../event.ts"
import { MAIN, refOfStream } from "../name.ts"
import type { ByWhom, StateFailure, StateScene } from "../parts.ts"
import { unknownBranch } from "../past/refs.ts"
import { NOTHING } from "../store.ts"

/** A checkpoint, and the stream that it was made in. */
interface Made {
  readonly checkpoint: string
  readonly stream: string
}

/** A checkpoint of this agent; one that is a part of another means that. Fails with UnknownCheckpoint. */
const madeBy = Effect.fnUntraced(function* (
  scene: StateScene,
  checkpoint: string
): Effect.fn.Return<Made, StateFailure> {
  const { parts, name } = scene
  const event = isUuid(checkpoint) ? yield* parts.store.byId(checkpoint) : undefined
  const isOwn = event !== undefined && refOfStream(event.stream).agent === name.agent
  if (isOwn && event.type === StateCheckpointed.type) {
    const { partOf } = event.data as { readonly partOf?: string }
    return partOf === undefined ? { checkpoint, stream: event.stream } : yield* madeBy(scene, partOf)
  }
  const detail = isOwn || event === undefined ? "there is no such checkpoint" : "it is another agent's"
  return yield* stateError(new UnknownCheckpoint({ checkpoint: String(checkpoint), detail }))
})

/** Ends a checkpoint; the versions that it names stay. Nothing is done where it has ended already. */
export const dropCheckpoint = Effect.fnUntraced(function* (
  scene: StateScene,
  asked: string,
  by: ByWhom
): Effect.fn.Return<void, StateFailure> {
  const { parts, name } = scene
  const { checkpoint, stream } = yield* madeBy(scene, asked)
  const dropIn = (branch: string) => {
    const of = { ...scene, name: parts.named(name.agent, branch) }
    return whileStill(
      of,
      by,
      Effect.fnUntraced(function* (head): Effect.fn.Return<Prepared<void>, StateFailure> {
        if (!head.isLive) return yield* unknownBranch(of.name)
        const { why } = yield* parts.store.checkpointStanding(checkpoint, stream, undefined)
        return ending(why === null ? checkpoint : undefined)
      })
    )
  }
  // A branch that was deleted says nothing any more.
  yield* Effect.catchIf(
    dropIn(refOfStream(stream).ref),
    ({ reason }) => reason instanceof UnknownBranch,
    () => dropIn(MAIN)
  )
})

/** The event that ends a checkpoint; none where it has ended already. */
const ending = (checkpoint: string | undefined): Prepared<void> => ({
  selection: NOTHING,
  plan: (draft) =>
    Effect.sync(() => {
      if (checkpoint === undefined) return { events: [], told: () => undefined }
      draft.note()
      return {
        events: [StateCheckpointDropped.make({ checkpoint, why: "deleted" })],
        told: () => undefined
      }
    })
})
