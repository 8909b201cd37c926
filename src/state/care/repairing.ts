import { Effect } from "effect"
import { InvalidArgument, LogError, logError, VersionConflict } from "../../log/error.ts"
import type { Meta, NewEvent } from "../../log/event.ts"
import type { BranchName } from "../branch/branch-state.ts"
import type { Inherited } from "../branch/fault.ts"
import { hashText } from "../branch/hash.ts"
import { ParentCorrupt, StateCorrupt, stateError } from "../error.ts"
import { SEMANTICS, StateParentRepaired, StateRepaired } from "../event.ts"
import { nameOfStream } from "../branch/loader.ts"
import { agentLabel } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene } from "../parts.ts"
import { look, type Looked, type Verified, verifyState } from "./integrity.ts"
import { replay } from "./replay.ts"
import type { Fault } from "../store.ts"

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

/** What a repair passes over: the versions of a branch after a good one, up to the repair. */
interface PassedOver {
  readonly branch: number
  readonly good: number
  readonly before: number
}

/** What tells branches that began with what is passed over, so that whoever knows them hears of it. */
const heirParts = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  { branch, good, before }: PassedOver
): Effect.fn.Return<ReadonlyArray<RepairPart>, StateFailure> {
  // What has just begun has to be known.
  yield* parts.store.caughtUp(yield* parts.log.settled)
  const heirs = yield* parts.store.heirs(branch, good, before)
  const parent = { branch, name: name.branch }
  return heirs
    .filter(({ isLive }) => isLive)
    .map(({ stream, since: from }) => ({
      stream,
      events: [StateParentRepaired.make({ parent, from, good }, { labels: [agentLabel(name.agent)] })]
    }))
})

/** What a repair comes to; undefined where there is nothing to repair. */
interface Repair {
  readonly passedOver: PassedOver
  readonly parts: ReadonlyArray<RepairPart>
}

const repairOf = Effect.fnUntraced(function* (
  scene: StateScene,
  { verified, branchId: branch, head, inherited, fault }: Looked
): Effect.fn.Return<Repair | undefined, StateFailure> {
  if (verified.isSound) return undefined
  const { parts, name } = scene
  const { lastGood: good, damaged } = verified
  if (inherited !== undefined) return yield* parentCorrupt(name, inherited)
  // Its parent was damaged when that was repaired, whatever the log says by now.
  if (fault?.good === 0 && damaged === undefined) return yield* corrupt(name, fault)
  if (good === 0) {
    const problem =
      "The very first event of the state is damaged: there is nothing to go on from; begin another branch, or another agent"
    return yield* logError(new InvalidArgument({ problem }))
  }
  const { state } = yield* replay(parts, { branch, version: good })
  const bad = damaged === undefined ? {} : { bad: damaged.version }
  const repaired = StateRepaired.make(
    { semantics: SEMANTICS, good, hash: hashText(state.hash), ...bad },
    { labels: [agentLabel(name.agent)] }
  )
  const passedOver = { branch, good, before: head + 1 }
  const own = { stream: name.stream, events: [repaired], expected: head }
  return { passedOver, parts: [own, ...(yield* heirParts(scene, passedOver))] }
})

const parentCorrupt = ({ agent, branch }: BranchName, { parent, fault, from }: Inherited) => {
  const { version, position, good: lastGood, detail } = fault
  return stateError(new ParentCorrupt({ agent, branch, parent, from, version, position, lastGood, detail }))
}

const corrupt = ({ agent, branch }: BranchName, { version, position, good: lastGood, detail }: Fault) =>
  stateError(new StateCorrupt({ agent, branch, version, position, lastGood, detail }))

/** Looks at the branch, and appends what repairs it. What was written since the look would be passed over: that is a VersionConflict. */
const tried = Effect.fnUntraced(function* (
  scene: StateScene,
  meta: Meta
): Effect.fn.Return<Repair | undefined, StateFailure> {
  const repair = yield* repairOf(scene, yield* look(scene))
  if (repair !== undefined) yield* scene.parts.log.emitAll(repair.parts, { meta })
  return repair
})

/** The same while nobody else can write the branch: who goes on from what is damaged is faster than a look at all of it. */
const held = (scene: StateScene, meta: Meta): Effect.Effect<Repair | undefined, StateFailure> => {
  const { branches, log, store } = scene.parts
  return branches.alone(
    log.transaction((tx) =>
      Effect.gen(function* () {
        yield* store.lock(scene.name.stream, { query: (text, values) => tx.query(text, values) })
        const repair = yield* repairOf(scene, yield* look(scene))
        for (const { stream, events, expected } of repair?.parts ?? [])
          yield* tx.emit(stream, events, expected === undefined ? { meta } : { expected, meta })
        return repair
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
  const repair = yield* Effect.catchIf(tried(scene, meta), isConflict, () => held(scene, meta))
  if (repair === undefined) return { ...(yield* verifyState(scene)), repairedAt: undefined }
  const { passedOver, parts } = repair
  // Those that began while it was looked.
  const late = (yield* heirParts(scene, passedOver)).filter(
    ({ stream }) => !parts.some((part) => part.stream === stream)
  )
  if (late.length > 0) yield* log.emitAll(late, { meta })
  for (const { stream } of [...parts, ...late]) branches.forgetName(nameOfStream(stream))
  yield* store.caughtUp(yield* log.settled)
  return { ...(yield* verifyState(scene)), repairedAt: passedOver.before }
})

const isConflict = (failure: StateFailure): boolean =>
  failure instanceof LogError && failure.reason instanceof VersionConflict
