import { Effect } from "effect"
import { encodeJson } from "../../base/json.ts"
import { isJsonObject, type Json, type JsonObject } from "../../base/json-value.ts"
import { InvalidArgument, logError, VersionConflict } from "../../log/error.ts"
import type { NewEvent, Part } from "../../log/event.ts"
import { ConflictEnded, type Conflicting, stateError } from "../error.ts"
import { StateConflictResolved, StateMergeEnded } from "../event.ts"
import type { Resolution } from "../merge/resolve.ts"
import { agentLabel, mergeStream } from "../name.ts"
import { type ByWhom, metaOf, type StateFailure, type StateParts } from "../parts.ts"
import { loadMerge, openPaths, type PendingMerge, stillOpen } from "./pending-merge.ts"

/** How often it is tried while somebody else writes the target, or decides. */
const TRIES = 20
const WAIT_MS = 5

const sleep = (tries: number) => Effect.sleep(Math.random() * WAIT_MS * tries)

/** Appends to the stream of a merge, in the state that it was seen in, and whatever goes with that. */
export const note = Effect.fnUntraced(function* (
  parts: StateParts,
  merge: string,
  by: ByWhom,
  decide: (pending: PendingMerge) => Effect.Effect<NewEvent, StateFailure>,
  also: Effect.Effect<ReadonlyArray<Part>, StateFailure> = Effect.succeed([])
): Effect.fn.Return<void, StateFailure> {
  for (let tries = 1; ; tries++) {
    const pending = yield* loadMerge(parts, merge)
    yield* stillOpen(pending)
    const event = yield* decide(pending)
    const labelled = { ...event, labels: [agentLabel(pending.agent)] }
    const noted = { stream: mergeStream(merge), events: [labelled], expected: pending.version }
    const all = [noted, ...(yield* also)]
    const result = yield* Effect.result(parts.log.emitAll(all, { meta: metaOf(by) ?? {} }))
    if (result._tag === "Success") return
    if (!(result.failure.reason instanceof VersionConflict) || tries === TRIES) return yield* result.failure
    yield* sleep(tries)
  }
})

/** Why something is no resolution of a conflict, or undefined. */
export const resolutionProblem = ({ path, kind }: Conflicting, resolution: unknown): string | undefined => {
  const use = isJsonObject(resolution) ? resolution["use"] : undefined
  if (isJsonObject(use) && "value" in use) {
    const { value } = use
    const encoded = encodeJson(value)
    if (!("text" in encoded)) return `its value holds ${encoded.problem}`
    const isFit = kind !== "constraint" || isJsonObject(JSON.parse(encoded.text) as Json)
    return isFit ? undefined : `The conflict at ${path} is of a whole tier: its value is an object of keys`
  }
  if (["ours", "theirs", "base"].includes(use as string)) return undefined
  return 'A resolution is { use: "ours" | "theirs" | "base" | { value } }'
}

/** Who decides a conflict, and why. */
export interface ResolveOptions extends Omit<ByWhom, "actor"> {
  readonly by?: string
}

/** As `ByWhom` says it. */
export const byWhom = ({ by, reason, meta }: ResolveOptions): ByWhom => ({
  ...(by === undefined ? {} : { actor: by }),
  ...(reason === undefined ? {} : { reason }),
  ...(meta === undefined ? {} : { meta })
})

/** What else there is to a decision of a conflict that is known by an id. */
export interface DecidedOnce {
  readonly conflict: string
  /** What is appended with it. */
  readonly also: Effect.Effect<ReadonlyArray<Part>, StateFailure>
}

/** Decides a conflict of a merge; with `once`, not where somebody was faster. */
export const resolveConflict = (
  parts: StateParts,
  merge: string,
  path: string,
  resolution: Resolution,
  options: ResolveOptions,
  once?: DecidedOnce
): Effect.Effect<void, StateFailure> =>
  note(
    parts,
    merge,
    byWhom(options),
    (pending) => {
      const conflict = pending.conflicts.find((one) => one.path === path)
      const paths = pending.conflicts.map((one) => one.path).join(", ")
      const problem =
        conflict === undefined
          ? `There is no conflict at ${JSON.stringify(path)}: the merge has those at ${paths}`
          : resolutionProblem(conflict, resolution)
      if (problem !== undefined) return Effect.fail(logError(new InvalidArgument({ problem })))
      if (once !== undefined && !openPaths(pending).includes(path))
        return Effect.fail(
          stateError(new ConflictEnded({ conflict: once.conflict, path, status: "decided" }))
        )
      const said = JSON.parse(JSON.stringify(resolution)) as JsonObject
      return Effect.succeed(
        StateConflictResolved.make({ path, conflict: conflict as unknown as JsonObject, resolution: said })
      )
    },
    once?.also
  )

/** Gives a merge up; both branches are as they were. */
export const abortMerge = (parts: StateParts, merge: string, by: ByWhom): Effect.Effect<void, StateFailure> =>
  note(parts, merge, by, () => Effect.succeed(StateMergeEnded.make({ status: "aborted" })))
