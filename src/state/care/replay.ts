import { Effect } from "effect"
import { BranchState } from "../branch/branch-state.ts"
import { faultAtFork, type Inherited } from "../branch/fault.ts"
import { hashText, StateHasher } from "../branch/hash.ts"
import { branchName, nameOfStream } from "../branch/loader.ts"
import { StateBranched, StateRepaired } from "../event.ts"
import type { StateFailure, StateParts } from "../parts.ts"
import type { Node, TailEvent } from "../store.ts"

/** What the log says of a branch, event after event. */
export interface Replayed {
  readonly state: BranchState
  readonly events: number
  readonly inherited: Inherited | undefined
}

/** Folds a version anew from the log, from the first event of the first branch on. */
export const replay = Effect.fnUntraced(function* (
  parts: StateParts,
  { branch, version }: Node
): Effect.fn.Return<Replayed, StateFailure> {
  const { store } = parts
  const begun = yield* store.beginningOf(branch)
  const name = begun === undefined ? branchName("", "") : nameOfStream(begun.stream)
  const state = new BranchState(name)
  if (begun === undefined) return { state, events: 0, inherited: undefined }
  state.hasher = new StateHasher(yield* store.secret(name.agent))
  let events = 0
  let inherited: Inherited | undefined
  // On past what is damaged, too: a repair may follow.
  for (let after = begun.version - 1; after < version;) {
    const page = yield* store.page(name.stream, after, version)
    for (const event of page) {
      const { parent } = event.data as { readonly parent?: Node }
      if (event.type === StateBranched.type && parent !== undefined) {
        const from: Replayed = yield* replay(parts, parent)
        state.branchFrom(from.state, event)
        inherited = inheritedFrom(from, parent)
        if (inherited !== undefined) state.fault = faultAtFork(event, inherited)
        events += from.events
      } else if (event.type === StateRepaired.type) {
        yield* goOn(parts, branch, state, event)
      } else state.apply(event)
      events += 1
      after = event.version
    }
    if (page.length === 0) break
  }
  return { state, events, inherited }
})

const inheritedFrom = ({ state, inherited }: Replayed, { version }: Node): Inherited | undefined => {
  const { fault, name } = state
  if (fault === undefined) return undefined
  return inherited ?? { parent: name.branch, from: version, fault }
}

/** A repair says from which version the branch goes on: mostly that at which it stands. */
const goOn = Effect.fnUntraced(function* (
  parts: StateParts,
  branch: number,
  state: BranchState,
  event: TailEvent
): Effect.fn.Return<void, StateFailure> {
  const { good, hash } = event.data as { readonly good: number; readonly hash: string }
  // One that begins damaged is at no good version, whatever its number.
  const isThere = state.version === good && (state.fault === undefined || state.fault.good === good)
  const from: BranchState = isThere ? state : (yield* replay(parts, { branch, version: good })).state
  if (!isThere && from.fault !== undefined) state.fault = from.fault
  else if (hashText(from.hash) === hash) state.repairedFrom(from, event)
  else {
    const { version, position } = event
    const detail = `it goes on from version ${good}, the hash of which is another`
    state.fault ??= { version, position, detail, good, repaired: null }
  }
})
