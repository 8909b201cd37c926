import { Effect } from "effect"
import { encodeToken } from "../base/token.ts"
import type { EventLog } from "../log/event-log.ts"
import { type LogError, logError, InvalidName } from "../log/error.ts"
import type { LogIdentity } from "../log/identity.ts"
import type { Meta } from "../log/event.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionError } from "../projection/error.ts"
import type { BranchName } from "./branch/branch-state.ts"
import type { Job, Plan, WriteFailure } from "./branch/writer.ts"
import type { BranchDraft } from "./branch/draft.ts"
import type { Branches } from "./branch/branches.ts"
import type { PastValues } from "./branch/past-values.ts"
import type { Definitions } from "./definition/definitions.ts"
import { InvalidChange, type StateError, stateError } from "./error.ts"
import type { Loader } from "./branch/loader.ts"
import type { Refs } from "./past/refs.ts"
import type { Node, Selection, StateStore } from "./store.ts"

/** What can go wrong with a state. */
export type StateFailure = StateError | LogError | PostgresError | ProjectionError

/** Who does something to a state, and why. */
export interface ByWhom {
  /** Who: an agent's id, a user. */
  readonly actor?: string
  /** Why, in words. */
  readonly reason?: string
  /** What else the log is to say of it. */
  readonly meta?: Meta
}

/** What the methods of states work with; shared by all states of an engine. */
export interface StateParts {
  readonly log: EventLog["Service"]
  readonly store: StateStore["Service"]
  readonly identity: LogIdentity["Service"]
  readonly loader: Loader
  readonly branches: Branches
  readonly past: PastValues
  readonly refs: Refs
  readonly definitions: Definitions
  readonly named: (agent: string, branch: string) => BranchName
}

/** A branch of an agent's state, and what its methods work with. */
export interface StateScene {
  readonly parts: StateParts
  readonly name: BranchName
  /** What the agent is, where the caller says so. */
  readonly agentType: string | undefined
}

export const metaOf = ({ actor, reason, meta }: ByWhom): Meta | undefined => {
  const own = {
    ...meta,
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason })
  }
  return Object.keys(own).length === 0 ? undefined : own
}

/** Names a version of a branch. */
export const stateToken = ({ parts }: StateScene, node: Node, position: number): string => {
  const { id, epoch } = parts.identity.current()
  return encodeToken({ log: id, epoch, position }, node)
}

/** Has something done to the branch, by whoever writes it for this engine. */
export const submit = <A>(
  { parts: { branches }, name }: StateScene,
  by: ByWhom,
  selection: Selection,
  plan: (draft: BranchDraft) => Effect.Effect<Plan<A>, WriteFailure>
): Effect.Effect<A, WriteFailure> => {
  const job: Job<A> = { selection, plan, meta: metaOf(by) }
  return Effect.suspend(() => branches.of(name).writer.submit(job))
}

/** What was checked, or its failure. */
export const sound = <A>(
  checked: A | InvalidChange | InvalidName
): Effect.Effect<A, StateError | LogError> => {
  if (checked instanceof InvalidChange) return Effect.fail(stateError(checked))
  return checked instanceof InvalidName ? Effect.fail(logError(checked)) : Effect.succeed(checked)
}
