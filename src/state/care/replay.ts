import { Effect } from "effect"
import { BranchState } from "../branch/branch-state.ts"
import { hashText, StateHasher } from "../branch/hash.ts"
import { branchName } from "../branch/loader.ts"
import { StateBranched, StateRepaired } from "../event.ts"
import { refOfStream } from "../name.ts"
import type { StateFailure, StateParts } from "../parts.ts"
import type { Fault, Node, TailEvent } from "../store.ts"

/** The branch that is damaged where one begins with a version of it, or of one that does. */
export interface Inherited {
  readonly parent: string
  /** The version of it with which the next one begins. */
  readonly from: number
  readonly fault: Fault
}

/** What the log says of a branch, event after event. */
export interface Replayed {
  readonly state: BranchState
  readonly events: number
  readonly inherited: Inherited | undefined
}

const nameOf = (stream: string) => {
  const { agent, ref } = refOfStream(stream)
  return branchName(agent, ref)
}

/** Folds a version anew from the log, from the first event of the first branch on. */
export const replay = Effect.fnUntraced(function* (
  parts: StateParts,
  { branch, version }: Node
): Effect.fn.Return<Replayed, StateFailure> {
  const { store } = parts
  const begun = yield* store.beginningOf(branch)
  const name = begun === undefined ? branchName("", "") : nameOf(begun.stream)
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

/** Of the numbers of its own, since those of its parent mean other events here. */
const faultAtFork = ({ version, position }: TailEvent, { parent, from, fault }: Inherited): Fault => {
  const detail = `it begins with version ${from} of the branch ${JSON.stringify(parent)}, which is damaged from version ${fault.version} on`
  return { version, position, detail, good: 0, repaired: null }
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
