import { Effect } from "effect"
import type { MaybeJson } from "../base/json-value.ts"
import type { BranchState } from "../state/branch/branch-state.ts"
import { pointerOfKey } from "../state/change/writing.ts"
import { constraints } from "../state/definition/constraining.ts"
import { InvalidArgument, logError } from "../log/error.ts"
import type { Conflict, Merged } from "../state/merge/conflict.ts"
import { evenedOut } from "../state/merge/evening.ts"
import { merge3 } from "../state/merge/merge.ts"
import { type Resolution, resolve } from "../state/merge/resolve.ts"
import type { Rule } from "../state/merge/rule.ts"
import { settle, type Strategy } from "../state/merge/settle.ts"
import { valueOfPlan } from "../state/merge/virtual-base.ts"
import { isSame } from "../state/merge/virtual.ts"
import { keyOfConflict } from "../state/merging/combining.ts"
import { digestOf } from "../state/merging/conflict-name.ts"
import { type Bases, basesOf, type Held, type KnownByBoth } from "../state/merging/key-bases.ts"
import type { StateFailure, StateScene } from "../state/parts.ts"
import { goingOn } from "../state/past/reading.ts"
import { begun, nodeOf, ready } from "../state/past/history.ts"
import { unknownBranch } from "../state/past/refs.ts"
import type { Node, Selection } from "../state/store.ts"
import { type KeyId, placeOfKey } from "../state/tier.ts"
import { type Decision, decisionsOf, type Deciding } from "./conflicts/decisions.ts"

/** Some keys of a state at one version. */
export interface Source {
  readonly scene: StateScene
  readonly state: BranchState
  readonly node: Node
  readonly values: ReadonlyMap<KeyId, MaybeJson>
  readonly held: Held
}

/** Of more keys than these, what is known is asked of what is kept ready: to look for each among events takes longer than to wait. */
const MANY = 256

export interface How {
  readonly strategy: Strategy
  readonly rules: ReadonlyArray<Rule>
  /** Decisions to be tried that are not written down, by path. */
  readonly tried?: ReadonlyMap<string, Decision>
}

/** What a source has of some keys, brought into a target: in memory only. */
export interface Brought {
  /** The keys of which the target has all that the source has then, as they are to be. */
  readonly values: ReadonlyMap<KeyId, MaybeJson>
  /** Only the source has changed them … */
  readonly applied: ReadonlyArray<KeyId>
  /** … both have, and it was brought together … */
  readonly merged: ReadonlyArray<KeyId>
  /** … and the source has nothing new of them. */
  readonly skipped: ReadonlyArray<KeyId>
  /** Of these the source knows more of others than the target does. */
  readonly learnt: ReadonlySet<KeyId>
  /** What both know of other branches, as far as a key is concerned. */
  readonly known: ReadonlyMap<KeyId, KnownByBoth>
  /** Why other keys are left as they are. */
  readonly conflicts: ReadonlyArray<Conflict>
  /** How many conflicts a rule, the strategy or somebody has decided, of each key. */
  readonly settled: ReadonlyMap<KeyId, number>
  /** The conflicts that somebody has decided, by path … */
  readonly decided: ReadonlyMap<string, Resolution>
  /** … and the keys of these: also where they are left as they are, others are to hear of it. */
  readonly decidedKeys: ReadonlySet<KeyId>
}

/** The values of a state: what is known of the branch goes on with it, these do not. */
const valuesOf = (state: BranchState, { tiers, keys }: Selection): ReadonlyMap<KeyId, MaybeJson> =>
  new Map([...keys.map((key) => [key, state.value(key)] as const), ...state.entries(tiers)])

/** Some keys of a state as it is now. Fails with UnknownBranch, where nobody has written it. */
export const sourceOf = Effect.fnUntraced(function* (
  scene: StateScene,
  selection: Selection
): Effect.fn.Return<Source, StateFailure> {
  const state = yield* goingOn(scene, selection, true)
  if (state.version === 0) return yield* unknownBranch(scene.name)
  const head = state.outline()
  const values = new Map(valuesOf(state, selection))
  // A key that it has no more is one that it had: others may have it still.
  for (const key of yield* goneOf(scene, state, selection.tiers))
    if (!values.has(key)) values.set(key, undefined)
  if (state.version === head.version) scene.parts.past.keep(state, values)
  return { scene, state: head, node: nodeOf(head), values, held: { state, values } }
})

/** The keys of some tiers that a branch has removed, and maybe others that it has. */
const goneOf = Effect.fnUntraced(function* (
  { parts: { store } }: StateScene,
  state: BranchState,
  tiers: Selection["tiers"]
): Effect.fn.Return<ReadonlyArray<KeyId>, StateFailure> {
  if (tiers.length === 0) return []
  const known = state.meetings.goneOf(tiers)
  if (known !== undefined) return known
  const node = nodeOf(state)
  const gone = yield* store.goneKeys(node, tiers)
  if (state.version === node.version) state.meetings.learnGone(tiers, gone)
  return gone
})

/** Some keys of a branch at the version that it is at, and the branch where it goes on from there. */
const targetOf = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  selection: Selection
): Effect.fn.Return<
  { readonly values: ReadonlyMap<KeyId, MaybeJson>; readonly held: Held | undefined },
  StateFailure
> {
  if (head.version === 0) return yield* unknownBranch(scene.name)
  const state = yield* goingOn(scene, selection, false)
  if (state.id !== head.id || state.version !== head.version) {
    const then = yield* scene.parts.refs.at(scene.name, nodeOf(head), selection)
    return { values: valuesOf(then, selection), held: undefined }
  }
  const values = valuesOf(state, selection)
  return { values, held: { state, values } }
})

/** A strategy of the caller's may throw. */
const settling = <A>(use: () => A): Effect.Effect<A, StateFailure> =>
  Effect.try({
    try: use,
    catch: (thrown) =>
      logError(
        new InvalidArgument({
          problem: `The strategy threw ${thrown instanceof Error ? thrown.message : String(thrown)}: let it return a resolution, or undefined`
        })
      )
  })

const winnerless = (rule: Rule): Rule =>
  Object.fromEntries(Object.entries(rule).filter(([setting]) => setting !== "strategy")) as unknown as Rule

/** Brings some keys together, each with what both had of it when they last met. */
export const bring = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  source: Source,
  selection: Selection,
  { strategy, rules: own, tried }: How
): Effect.fn.Return<Brought, StateFailure> {
  const { parts, name } = scene
  const { values: ours, held } = yield* targetOf(scene, head, selection)
  const keys = [...new Set([...source.values.keys(), ...ours.keys()])].toSorted()
  const sides = {
    target: nodeOf(head),
    source: source.node,
    upTo: Math.max(head.position, source.state.position),
    held: { target: held, source: source.held },
    ready: (asked: number) => (asked > MANY ? ready : begun)(scene, head, source.state)
  }
  const { definitions } = parts
  const [bases, theirs, declared] = yield* Effect.all(
    [
      basesOf(parts, sides, keys),
      definitions.rules(source.scene.name.agent, source.state.agentType),
      definitions.rules(name.agent, head.agentType)
    ],
    { concurrency: 3 }
  )
  // Where both sides say how a path is merged, the target does; and who wins there is said of the target alone.
  const rules = [...theirs.map(winnerless), ...declared, ...own]
  const found = yield* settling(() =>
    keys.map((key) => {
      const one = together(key, bases, ours.get(key), source.values.get(key), rules, strategy)
      return one.kind === "skipped" && isNews(bases.known.get(key)!, head.id, source.node.branch)
        ? { ...one, kind: "learnt" as const }
        : one
    })
  )
  const deciding = { parts, source: sideOf(source.scene), target: sideOf(scene), tried }
  const decided = yield* decisionsOf(
    deciding,
    found.flatMap(({ conflicts }) => conflicts)
  )
  const brought = found.map((one) => decidedFor(one, decided))
  const fit = yield* fitting(scene, head, brought, ours, deciding)
  return { ...fit, decided: new Map([...decided, ...fit.decided]), known: bases.known }
})

const sideOf = ({ name: { agent, branch } }: StateScene) => ({ agent, name: branch })

type Kind = "applied" | "merged" | "skipped" | "learnt" | "left"

/**
 * The source knows more of others than the target does: what they had, and the source has no more, would come back by way of them, if the target
 * did not know as much. And whoever has decided to leave a key as it is has heard of what was against it: whose that was would decide again.
 */
const isNews = ({ target, source, decided }: KnownByBoth, own: number, from: number): boolean => {
  const isNew = ([branch, version]: readonly [number, number]): boolean =>
    branch !== own && (target.get(branch) ?? 0) < version
  return isNew([from, decided.source ?? 0]) || [...source].some((one) => one[0] !== from && isNew(one))
}

interface One {
  readonly key: KeyId
  readonly kind: Kind
  readonly value: MaybeJson
  readonly conflicts: ReadonlyArray<Conflict>
  readonly settled: number
  /** Somebody has decided it. */
  readonly isDecided?: true
  /** Of a key that is left: what is merged of it, and what its value is still to go through. */
  readonly rest?: Merged
  readonly even?: (value: MaybeJson) => MaybeJson
}

const together = (
  key: KeyId,
  { plans, value: valueAt }: Bases,
  ours: MaybeJson,
  theirs: MaybeJson,
  rules: ReadonlyArray<Rule>,
  strategy: Strategy
): One => {
  const { tier, key: part } = placeOfKey(key)
  const path = [tier, part]
  const plan = plans.get(key)!
  const base = valueOfPlan(plan, (node) => valueAt(key, node), rules, path)
  if (isSame(base, theirs)) {
    const even = evenedOut(ours, theirs, rules, path)
    const kind = isSame(even, ours) ? "skipped" : "merged"
    return { key, kind, value: even, conflicts: [], settled: 0 }
  }
  const even = (value: MaybeJson): MaybeJson =>
    evenedOut(evenedOut(value, theirs, rules, path), ours, rules, path)
  const merged = settle(merge3({ base, ours, theirs, path, rules }), strategy, rules)
  const settled = merged.settled.length
  if (merged.conflicts.length > 0) {
    const conflicts = merged.conflicts.map((one) => ({ ...one, digest: digestOf(one, plan.nodes) }))
    return { key, kind: "left", value: ours, conflicts, settled, rest: { ...merged, conflicts }, even }
  }
  const value = even(merged.value)
  const kind = isSame(base, ours) && isSame(value, theirs) ? "applied" : "merged"
  return { key, kind, value, conflicts: [], settled }
}

/** A key of which all conflicts are decided is left no more. */
const decidedFor = (one: One, decided: ReadonlyMap<string, Resolution>): One => {
  const { key, rest, even } = one
  if (rest === undefined || even === undefined || decided.size === 0) return one
  const { value, conflicts } = resolve(rest, decided)
  const settled = one.settled + one.conflicts.length - conflicts.length
  return conflicts.length > 0
    ? { ...one, conflicts }
    : { key, kind: "merged", value: even(value), conflicts, settled, isDecided: true }
}

const tierOf = (conflict: Conflict): string => placeOfKey(keyOfConflict(conflict)).tier

/** Leaves out what would make a tier another one than is declared, tier by tier, unless somebody has decided that. */
const fitting = Effect.fnUntraced(function* (
  scene: StateScene,
  head: BranchState,
  brought: ReadonlyArray<One>,
  ours: ReadonlyMap<KeyId, MaybeJson>,
  deciding: Deciding
): Effect.fn.Return<Omit<Brought, "known">, StateFailure> {
  let taken = brought.filter(({ kind }) => kind !== "skipped" && kind !== "left")
  const conflicts = brought.flatMap((one) => one.conflicts)
  const decided = new Map<string, Resolution>()
  const inTier =
    (tier: string) =>
    ({ key }: One): boolean =>
      placeOfKey(key).tier === tier
  for (;;) {
    const values = new Map(taken.map(({ key, value }) => [key, value] as const))
    const found = taken.length === 0 ? [] : yield* constraints(scene, head, values)
    // What is wrong already is none of this.
    const wrong = found.filter(
      (conflict) => !decided.has(conflict.path) && taken.some(inTier(tierOf(conflict)))
    )
    const uses = yield* decisionsOf(deciding, wrong)
    for (const conflict of wrong) {
      const isIn = inTier(tierOf(conflict))
      const resolution = uses.get(conflict.path)
      if (resolution === undefined) {
        conflicts.push({ ...conflict, changed: taken.filter(isIn).map(({ key }) => pointerOfKey(key)) })
        taken = taken.filter((one) => !isIn(one))
      } else {
        decided.set(conflict.path, resolution)
        // Else what comes out is taken as it is, whatever its schema says.
        const used = (one: One): MaybeJson => (resolution.use === "ours" ? ours.get(one.key) : one.value)
        taken = taken.map((one) => (isIn(one) ? { ...one, value: used(one), isDecided: true } : one))
      }
    }
    if (wrong.length === 0) {
      const keysThat = (of: ReadonlyArray<One>, ...kinds: ReadonlyArray<Kind>): ReadonlyArray<KeyId> =>
        of.filter(({ kind }) => kinds.includes(kind)).map(({ key }) => key)
      return {
        values,
        applied: keysThat(taken, "applied"),
        merged: keysThat(taken, "merged"),
        skipped: keysThat(brought, "skipped", "learnt"),
        learnt: new Set(keysThat(taken, "learnt")),
        conflicts,
        settled: new Map(taken.map(({ key, settled }) => [key, settled])),
        decided,
        decidedKeys: new Set(taken.flatMap(({ key, isDecided }) => (isDecided === true ? [key] : [])))
      }
    }
  }
})
