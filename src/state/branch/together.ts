import { Effect } from "effect"
import { LogError, VersionConflict } from "../../log/error.ts"
import type { Meta, NewEvent, Part, Placed } from "../../log/event.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { BranchDraft } from "./draft.ts"
import type { BranchName, BranchState } from "./branch-state.ts"
import { agentLabel } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateParts, type StateScene } from "../parts.ts"
import { headOf } from "../past/reading.ts"

/** Appends to several streams, all or nothing: where the events of each part came to lie. */
export type AppendAll = (
  parts: ReadonlyArray<Part>,
  meta: Meta | undefined
) => Effect.Effect<ReadonlyArray<ReadonlyArray<Placed>>, LogError | PostgresError>

/** How often it is tried while others write these streams, before they are locked out. */
const OPTIMISTIC_TRIES = 3

/** Those that are not there yet cannot be locked. */
const TRIES = 10

/** Tries what works on several streams as they are, until nobody else has written one of them meanwhile. */
export const persistently = Effect.fnUntraced(function* <A>(
  parts: StateParts,
  names: ReadonlyArray<BranchName>,
  attempt: (append: AppendAll) => Effect.Effect<A, StateFailure>
): Effect.fn.Return<A, StateFailure> {
  const streams = names.map(({ stream }) => stream)
  const forgotten = Effect.sync(() => {
    for (const name of names) parts.branches.forgetName(name)
  })
  for (let tries = 1; ; tries++) {
    const tried = tries <= OPTIMISTIC_TRIES ? attempt(appending(parts)) : alone(parts, streams, attempt)
    // What is known of the branches is not what was appended to them here.
    const result = yield* Effect.result(Effect.ensuring(tried, forgotten))
    if (result._tag === "Success") return result.success
    if (!isConflict(result.failure) || tries === TRIES) return yield* result.failure
  }
})

const isConflict = (failure: StateFailure): boolean =>
  failure instanceof LogError && failure.reason instanceof VersionConflict

const appending =
  ({ log }: StateParts): AppendAll =>
  (all, meta) =>
    Effect.map(log.emitAll(all, meta === undefined ? {} : { meta }), (appended) =>
      appended.map(({ events }) => events)
    )

/** Nobody else can append to the streams until it is done. */
const alone = <A>(
  { branches, log, store }: StateParts,
  streams: ReadonlyArray<string>,
  attempt: (append: AppendAll) => Effect.Effect<A, StateFailure>
): Effect.Effect<A, StateFailure> => {
  const held = log.transaction((tx) => {
    const connection = { query: tx.query }
    const append: AppendAll = (all, meta) =>
      Effect.gen(function* () {
        for (const { stream, events, expected = "any" } of all)
          yield* tx.emit(stream, events, meta === undefined ? { expected } : { expected, meta })
        return (yield* tx.flush).map(({ events }) => events)
      })
    const locks = streams.toSorted().map((stream) => store.lock(stream, connection))
    return Effect.andThen(Effect.all(locks, { discard: true }), attempt(append))
  })
  return branches.alone(held)
}

/** What several branches together come to: the events of each, in the order of the branches. */
export interface JointPlan<A> {
  readonly events: ReadonlyArray<ReadonlyArray<NewEvent>>
  readonly told: (placed: ReadonlyArray<ReadonlyArray<Placed>>) => A
}

/** Writes several branches in one append: all of them, as they are at one moment, or none. */
export const writeTogether = <A>(
  scenes: ReadonlyArray<StateScene>,
  by: ByWhom,
  plan: (drafts: ReadonlyArray<BranchDraft>) => Effect.Effect<JointPlan<A>, StateFailure>
): Effect.Effect<A, StateFailure> => {
  const names = scenes.map(({ name }) => name)
  return persistently(scenes[0]!.parts, names, (append) =>
    Effect.gen(function* () {
      const states = yield* Effect.forEach(scenes, headOf, { concurrency: "unbounded" })
      const { events, told } = yield* plan(states.map((state) => new BranchDraft(state)))
      const all = scenes.map((scene, at) => partOf(scene, states[at]!, events[at]!))
      return told(yield* append(all, metaOf(by)))
    })
  )
}

const partOf = ({ name }: StateScene, { version }: BranchState, events: ReadonlyArray<NewEvent>): Part => ({
  stream: name.stream,
  events: events.map((event) => ({ ...event, labels: [agentLabel(name.agent)] })),
  expected: version === 0 ? "none" : version
})
