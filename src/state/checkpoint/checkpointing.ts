import { Effect } from "effect"
import type { JsonObject } from "../../base/json-value.ts"
import { isUuid, uuid } from "../../base/uuid.ts"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import type { NewEvent } from "../../log/event.ts"
import { CheckpointExpired, stateError, UnknownCheckpoint } from "../error.ts"
import { isTime, StateCheckpointed } from "../event.ts"
import { branchStream, refOfStream } from "../name.ts"
import { type ByWhom, type StateFailure, type StateParts, type StateScene, submit } from "../parts.ts"
import { type Node, NOTHING } from "../store.ts"
import { writeTogether } from "../branch/together.ts"
import { beginning } from "../change/writing.ts"

export interface CheckpointOptions extends ByWhom {
  /** What it is made for, in a word; `manual` by default. */
  readonly type?: string
  readonly description?: string
  readonly metadata?: JsonObject
  /** For how long it is to be kept, in words; `permanent` by default. What ends it is `expiresAt`. */
  readonly retention?: string
  readonly expiresAt?: Date | string
}

/** A restore point. */
export interface Checkpoint {
  readonly checkpoint: string
  readonly type: string
  /** The branches that it is of, as they were at one moment. */
  readonly parts: ReadonlyArray<{ readonly agent: string; readonly branch: string; readonly version: number }>
  readonly expiresAt: Date | undefined
}

const DEFAULT_TYPE = "manual"
const DEFAULT_RETENTION = "permanent"

interface Fields {
  readonly type: string
  readonly retention: string
  readonly description?: string
  readonly metadata?: JsonObject
  readonly expiresAt?: string
}

const fieldsOf = ({
  type = DEFAULT_TYPE,
  retention = DEFAULT_RETENTION,
  description,
  metadata,
  expiresAt
}: CheckpointOptions): Effect.Effect<Fields, LogError> => {
  const until = expiresAt === undefined ? undefined : new Date(expiresAt)
  if (until !== undefined && !isTime(until)) {
    const problem =
      "expiresAt is no time in the years 1 to 9999: give a Date or its text, or leave it out for never"
    return Effect.fail(logError(new InvalidArgument({ problem })))
  }
  return Effect.succeed({
    type,
    retention,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(until === undefined ? {} : { expiresAt: until.toISOString() })
  })
}

const expiryOf = ({ expiresAt }: Fields): Date | undefined =>
  expiresAt === undefined ? undefined : new Date(expiresAt)

/** Makes a restore point of a branch, as it is. */
export const checkpointState = Effect.fnUntraced(function* (
  scene: StateScene,
  options: CheckpointOptions
): Effect.fn.Return<Checkpoint, StateFailure> {
  const fields = yield* fieldsOf(options)
  const { agent, branch } = scene.name
  const template = yield* scene.parts.definitions.template(scene.agentType)
  return yield* submit(scene, options, NOTHING, (draft) =>
    Effect.map(beginning(scene.name, draft, scene.agentType, template), (first) => {
      draft.note()
      const { version } = draft
      return {
        events: [...first, StateCheckpointed.make(fields)],
        told: (placed) => ({
          checkpoint: placed.at(-1)!.id,
          type: fields.type,
          parts: [{ agent, branch, version }],
          expiresAt: expiryOf(fields)
        })
      }
    })
  )
})

/** Makes one restore point of several branches, as they are at one moment. */
export const checkpointTogether = Effect.fnUntraced(function* (
  scenes: ReadonlyArray<StateScene>,
  options: CheckpointOptions
): Effect.fn.Return<Checkpoint, StateFailure> {
  const fields = yield* fieldsOf(options)
  const [first] = scenes
  if (first === undefined)
    return yield* logError(new InvalidArgument({ problem: "There is no agent: give at least one" }))
  const ids = scenes.map(() => uuid())
  return yield* writeTogether(scenes, options, (drafts) =>
    Effect.gen(function* () {
      const events: Array<ReadonlyArray<NewEvent>> = []
      for (const [at, draft] of drafts.entries()) {
        const begun = yield* beginning(scenes[at]!.name, draft, scenes[at]!.agentType)
        draft.note()
        events.push(begun)
      }
      const parts = drafts.map(({ version }, at) => {
        const { agent, branch } = scenes[at]!.name
        return { agent, name: branch, version, event: ids[at]! }
      })
      const made = events.map((begun, at) => {
        const group = at === 0 ? { parts } : { partOf: ids[0]! }
        return [...begun, { ...StateCheckpointed.make({ ...fields, ...group }), id: ids[at]! }]
      })
      return {
        events: made,
        told: () => ({
          checkpoint: ids[0]!,
          type: fields.type,
          parts: parts.map(({ agent, name, version }) => ({ agent, branch: name, version })),
          expiresAt: expiryOf(fields)
        })
      }
    })
  )
})

/** A branch that a checkpoint names. */
export interface CheckpointPart extends Node {
  readonly agent: string
  readonly name: string
}

interface CheckpointData {
  readonly expiresAt?: string
  readonly partOf?: string
  readonly parts?: ReadonlyArray<{ readonly agent: string; readonly name: string; readonly version: number }>
}

/** The branches that a checkpoint names; fails with UnknownCheckpoint or CheckpointExpired where it is none any more. */
export const partsOf = Effect.fnUntraced(function* (
  { store }: StateParts,
  checkpoint: string
): Effect.fn.Return<ReadonlyArray<CheckpointPart>, StateFailure> {
  const unknown = (detail: string) =>
    stateError(new UnknownCheckpoint({ checkpoint: String(checkpoint), detail }))
  const event = isUuid(checkpoint) ? yield* store.byId(checkpoint) : undefined
  if (event?.type !== StateCheckpointed.type) return yield* unknown("there is no such checkpoint")
  const { expiresAt, partOf, parts } = event.data as CheckpointData
  if (partOf !== undefined) return yield* partsOf({ store } as StateParts, partOf)
  const { why, isOver } = yield* store.checkpointStanding(checkpoint, event.stream, expiresAt)
  if (isOver && expiresAt !== undefined)
    return yield* stateError(new CheckpointExpired({ checkpoint, expiredAt: expiresAt }))
  if (why !== null) return yield* unknown("it was deleted")
  const { agent, ref } = refOfStream(event.stream)
  const named = parts ?? [{ agent, name: ref, version: event.version }]
  return yield* Effect.forEach(named, ({ agent: of, name, version }) =>
    Effect.flatMap(store.locate({ stream: branchStream(of, name), version }), (found) =>
      found === undefined
        ? Effect.fail(
            unknown(`the branch ${JSON.stringify(name)} of ${JSON.stringify(of)} is not there any more`)
          )
        : Effect.succeed({ branch: found.branch, version, agent: of, name })
    )
  )
})
