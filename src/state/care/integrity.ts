import { Effect } from "effect"
import { isSameJson } from "../../base/json-value.ts"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { BranchName, BranchState } from "../branch/branch-state.ts"
import { ParentCorrupt, stateError } from "../error.ts"
import { SEMANTICS, StateRepaired } from "../event.ts"
import { hashText } from "../branch/hash.ts"
import { agentLabel, MAIN } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene } from "../parts.ts"
import { unknownBranch } from "../past/refs.ts"
import { WHOLE } from "../store.ts"
import { type Inherited, replay } from "./replay.ts"
import { pointerOfKey } from "../change/writing.ts"

/** What a look at a whole branch has found. */
export interface Verified {
  readonly agent: string
  readonly branch: string
  /** Everything is as it was written. */
  readonly isSound: boolean
  /** How far the log was followed. */
  readonly version: number
  /** How many events were folded anew, those of the branches that it began with included. */
  readonly events: number
  /** The first event that is not what it was, where there is one. */
  readonly damaged:
    | { readonly version: number; readonly position: number; readonly detail: string }
    | undefined
  /** The last version that is as it was written. */
  readonly lastGood: number
  /** The keys of which what is kept ready is not what the log says, as RFC 6901 pointers. */
  readonly stale: ReadonlyArray<string>
}

/** What was found, and what it was found of. */
interface Looked {
  readonly verified: Verified
  readonly branchId: number
  /** How far the log goes. */
  readonly head: number
  readonly inherited: Inherited | undefined
}

/** Follows the log of a branch from its beginning, and compares what is kept ready with that. */
const look = Effect.fnUntraced(function* (scene: StateScene): Effect.fn.Return<Looked, StateFailure> {
  const { parts, name } = scene
  const { agent, branch } = name
  const kept = yield* parts.loader.head(name, WHOLE)
  const branchId = kept.id
  if (branch === MAIN && kept.id === 0 && kept.version === 0) {
    const nothing = { version: 0, events: 0, lastGood: 0, damaged: undefined, stale: [] }
    const verified = { agent, branch, isSound: true, ...nothing }
    return { verified, branchId, head: 0, inherited: undefined }
  }
  if (!kept.isLive) return yield* unknownBranch(name)
  // One that is at fault stands before the end of the log.
  const head =
    kept.fault === undefined
      ? kept.version
      : (yield* parts.store.tail(name.stream, Number.MAX_SAFE_INTEGER)).head
  const { state, events, inherited } = yield* replay(parts, { branch: kept.id, version: head })
  const { fault } = state
  const compared =
    fault === undefined ? kept : yield* parts.loader.at({ branch: kept.id, version: fault.good }, WHOLE)
  const stale = staleKeys(compared, state)
  const verified = {
    agent,
    branch,
    isSound: fault === undefined && kept.fault === undefined && stale.length === 0,
    version: state.version,
    events,
    damaged: fault && { version: fault.version, position: fault.position, detail: fault.detail },
    lastGood: fault?.good ?? state.version,
    stale
  }
  return { verified, branchId, head, inherited }
})

/** Follows the log of a branch from its beginning, and compares what is kept ready with that. */
export const verifyState = (scene: StateScene): Effect.Effect<Verified, StateFailure> =>
  Effect.map(look(scene), ({ verified }) => verified)

const staleKeys = (kept: BranchState, replayed: BranchState): ReadonlyArray<string> => {
  if (kept.version !== replayed.version) return []
  const keys = new Set([...kept.entries(), ...replayed.entries()].map(([key]) => key))
  const stale = [...keys].filter((key) => {
    const [one, other] = [kept.key(key), replayed.key(key)]
    return one.hash !== other.hash || !isSameJson(one.value, other.value)
  })
  return stale.map(pointerOfKey)
}

const parentCorrupt = ({ agent, branch }: BranchName, { parent, fault, from }: Inherited) => {
  const { version, position, good: lastGood, detail } = fault
  return stateError(new ParentCorrupt({ agent, branch, parent, from, version, position, lastGood, detail }))
}

/** What a repair has done. */
export interface Repaired extends Verified {
  /** The version of the event that says so; undefined where there was nothing to repair. */
  readonly repairedAt: number | undefined
}

/**
 * Makes what is kept ready of a branch anew from the log, and where the log is damaged, lets the branch go on from its last good version:
 * what came after that does not count any more.
 */
export const repairState = Effect.fnUntraced(function* (
  scene: StateScene,
  by: ByWhom
): Effect.fn.Return<Repaired, StateFailure> {
  const { parts, name } = scene
  const { verified, branchId, head, inherited } = yield* look(scene)
  if (verified.isSound) return { ...verified, repairedAt: undefined }
  const { lastGood: good, damaged } = verified
  if (inherited !== undefined) return yield* parentCorrupt(name, inherited)
  if (good === 0) {
    const problem =
      "The very first event of the state is damaged: there is nothing to go on from; begin another branch, or another agent"
    return yield* logError(new InvalidArgument({ problem }))
  }
  const { state } = yield* replay(parts, { branch: branchId, version: good })
  const event = StateRepaired.make(
    {
      semantics: SEMANTICS,
      good,
      hash: hashText(state.hash),
      ...(damaged === undefined ? {} : { bad: damaged.version })
    },
    { labels: [agentLabel(name.agent)] }
  )
  const meta = metaOf(by)
  const appended = yield* parts.log.emit(name.stream, event, {
    // What was written since the look would be passed over.
    expected: head,
    ...(meta === undefined ? {} : { meta })
  })
  parts.branches.forgetName(name)
  yield* parts.store.caughtUp(appended.position)
  return { ...(yield* verifyState(scene)), repairedAt: appended.version }
})
