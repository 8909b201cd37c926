import { Effect } from "effect"
import { uuid } from "../base/uuid.ts"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import { AgentStopped, type Conflicting, InvalidRules, stateError } from "../state/error.ts"
import type { Rule } from "../state/merge/rule.ts"
import { rulesProblem } from "../state/merge/rule-problem.ts"
import type { Strategy } from "../state/merge/settle.ts"
import type { ByWhom, StateFailure, StateScene } from "../state/parts.ts"
import { headOf } from "../state/past/reading.ts"
import type { States } from "../state/states.ts"
import type { Selection } from "../state/store.ts"
import type { Tier } from "../state/tier.ts"
import { type How, sourceOf } from "./bringing.ts"
import { keysOf } from "./keys.ts"
import { leave } from "./leaving.ts"
import { type Pair, synchronise, tookMs, trySynchronise } from "./pair.ts"

/** An agent, or a branch of its state; `main` by default. */
export type Place = string | { readonly agent: string; readonly branch?: string }

export interface SyncKeys {
  /** Keys of tiers, as RFC 6901 pointers: `/shared/plan`, or all of a tier, `/shared/**`. */
  readonly keys: ReadonlyArray<string>
  /** The tiers whose keys may be named. Default: `shared` and `persistent`. */
  readonly tiers?: ReadonlyArray<Tier>
  /** What becomes of conflicts: the keys are left as they are (`merge`, the default), one side wins, or a function decides. */
  readonly strategy?: Strategy
  /** For this synchronisation, before those that are declared. */
  readonly rules?: ReadonlyArray<Rule>
}

export interface SyncOptions extends SyncKeys, ByWhom {
  readonly from: Place
  readonly to: ReadonlyArray<Place>
  /** Only tells what would be done. Default: false. */
  readonly dryRun?: boolean
}

export interface DetectOptions extends SyncKeys {
  readonly source: Place
  readonly target: Place
}

/** What a synchronisation has done to one target. */
export interface SyncedTarget {
  readonly agent: string
  readonly branch: string
  /** `conflicts`: keys are left with such; all others are taken over. `failed`: nothing was done, because of `error`. */
  readonly status: "synced" | "up_to_date" | "conflicts" | "failed"
  /** Of the target, after it; undefined where it failed. */
  readonly version: number | undefined
  readonly token: string | undefined
  /** The keys that only the source has changed since both last met, as RFC 6901 pointers … */
  readonly applied: ReadonlyArray<string>
  /** … those that both have changed, and that were merged … */
  readonly merged: ReadonlyArray<string>
  /** … and those of which the source has nothing new. */
  readonly skipped: ReadonlyArray<string>
  readonly conflicts: ReadonlyArray<Conflicting>
  readonly error: StateFailure["reason"] | undefined
  readonly durationMs: number
}

export interface Synced {
  /** Names it in the log and in `state_sync_events`. */
  readonly sync: string
  readonly source: { readonly agent: string; readonly branch: string; readonly version: number }
  /** In the order of `to`. */
  readonly targets: ReadonlyArray<SyncedTarget>
}

/** How many targets are worked on at once: what they ask the log for goes into one question. */
const AT_ONCE = 128

const STRATEGIES: ReadonlySet<unknown> = new Set(["merge", "source_wins", "target_wins"])

const invalid = (problem: string): LogError => logError(new InvalidArgument({ problem }))

export const sceneAt = (states: States["Service"], place: Place): Effect.Effect<StateScene, LogError> => {
  if (typeof place !== "string" && (typeof place !== "object" || place === null))
    return Effect.fail(invalid(`${String(place)} is no agent: give the name of one, or { agent, branch }`))
  const { agent, branch } = typeof place === "string" ? { agent: place } : place
  return states.scene(agent, branch === undefined ? {} : { branch })
}

/** What is to be synchronised, and how; or why that cannot be. */
const wantedOf = Effect.fnUntraced(function* ({
  keys,
  tiers,
  strategy = "merge",
  rules = []
}: SyncKeys): Effect.fn.Return<{ readonly selection: Selection; readonly how: How }, StateFailure> {
  const selection = keysOf(keys, tiers)
  if (selection instanceof InvalidArgument) return yield* logError(selection)
  const problem = rulesProblem(rules)
  if (problem !== undefined) return yield* stateError(new InvalidRules({ problem }))
  if (typeof strategy !== "function" && !STRATEGIES.has(strategy))
    return yield* invalid(
      `There is no strategy ${JSON.stringify(strategy)}: give merge, source_wins, target_wins, or a function`
    )
  return { selection, how: { strategy, rules } }
})

const scenesOf = Effect.fnUntraced(function* (
  states: States["Service"],
  { from, to }: Pick<SyncOptions, "from" | "to">
): Effect.fn.Return<readonly [from: StateScene, to: ReadonlyArray<StateScene>], StateFailure> {
  if (!Array.isArray(to) || to.length === 0)
    return yield* invalid("There is nobody to synchronise with: name agents in `to`")
  const source = yield* sceneAt(states, from)
  const targets = yield* Effect.forEach(to as ReadonlyArray<Place>, (place) => sceneAt(states, place))
  const streams = targets.map(({ name }) => name.stream)
  if (streams.includes(source.name.stream))
    return yield* invalid(
      `The state of ${JSON.stringify(source.name.agent)} is to be synchronised with itself: leave it out of \`to\``
    )
  const twice = targets.find(({ name }, at) => streams.indexOf(name.stream) !== at)
  if (twice !== undefined)
    return yield* invalid(`${JSON.stringify(twice.name.agent)} is named twice in \`to\`: name it once`)
  return [source, targets]
})

/** The source as it is now, with each of its targets. Fails with what is wrong with all of it. */
export const pairsOf = Effect.fnUntraced(function* (
  states: States["Service"],
  { actor, reason, meta, ...options }: Omit<SyncOptions, "dryRun">
): Effect.fn.Return<ReadonlyArray<Pair>, StateFailure> {
  const { selection, how } = yield* wantedOf(options)
  const [scene, targets] = yield* scenesOf(states, options)
  const looked = Effect.forEach(targets, (target) => Effect.result(headOf(target)), { concurrency: AT_ONCE })
  const [source, heads] = yield* Effect.all([sourceOf(scene, selection), looked], { concurrency: 2 })
  const by: ByWhom = {
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    ...(meta === undefined ? {} : { meta })
  }
  const of = {
    sync: uuid(),
    link: undefined,
    isQuiet: false,
    source,
    selection,
    how,
    by,
    since: performance.now()
  }
  return targets.map((target, at) => ({ ...of, target, head: heads[at]! }))
})

/** What a synchronisation is part of, and what it has to keep to. */
export interface Course {
  /** The link that it is done for. */
  readonly link?: string
  /** Conflicts of both sides' values are not written down: they are by who brings the other way. */
  readonly isQuiet?: boolean
  /** Those of some agents into whose states nothing is brought. */
  readonly stopped?: (agents: ReadonlyArray<string>) => Effect.Effect<ReadonlySet<string>, StateFailure>
}

/** Brings what a state has of some keys into others. Each target succeeds or fails alone. */
export const syncStates = Effect.fnUntraced(function* (
  states: States["Service"],
  { dryRun = false, ...options }: SyncOptions,
  { link, isQuiet = false, stopped: stoppedOf }: Course = {}
): Effect.fn.Return<Synced, StateFailure> {
  const pairs: ReadonlyArray<Pair> = (yield* pairsOf(states, options)).map((pair) => ({
    ...pair,
    link,
    isQuiet
  }))
  const agents = pairs.map(({ target }) => target.name.agent)
  const stopped = stoppedOf === undefined ? new Set<string>() : yield* stoppedOf(agents)
  const one = (pair: Pair) =>
    stopped.has(pair.target.name.agent) ? refused(pair, dryRun) : alone(pair, dryRun)
  const targets = yield* Effect.forEach(pairs, one, { concurrency: AT_ONCE })
  const [{ sync, source }] = pairs as readonly [Pair, ...ReadonlyArray<Pair>]
  const { agent, branch } = source.scene.name
  return { sync, source: { agent, branch, version: source.node.version }, targets }
})

/** The conflicts that a synchronisation would have; nothing is done. Fails with what is wrong with the target, too. */
export const detectConflicts = Effect.fnUntraced(function* (
  states: States["Service"],
  { source, target, ...how }: DetectOptions
): Effect.fn.Return<ReadonlyArray<Conflicting>, StateFailure> {
  const [pair] = yield* pairsOf(states, { ...how, from: source, to: [target] })
  return (yield* trySynchronise(pair!)).conflicts
})

/** Nothing is brought into the state of an agent that was stopped. */
const refused = (pair: Pair, dryRun: boolean): Effect.Effect<SyncedTarget> =>
  failing(pair, dryRun, new AgentStopped({ agent: pair.target.name.agent }))

const failing = (pair: Pair, dryRun: boolean, error: StateFailure["reason"]): Effect.Effect<SyncedTarget> =>
  Effect.gen(function* () {
    const { agent, branch } = pair.target.name
    // What a link could not bring is in the queue, with why: it would be written down again with every change.
    if (!dryRun && pair.link === undefined) yield* leave(pair, [], error.name)
    return {
      agent,
      branch,
      status: "failed",
      version: undefined,
      token: undefined,
      applied: [],
      merged: [],
      skipped: [],
      conflicts: [],
      error,
      durationMs: tookMs(pair)
    }
  })

/** What goes wrong with one target is told of it, and does not keep others from being synchronised. */
const alone = (pair: Pair, dryRun: boolean): Effect.Effect<SyncedTarget, StateFailure> =>
  Effect.gen(function* () {
    const result = yield* Effect.result(dryRun ? trySynchronise(pair) : synchronise(pair))
    if (result._tag === "Failure") return yield* failing(pair, dryRun, result.failure.reason)
    const { agent, branch } = pair.target.name
    const durationMs = tookMs(pair)
    const { success } = result
    // What the target's type declares is known on this way alone.
    const told = success.conflicts.filter(({ kind }) => !pair.isQuiet || kind === "constraint")
    if (!dryRun && told.length > 0) yield* leave(pair, told, undefined)
    return { agent, branch, ...success, error: undefined, durationMs }
  })
