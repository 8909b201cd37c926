import { Effect } from "effect"
import { decodeToken } from "../../base/token.ts"
import { isUuid } from "../../base/uuid.ts"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import type { EventLog } from "../../log/event-log.ts"
import { isSameOrigin, type LogIdentity } from "../../log/identity.ts"
import type { BranchName, BranchState } from "../branch/branch-state.ts"
import { StateCorrupt, type StateError, stateError, UnknownBranch, UnknownRef } from "../error.ts"
import { StateTagged } from "../event.ts"
import { branchName, type Loader, type LoadFailure } from "../branch/loader.ts"
import { refOfStream, refProblem, tagStream } from "../name.ts"
import { kindOfRef, type Ref } from "./ref.ts"
import type { Node, Selection, StateStore } from "../store.ts"

export type RefFailure = StateError | LogError | LoadFailure

/** Finds the versions that callers name. */
export class Refs {
  private readonly store: StateStore["Service"]
  private readonly loader: Loader
  private readonly identity: LogIdentity["Service"]
  private readonly log: EventLog["Service"]

  constructor(
    store: StateStore["Service"],
    loader: Loader,
    identity: LogIdentity["Service"],
    log: EventLog["Service"]
  ) {
    this.store = store
    this.loader = loader
    this.identity = identity
    this.log = log
  }

  /** The version that is meant; undefined for the newest. */
  readonly node = Effect.fnUntraced({ self: this }, function* (name: BranchName, ref: Ref): Effect.fn.Return<
    Node | undefined,
    RefFailure
  > {
    // An "@" in it would reach the branch of another agent.
    const wrong = ref.branch === undefined ? undefined : refProblem("branch", ref.branch)
    if (wrong !== undefined) return yield* logError(wrong)
    const kind = kindOfRef(ref)
    if (kind === undefined) return undefined
    if (typeof kind === "object") return yield* logError(new InvalidArgument(kind))
    const of = ref.branch === undefined ? name : branchName(name.agent, ref.branch)
    switch (kind) {
      case "version":
      case "position":
        return yield* this.located(of, kind, ref[kind]!)
      case "time":
        return yield* this.located(of, kind, new Date(ref.time!))
      case "commit":
        return yield* this.commit(name, ref.commit!)
      case "tag":
        return yield* this.tag(name, ref.tag!)
      case "token":
        return yield* this.token(name, ref.token!)
    }
  })

  /** A version of this agent's state with some of its keys; fails where it is not there, or damaged. */
  readonly at = Effect.fnUntraced(
    { self: this },
    function* (
      name: BranchName,
      node: Node,
      selection: Selection
    ): Effect.fn.Return<BranchState, RefFailure> {
      const state = yield* this.loader.at(node, selection)
      if (state.version !== 0 && state.name.agent !== name.agent)
        return yield* this.unknown(name, `version ${node.version}`, "it is of another agent")
      if (state.fault !== undefined) return yield* this.corrupt(state)
      if (state.version !== node.version)
        return yield* this.unknown(name, `version ${node.version}`, `it is at version ${state.version}`)
      return state
    }
  )

  corrupt({ name: { agent, branch }, fault }: BranchState): StateError {
    const { version, position, good: lastGood, detail } = fault!
    return stateError(new StateCorrupt({ agent, branch, version, position, lastGood, detail }))
  }

  unknown({ agent, branch }: BranchName, ref: string, detail: string): StateError {
    return stateError(new UnknownRef({ agent, branch, ref, detail }))
  }

  /** A version of this log that a token names. */
  readonly token = Effect.fnUntraced(
    { self: this },
    function* (name: BranchName, token: string): Effect.fn.Return<Node, RefFailure> {
      const point = typeof token === "string" ? decodeToken(token) : undefined
      if (point?.of === undefined) {
        const problem = `${JSON.stringify(token)} is no token of a state: give one that a read or an update returned`
        return yield* logError(new InvalidArgument({ problem }))
      }
      // After a restore, the version of that number may be another one.
      if (!isSameOrigin({ id: point.log, epoch: point.epoch }, this.identity.current()))
        yield* this.log.resolve(token)
      const found = yield* this.loader.at(point.of, { tiers: [], keys: [] })
      if (found.name.agent !== name.agent || found.version !== point.of.version)
        return yield* this.unknown(
          name,
          "this token",
          "it is of another agent, or of a version that is not there"
        )
      return point.of
    }
  )

  private readonly located = Effect.fnUntraced(
    { self: this },
    function* (
      name: BranchName,
      kind: "version" | "position" | "time",
      value: number | Date
    ): Effect.fn.Return<Node, RefFailure> {
      const text =
        value instanceof Date
          ? Number.isNaN(value.getTime())
            ? "no time"
            : value.toISOString()
          : String(value)
      const isFit = value instanceof Date ? text !== "no time" : Number.isSafeInteger(value) && value > 0
      if (!isFit) {
        const problem = `${text} is no ${kind}: give ${kind === "time" ? "a time" : "a whole number from 1"}`
        return yield* logError(new InvalidArgument({ problem }))
      }
      const found = yield* this.store.locate({ stream: name.stream, [kind]: value } as never)
      if (found === undefined || found.version === 0)
        return yield* this.unknown(name, `${kind} ${text}`, "there was nothing of it then")
      return found
    }
  )

  private readonly commit = Effect.fnUntraced(
    { self: this },
    function* (name: BranchName, commit: string): Effect.fn.Return<Node, RefFailure> {
      const found = isUuid(commit) ? yield* this.store.locate({ commit }) : undefined
      if (found === undefined || refOfStream(found.stream).agent !== name.agent)
        return yield* this.unknown(name, `commit ${commit}`, "there is no such commit of this agent's state")
      return found
    }
  )

  private readonly tag = Effect.fnUntraced(
    { self: this },
    function* (name: BranchName, tag: string): Effect.fn.Return<Node, RefFailure> {
      const problem = refProblem("tag", tag)
      if (problem !== undefined) return yield* logError(problem)
      const stream = tagStream(name.agent, tag)
      const last = (yield* this.store.lasts([stream])).get(stream)
      if (last?.type !== StateTagged.type)
        return yield* this.unknown(name, `tag ${JSON.stringify(tag)}`, "there is no such tag")
      return last.data as Node
    }
  )
}

/** There is no such branch. */
export const unknownBranch = ({ agent, branch }: BranchName): StateError =>
  stateError(new UnknownBranch({ agent, branch }))
