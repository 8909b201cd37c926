import { Effect } from "effect"
import type { JsonObject } from "../../base/json-value.ts"
import { parsePointer } from "../../base/pointer.ts"
import { uuid } from "../../base/uuid.ts"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import { ConflictMoved, StateInvalid, stateError } from "../../state/error.ts"
import { StateConflictClosed, StateConflictDecided } from "../../state/event.ts"
import type { Resolution } from "../../state/merge/resolve.ts"
import { finishMerge } from "../../state/merging/finishing.ts"
import { loadMerge, openPaths } from "../../state/merging/pending-merge.ts"
import {
  byWhom,
  resolutionProblem,
  resolveConflict,
  type ResolveOptions
} from "../../state/merging/resolving.ts"
import type { StateFailure } from "../../state/parts.ts"
import { headOf } from "../../state/past/reading.ts"
import type { States } from "../../state/states.ts"
import type { InboxConflict } from "../../state/store.ts"
import { keyOfPath } from "../../state/tier.ts"
import { bring, sourceOf } from "../bringing.ts"
import { leave } from "../leaving.ts"
import { type Pair, synchronise, trySynchronise } from "../pair.ts"
import { noted, type Seen, whileOpen } from "./finding.ts"
import { type Remember, remembering } from "./remembering.ts"

/** Who decides a conflict, why, and what else is to come of it. */
export interface DecideOptions extends ResolveOptions {
  /** Makes a rule of the resolution, which decides what comes after. Only of `ours` and `theirs`. Default: false. */
  readonly remember?: boolean | Remember
  /** Of a merge: finishes it, where this was its last open conflict. Default: false. */
  readonly finish?: boolean
}

/** What a resolution has come to. */
export interface Resolved {
  readonly id: string
  /** `decided`: other conflicts keep it from the target, or the merge is not finished yet. */
  readonly status: "decided" | "resolved"
  /** The paths of those: of the same keys, or of the merge. */
  readonly open: ReadonlyArray<string>
  /** Of the target, where it was written. */
  readonly version: number | undefined
  readonly token: string | undefined
}

const invalid = (problem: string): LogError => logError(new InvalidArgument({ problem }))

const problemOf = ({ kind, conflict, path }: InboxConflict, resolution: Resolution): string | undefined =>
  resolutionProblem(conflict, resolution) ??
  (kind === "merge" || conflict.kind !== "constraint" || ["ours", "theirs"].includes(resolution.use as string)
    ? undefined
    : `The conflict at ${path} is of what a whole tier would be: decide by ours or theirs, or mend one of the states and synchronise again`)

/**
 * Decides an open conflict, for good: a synchronisation that meets it again does as was decided. Fails with UnknownConflict, ConflictEnded,
 * ConflictMoved, StateInvalid, InvalidArgument; and as `syncStates`, `finish` do, and then it is decided all the same.
 */
export const decideConflict = Effect.fnUntraced(function* (
  states: States["Service"],
  id: string,
  resolution: Resolution,
  options: DecideOptions = {}
): Effect.fn.Return<Resolved, StateFailure> {
  const decided = yield* whileOpen<string | DecidedPair>(states.parts, id, (seen) => {
    const problem = problemOf(seen.entry, resolution)
    if (problem !== undefined) return Effect.fail(invalid(problem))
    return seen.entry.kind === "merge"
      ? Effect.as(decidedInMerge(states, seen.entry, resolution, options), seen.entry.merge!)
      : decidedInSync(states, seen, resolution, options)
  })
  return typeof decided === "string"
    ? yield* afterMerge(states, id, decided, options)
    : yield* afterSync(id, decided)
})

const decidedInMerge = (
  { parts }: States["Service"],
  entry: InboxConflict,
  resolution: Resolution,
  { remember, ...by }: DecideOptions
): Effect.Effect<void, StateFailure> =>
  resolveConflict(parts, entry.merge!, entry.path, resolution, by, {
    conflict: entry.id,
    also: remembering(parts, entry, resolution, remember)
  })

const afterMerge = Effect.fnUntraced(function* (
  { parts }: States["Service"],
  id: string,
  merge: string,
  { finish = false, ...by }: DecideOptions
): Effect.fn.Return<Resolved, StateFailure> {
  const open = openPaths(yield* loadMerge(parts, merge))
  if (!finish || open.length > 0) return { id, status: "decided", open, version: undefined, token: undefined }
  const { version, token } = yield* finishMerge(parts, merge, byWhom(by))
  return { id, status: "resolved", open, version, token }
})

/** The source and the target of a conflict, with the keys that are left because of it. */
const pairOf = Effect.fnUntraced(function* (
  states: States["Service"],
  { source, sourceBranch, target, targetBranch, keys, rules }: InboxConflict,
  by: ResolveOptions
): Effect.fn.Return<Pair, StateFailure> {
  const from = yield* states.scene(source, { branch: sourceBranch })
  const to = yield* states.scene(target, { branch: targetBranch })
  const selection = { tiers: [], keys: keys.map((key) => keyOfPath(parsePointer(key)!)!) }
  const head = yield* Effect.result(headOf(to))
  return {
    sync: uuid(),
    link: undefined,
    isQuiet: false,
    source: yield* sourceOf(from, selection),
    target: to,
    head,
    selection,
    how: { strategy: "merge", rules },
    by: byWhom(by),
    since: performance.now()
  }
})

/** What is to be synchronised by now, and which conflicts still keep it from that. */
interface DecidedPair {
  readonly pair: Pair
  readonly path: string
  readonly open: ReadonlyArray<string>
}

const decidedInSync = Effect.fnUntraced(function* (
  states: States["Service"],
  seen: Seen,
  resolution: Resolution,
  { remember, ...by }: DecideOptions
): Effect.fn.Return<DecidedPair, StateFailure> {
  const { entry } = seen
  const { parts } = states
  const { path } = entry
  const pair = yield* pairOf(states, entry, by)
  const digest = entry.conflict.digest!
  const how = { ...pair.how, tried: new Map([[path, { digest, resolution }]]) }
  const head = yield* headOf(pair.target)
  const brought = yield* bring(pair.target, head, pair.source, pair.selection, how)
  if (!brought.decided.has(path)) return yield* moved(states, seen, pair)
  if (brought.conflicts.some((conflict) => conflict.path === path))
    return yield* invalid(
      `What was at ${path} before is not known, since several versions were: decide by a side or a value`
    )
  const wrong = brought.conflicts.find(({ kind }) => kind === "constraint")
  if (wrong !== undefined) {
    const { agent, branch } = pair.target.name
    return yield* stateError(
      new StateInvalid({ agent, branch, tier: wrong.path.slice(1), problem: wrong.problem! })
    )
  }
  const event = StateConflictDecided.make({
    source: { agent: entry.source, name: entry.sourceBranch },
    target: { agent: entry.target, name: entry.targetBranch },
    path,
    conflict: entry.conflict as unknown as JsonObject,
    digest,
    resolution: JSON.parse(JSON.stringify(resolution)) as JsonObject
  })
  yield* noted(parts, seen, event, byWhom(by), yield* remembering(parts, entry, resolution, remember))
  return { pair, path, open: brought.conflicts.map((conflict) => conflict.path) }
})

/** Has the inbox know what there is now, and says that it is to be looked at. */
const moved = Effect.fnUntraced(function* (
  { parts }: States["Service"],
  seen: Seen,
  pair: Pair
): Effect.fn.Return<never, StateFailure> {
  const { id, path, conflict } = seen.entry
  const { conflicts } = yield* trySynchronise(pair)
  const isGone = !conflicts.some((one) => one.path === path)
  if (conflicts.length > 0) yield* leave(pair, conflicts, undefined)
  else {
    const event = StateConflictClosed.make({ why: "gone", digest: conflict.digest! })
    yield* noted(parts, seen, event, pair.by)
  }
  return yield* stateError(new ConflictMoved({ conflict: id, path, isGone }))
})

/** Brings the keys of a conflict into the target, where nothing else keeps them from it. */
const afterSync = Effect.fnUntraced(function* (
  id: string,
  { pair, path, open }: DecidedPair
): Effect.fn.Return<Resolved, StateFailure> {
  if (open.length > 0) return { id, status: "decided", open, version: undefined, token: undefined }
  const { version, token, conflicts } = yield* synchronise(pair)
  if (conflicts.length === 0) return { id, status: "resolved", open, version, token }
  yield* leave(pair, conflicts, undefined)
  const isGone = !conflicts.some((one) => one.path === path)
  return yield* stateError(new ConflictMoved({ conflict: id, path, isGone }))
})
