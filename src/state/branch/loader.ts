import { Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../../projection/error.ts"
import type { Queryable } from "../../postgres/postgres.ts"
import { BranchState, type BranchName, keyState } from "./branch-state.ts"
import { faultAt } from "./fault.ts"
import { StateHasher } from "./hash.ts"
import { REPAIRS } from "../event.ts"
import { branchStream, refOfStream } from "../name.ts"
import type { BranchRow, Loaded, Node, Selection, StateStore, TailEvent, Wanted } from "../store.ts"

/** Why a branch could not be read: what a repair made anew has to be folded first. */
export type LoadFailure = PostgresError | ProjectionError

/** No version is beyond this one. */
const HEAD = Number.MAX_SAFE_INTEGER

export const branchName = (agent: string, branch: string): BranchName => ({
  agent,
  branch,
  stream: branchStream(agent, branch)
})

/** The branch whose events a stream has. */
export const nameOfStream = (stream: string): BranchName => {
  const { agent, ref } = refOfStream(stream)
  return { agent, branch: ref, stream }
}

/** Reads branches as they are, or were: what is kept ready of them, and what is in the log beyond that. */
export class Loader {
  private readonly store: StateStore["Service"]

  constructor(store: StateStore["Service"]) {
    this.store = store
  }

  /** A branch as it is now. Not live where there is none of this name. */
  head(
    name: BranchName,
    selection: Selection,
    connection?: Queryable
  ): Effect.Effect<BranchState, LoadFailure> {
    const wanted = { stream: name.stream, agent: name.agent }
    return Effect.flatMap(
      this.repaired(() => this.store.load(wanted, selection, undefined, connection)),
      (loaded) => this.built(name, loaded, selection, HEAD, 0)
    )
  }

  /** A version of a branch that is, or was; not live where it is not there. */
  at({ branch, version }: Node, selection: Selection): Effect.Effect<BranchState, LoadFailure> {
    const wanted: Wanted = { branch }
    return Effect.flatMap(
      this.repaired(() => this.store.load(wanted, selection, version)),
      (loaded) => {
        const stream = loaded.branch?.stream ?? loaded.stream
        // Its number is that of no event of a state.
        if (stream === undefined) return Effect.succeed(new BranchState(branchName("", "")))
        return this.built(nameOfStream(stream), loaded, selection, version, branch)
      }
    )
  }

  /** A repair makes keys anew of which its event says nothing: they are there once it is folded. */
  private readonly repaired = Effect.fnUntraced(
    { self: this },
    function* (load: () => Effect.Effect<Loaded, PostgresError>): Effect.fn.Return<Loaded, LoadFailure> {
      for (let waited = 0; ;) {
        const loaded = yield* load()
        const repair = loaded.tail.findLast(({ type }) => REPAIRS.has(type))
        if (repair === undefined || repair.position <= waited) return loaded
        yield* this.store.caughtUp(repair.position)
        waited = repair.position
      }
    }
  )

  /** What is ready, and then event after event. */
  private built(
    name: BranchName,
    loaded: Loaded,
    selection: Selection,
    upTo: number,
    id: number
  ): Effect.Effect<BranchState, LoadFailure> {
    const { branch: row, tail, secret } = loaded
    const state = new BranchState(name)
    if (secret !== undefined) state.hasher = new StateHasher(secret)
    if (row !== undefined) begin(state, row, loaded, selection, upTo)
    const rest = id === 0 ? tail : ofBranch(tail, id)
    return Effect.as(
      Effect.forEach(rest, (event) => this.follow(state, event, selection), { discard: true }),
      state
    )
  }

  /** The next event of a branch. */
  follow(state: BranchState, event: TailEvent, selection: Selection): Effect.Effect<void, LoadFailure> {
    if (event.type !== "StateBranched") return Effect.sync(() => state.apply(event))
    const { parent } = event.data as { readonly parent: Node }
    return Effect.map(this.at(parent, selection), (from) => state.branchFrom(from, event))
  }
}

/** Of what came in a stream, what is of the branch that this event began. */
const ofBranch = (tail: ReadonlyArray<TailEvent>, id: number): ReadonlyArray<TailEvent> => {
  const own = tail.filter(({ position }) => position >= id)
  const next = own.findIndex(
    ({ type, position }) => position > id && (type === "StateBranched" || type === "StateCreated")
  )
  return next === -1 ? own : own.slice(0, next)
}

const begin = (
  state: BranchState,
  row: BranchRow,
  { keys, moment }: Loaded,
  selection: Selection,
  upTo: number
): void => {
  state.id = row.branch
  state.version = Math.min(row.version, upTo)
  const then = upTo < row.version ? moment : undefined
  state.position = then?.position ?? row.position
  state.hash = then?.hash ?? row.hash
  state.isLive = !row.isDeleted || upTo < row.version
  state.agentType = row.agentType
  state.session = then === undefined ? row.session : then.session
  state.fault = faultAt(row.faults, upTo)
  state.learn(
    selection,
    keys.map((key) => keyState(key, state.hasher))
  )
}
