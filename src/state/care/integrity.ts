import { Effect } from "effect"
import { isSameJson } from "../../base/json-value.ts"
import type { BranchState } from "../branch/branch-state.ts"
import type { Inherited } from "../branch/fault.ts"
import { MAIN } from "../name.ts"
import type { StateFailure, StateScene } from "../parts.ts"
import { unknownBranch } from "../past/refs.ts"
import { type Fault, WHOLE } from "../store.ts"
import { replay } from "./replay.ts"
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
export interface Looked {
  readonly verified: Verified
  readonly branchId: number
  /** How far the log goes. */
  readonly head: number
  readonly inherited: Inherited | undefined
  /** From where on it is kept as damaged. */
  readonly fault: Fault | undefined
}

/** Follows the log of a branch from its beginning, and compares what is kept ready with that. */
export const look = Effect.fnUntraced(function* (scene: StateScene): Effect.fn.Return<Looked, StateFailure> {
  const { parts, name } = scene
  const { agent, branch } = name
  const kept = yield* parts.loader.head(name, WHOLE)
  const branchId = kept.id
  if (branch === MAIN && kept.id === 0 && kept.version === 0) {
    const nothing = { version: 0, events: 0, lastGood: 0, damaged: undefined, stale: [] }
    const verified = { agent, branch, isSound: true, ...nothing }
    return { verified, branchId, head: 0, inherited: undefined, fault: undefined }
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
  return { verified, branchId, head, inherited, fault: kept.fault }
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
