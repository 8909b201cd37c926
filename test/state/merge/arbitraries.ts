import fc from "fast-check"
import { isJsonObject, type Json, type MaybeJson, valueAt } from "../../../src/base/json-value.ts"
import type { Path } from "../../../src/base/pointer.ts"
import type { ArrayStrategy, Rule } from "../../../src/state/merge/rule.ts"

/** Few, so that sides meet at the same ones; odd ones among them. */
const key = fc.constantFrom("a", "b", "aa", "", "~", "/", "constructor", "hasOwnProperty", "0")

const scalar: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  ...[
    null,
    true,
    false,
    0,
    -0,
    1,
    2,
    1.5,
    -1,
    2 ** 53,
    2 ** 53 + 2,
    "",
    "x",
    "one\ntwo\nthree\n",
    "one\n2\nthree\n"
  ]
)

const element: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(0, 1, 2, "x", null, [1]),
  fc.record({ id: fc.constantFrom<Json>(1, 2, 3, "x"), v: fc.constantFrom<Json>(0, 1, 2) }),
  fc.record({
    id: fc.constantFrom<Json>(1, 2, 3),
    v: fc.record({ x: scalar, y: scalar }, { requiredKeys: [] })
  })
)

export const list: fc.Arbitrary<ReadonlyArray<Json>> = fc.array(element, { maxLength: 5 })

export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: "value" },
    scalar,
    list,
    fc
      .array(fc.tuple(key, tie("value")), { maxLength: 4 })
      .map((entries): Json => Object.fromEntries(entries))
  )
})).value

interface Edit {
  readonly path: Path
  readonly value: MaybeJson
}

const edits: fc.Arbitrary<ReadonlyArray<Edit>> = fc.array(
  fc.record({
    path: fc.array(key, { minLength: 1, maxLength: 3 }),
    value: fc.option(json, { nil: undefined })
  }),
  { maxLength: 4 }
)

/** The value with one of its keys set, or deleted; as deep as there are objects. */
const edited = (value: Json, { path, value: put }: Edit): Json => {
  const [first, ...rest] = path
  if (first === undefined || !isJsonObject(value)) return put ?? value
  const inside = valueAt(value, first)
  const next = rest.length > 0 && isJsonObject(inside) ? edited(inside, { path: rest, value: put }) : put
  const others = Object.entries(value).filter(([name]) => name !== first)
  return Object.fromEntries(next === undefined ? others : [...others, [first, next]])
}

/** Deeply frozen, so that who changes it throws. */
const frozen = <A extends MaybeJson>(value: A): A => {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}

const object = fc
  .array(fc.tuple(key, json), { maxLength: 5 })
  .map((entries): Json => Object.fromEntries(entries))

/** A base and two sides, which are edits of it or have little to do with it. */
export const sides = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(object, edits, edits)
        .map(
          ([base, ours, theirs]) => [base, ours.reduce(edited, base), theirs.reduce(edited, base)] as const
        )
    },
    { weight: 1, arbitrary: fc.tuple(json, json, json) }
  )
  .map(([base, ours, theirs]) => ({ base: frozen(base), ours: frozen(ours), theirs: frozen(theirs) }))

/** Rules under which arrays of both sides keep their order whichever of them is ours. */
const firm: ReadonlyArray<ArrayStrategy> = ["atomic", "sequence"]

/** Rules under which they do not. */
const loose: ReadonlyArray<ArrayStrategy> = ["set", "append", { keyed: ["id"] }]

const rulesOf = (arrays: ReadonlyArray<ArrayStrategy>): fc.Arbitrary<ReadonlyArray<Rule>> =>
  fc.array(
    fc.record(
      {
        path: fc.constantFrom("/**", "/a/**", "/*", "/b", "/*/*", "/**/a"),
        array: fc.constantFrom(...arrays),
        number: fc.constantFrom("counter", "max", "min"),
        text: fc.constant(true),
        bothAdded: fc.constantFrom("merge", "conflict"),
        moves: fc.constant("follow")
      },
      { requiredKeys: ["path"] }
    ),
    { maxLength: 3 }
  )

export const firmRules = rulesOf(firm)
export const looseRules = rulesOf(loose)
export const anyRules = rulesOf([...firm, ...loose])
