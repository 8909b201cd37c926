import fc from "fast-check"
import type { Value } from "./document.ts"
import type { MergeAsked, ModelStrategy } from "./merges.ts"
import type { Operation } from "./patch.ts"
import { key, LONG, tier, topKey, value } from "./values.ts"

/** A version by one of its names; which one is found when the program runs. */
export interface Reference {
  readonly by: "newest" | "version" | "commit" | "tag" | "token"
  readonly nth: number
}

export interface OperationSeed {
  readonly op: Operation["op"]
  readonly at: number
  readonly to: number
  readonly key: string
  readonly value: Value
}

/** What steps there are, and what is said of each; names and versions are chosen when it runs, from what there is then. */
interface Doings {
  update: {
    readonly values: ReadonlyArray<readonly [tier: number, key: string, value: Value]>
    readonly base: number | null
  }
  patch: { readonly operations: ReadonlyArray<OperationSeed>; readonly base: number | null }
  commit: { readonly message: string }
  tag: { readonly tag: number; readonly of: Reference; readonly move: boolean }
  untag: { readonly tag: number }
  branch: { readonly to: string; readonly at: Reference }
  delete: { readonly other: number }
  merge: {
    readonly from: number
    readonly mode: MergeAsked["mode"]
    readonly strategy: ModelStrategy
    readonly isRuled: boolean
  }
  resolve: {
    readonly merge: number
    readonly conflict: number
    readonly use: "ours" | "theirs" | "base" | "value"
  }
  finish: { readonly merge: number }
  abort: { readonly merge: number }
  revert: { readonly of: Reference; readonly strategy: ModelStrategy }
  checkpoint: { readonly together: boolean }
  restore: { readonly checkpoint: number; readonly merge: boolean; readonly together: boolean }
  restoreTo: { readonly to: Reference; readonly merge: boolean }
  drop: { readonly checkpoint: number }
  session: { readonly id: string | null }
  read: { readonly of: Reference }
}

export type Doing = { [Kind in keyof Doings]: { readonly kind: Kind } & Doings[Kind] }[keyof Doings]

export interface Step {
  readonly engine: number
  readonly agent: number
  readonly branch: number
  readonly does: Doing
}

export const BRANCHES = ["main", "a", "b", "a/b", "c"] as const
export const TAGS = ["v1", "v2"] as const

const nth = fc.nat(10_000)

const reference: fc.Arbitrary<Reference> = fc.record({
  by: fc.constantFrom("newest", "version", "version", "commit", "tag", "token"),
  nth
})

const base = fc.option(nth, { freq: 2 })

const operation = fc.record({
  op: fc.constantFrom<Operation["op"]>("add", "add", "add", "replace", "remove", "test", "move", "copy"),
  at: nth,
  to: nth,
  key,
  value
})

const strategy = fc.constantFrom<ModelStrategy>(
  "merge",
  "merge",
  "merge",
  "merge",
  "source_wins",
  "target_wins"
)
const mode = fc.constantFrom<MergeAsked["mode"]>(
  "recursive",
  "recursive",
  "recursive",
  "recursive",
  "recursive",
  "fast_forward",
  "manual"
)
const use = fc.constantFrom("ours", "theirs", "base", "value")

const step = <Kind extends keyof Doings>(
  weight: number,
  kind: Kind,
  fields: { readonly [Field in keyof Doings[Kind]]: fc.Arbitrary<Doings[Kind][Field]> }
) => ({
  weight,
  arbitrary: fc
    .record(fields as never, { noNullPrototype: true })
    .map((said) => ({ ...(said as object), kind }) as unknown as Doing)
})

const doing: fc.Arbitrary<Doing> = fc.oneof(
  step(24, "update", { values: fc.array(fc.tuple(tier, topKey, value), { maxLength: 3 }), base }),
  step(12, "patch", { operations: fc.array(operation, { minLength: 1, maxLength: 3 }), base }),
  step(2, "commit", { message: fc.constantFrom("one", "two") }),
  step(2, "tag", { tag: fc.nat(1), of: reference, move: fc.boolean() }),
  step(1, "untag", { tag: fc.nat(1) }),
  step(4, "branch", { to: fc.constantFrom(...BRANCHES), at: reference }),
  step(2, "delete", { other: nth }),
  step(16, "merge", { from: nth, mode, strategy, isRuled: fc.boolean() }),
  step(10, "resolve", { merge: nth, conflict: nth, use: use as fc.Arbitrary<Doings["resolve"]["use"]> }),
  step(4, "finish", { merge: nth }),
  step(1, "abort", { merge: nth }),
  step(4, "revert", { of: reference, strategy }),
  step(2, "checkpoint", { together: fc.boolean() }),
  step(4, "restore", { checkpoint: nth, merge: fc.boolean(), together: fc.boolean() }),
  step(4, "restoreTo", { to: reference, merge: fc.boolean() }),
  step(1, "drop", { checkpoint: nth }),
  step(2, "session", { id: fc.option(fc.constantFrom("s1", "s2")) }),
  step(2, "read", { of: reference })
)

const anywhere = fc.record({
  engine: fc.nat(1),
  agent: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  branch: nth,
  does: doing
})

/** Two branches that come to differ, of which one is merged into the other: seldom without a conflict. */
const clash: fc.Arbitrary<ReadonlyArray<Step>> = fc
  .record({ one: anywhere, other: nth, tier, topKey, values: fc.tuple(value, value), use })
  .map(({ one, other: branch, tier, topKey, values: [mine, its], use }) => {
    const other = { ...one, branch }
    const change = (to: Value): Doing => ({ kind: "update", values: [[tier, topKey, to]], base: null })
    const asked = { from: one.branch, mode: "recursive", strategy: "merge", isRuled: false } as const
    return [
      { ...one, does: change(mine) },
      { ...other, does: change(its) },
      { ...other, does: { kind: "merge", ...asked } },
      { ...one, does: { kind: "resolve", merge: branch, conflict: 0, use: use as "ours" } }
    ]
  })

const steps = fc.oneof(
  { weight: 15, arbitrary: anywhere.map((one): ReadonlyArray<Step> => [one]) },
  { weight: 1, arbitrary: clash }
)

/** So that there is something to work on. */
const beginning = (value0: Value, value1: Value): ReadonlyArray<Step> => {
  const newest = { by: "newest", nth: 0 } as const
  const doings: ReadonlyArray<Doing> = [
    {
      kind: "update",
      values: [
        [0, "a", value0],
        // Small changes of it are kept as such, and not as another long value.
        [1, "a", { a: value1, long: "0".repeat(LONG) }]
      ],
      base: null
    },
    { kind: "commit", message: "zero" },
    { kind: "branch", to: "a", at: newest },
    { kind: "branch", to: "b", at: newest }
  ]
  return [0, 1].flatMap((agent) => doings.map((does): Step => ({ engine: 0, agent, branch: 0, does })))
}

export const program = (length: number): fc.Arbitrary<ReadonlyArray<Step>> =>
  fc
    .tuple(
      value,
      value,
      fc.array(steps, { minLength: Math.ceil(length / 2), maxLength: length, size: "max" })
    )
    .map(([one, other, rest]) => [...beginning(one, other), ...rest.flat()])
