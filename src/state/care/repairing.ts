import { Effect } from "effect"
import { InvalidArgument, LogError, logError, VersionConflict } from "../../log/error.ts"
import type { Meta, NewEvent } from "../../log/event.ts"
import type { BranchName } from "../branch/branch-state.ts"
import type { Inherited } from "../branch/fault.ts"
import { hashText } from "../branch/hash.ts"
import { ParentCorrupt, stateError } from "../error.ts"
import { SEMANTICS, StateParentRepaired, StateRepaired } from "../event.ts"
import { nameOfStream } from "../branch/loader.ts"
import { agentLabel } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene } from "../parts.ts"
import { look, type Looked, type Verified, verifyState } from "./integrity.ts"
import { replay } from "./replay.ts"

/** What a repair has done. */
export interface Repaired extends Verified {
  /** The version of the event that says so; undefined where there was nothing to repair. */
  readonly repairedAt: number | undefined
}

/** What is appended to which streams at once; the branch's own comes first. */
interface RepairPart {
  readonly stream: string
  readonly events: ReadonlyArray<NewEvent>
  readonly expected?: number
}

/** What a repair appends; nothing where there is nothing to repair. */
const partsOf = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  { verified, branchId, head, inherited }: Looked
): Effect.fn.Return<ReadonlyArray<RepairPart>, StateFailure> {
  if (verified.isSound) return []
  const { lastGood: good, damaged } = verified
  if (inherited !== undefined) return yield* parentCorrupt(name, inherited)
  if (good === 0) {
    const problem =
      "The very first event of the state is damaged: there is nothing to go on from; begin another branch, or another agent"
    return yield* logError(new InvalidArgument({ problem }))
  }
  const { state } = yield* replay(parts, { branch: branchId, version: good })
  const bad = damaged === undefined ? {} : { bad: damaged.version }
  const labels = { labels: [agentLabel(name.agent)] }
  const repaired = StateRepaired.make(
    { semantics: SEMANTICS, good, hash: hashText(state.hash), ...bad },
    labels
  )
  const parent = { branch: branchId, name: name.branch }
  const heirs = yield* parts.store.heirs(branchId, good, head + 1)
  const told = heirs
    .filter(({ isLive }) => isLive)
    .map(({ stream, since }) => {
      return { stream, events: [StateParentRepaired.make({ parent, from: since, good }, labels)] }
    })
  return [{ stream: name.stream, events: [repaired], expected: head }, ...told]
})

const parentCorrupt = ({ agent, branch }: BranchName, { parent, fault, from }: Inherited) => {
  const { version, position, good: lastGood, detail } = fault
  return stateError(new ParentCorrupt({ agent, branch, parent, from, version, position, lastGood, detail }))
}

/** Looks at the branch, and appends what repairs it. What was written since the look would be passed over: that is a VersionConflict. */
const tried = Effect.fnUntraced(function* (scene: StateScene, meta: Meta) {
  const parts = yield* partsOf(scene, yield* look(scene))
  if (parts.length > 0) yield* scene.parts.log.emitAll(parts, { meta })
  return parts
})

/** The same while nobody else can write the branch: who goes on from what is damaged is faster than a look at all of it. */
const held = (scene: StateScene, meta: Meta) => {
  const { branches, log, store } = scene.parts
  return branches.alone(
    log.transaction((tx) =>
      Effect.gen(function* () {
        yield* store.lock(scene.name.stream, { query: (text, values) => tx.query(text, values) })
        const parts = yield* partsOf(scene, yield* look(scene))
        for (const { stream, events, expected } of parts)
          yield* tx.emit(stream, events, expected === undefined ? { meta } : { expected, meta })
        return parts
      })
    )
  )
}

/**
 * Makes what is kept ready of a branch anew from the log, and where the log is damaged, lets the branch go on from its last good version:
 * what came after that does not count any more, nor does what began with it.
 */
export const repairState = Effect.fnUntraced(function* (
  scene: StateScene,
  by: ByWhom
): Effect.fn.Return<Repaired, StateFailure> {
  const { branches, log, store } = scene.parts
  const meta = metaOf(by) ?? {}
  const parts = yield* Effect.catchIf(tried(scene, meta), isConflict, () => held(scene, meta))
  for (const { stream } of parts) branches.forgetName(nameOfStream(stream))
  if (parts.length > 0) yield* store.caughtUp(yield* log.settled)
  const [own] = parts
  return { ...(yield* verifyState(scene)), repairedAt: own && own.expected! + 1 }
})

const isConflict = (failure: StateFailure): boolean =>
  failure instanceof LogError && failure.reason instanceof VersionConflict
