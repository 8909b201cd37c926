import { Effect } from "effect"
import { VersionConflict } from "../log/error.ts"
import type { NewEvent, Placed } from "../log/event.ts"
import { BranchDraft } from "./branch-draft.ts"
import type { BranchState } from "./branch-state.ts"
import { agentLabel } from "./name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateScene } from "./parts.ts"
import { headOf } from "./reading.ts"
import { NOTHING } from "./store.ts"

/** What several branches together come to: the events of each, in the order of the branches. */
export interface JointPlan<A> {
  readonly events: ReadonlyArray<ReadonlyArray<NewEvent>>
  readonly told: (placed: ReadonlyArray<ReadonlyArray<Placed>>) => A
}

/** How often it is tried while others write one of the branches. */
const TRIES = 20

const WAIT_MS = 5

/** Writes several branches in one append: all of them, as they are at one moment, or none. */
export const writeTogether = Effect.fnUntraced(function* <A>(
  scenes: ReadonlyArray<StateScene>,
  by: ByWhom,
  plan: (drafts: ReadonlyArray<BranchDraft>) => Effect.Effect<JointPlan<A>, StateFailure>
): Effect.fn.Return<A, StateFailure> {
  const { log } = scenes[0]!.parts
  for (let tries = 1; ; tries++) {
    const states = yield* Effect.forEach(scenes, (scene) => headOf(scene, NOTHING), {
      concurrency: "unbounded"
    })
    const { events, told } = yield* plan(states.map((state) => new BranchDraft(state)))
    const parts = scenes.map((scene, at) => partOf(scene, states[at]!, events[at]!))
    const meta = metaOf(by)
    const result = yield* Effect.result(log.emitAll(parts, meta === undefined ? {} : { meta }))
    if (result._tag === "Success") return told(result.success.map(({ events: placed }) => placed))
    if (!(result.failure.reason instanceof VersionConflict) || tries === TRIES) return yield* result.failure
    yield* Effect.sleep(Math.random() * WAIT_MS * tries)
  }
})

const partOf = ({ name }: StateScene, { version }: BranchState, events: ReadonlyArray<NewEvent>) => ({
  stream: name.stream,
  events: events.map((event) => ({ ...event, labels: [agentLabel(name.agent)] })),
  expected: version === 0 ? ("none" as const) : version
})
