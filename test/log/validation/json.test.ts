import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { encodeJson, MAX_DEPTH } from "../../../src/base/json.ts"
import { testLog } from "../test-log.ts"

const log = testLog()

const problem = (value: unknown) => {
  const json = encodeJson(value)
  return "text" in json ? undefined : json
}

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

const cycle = () => {
  const value: Record<string, unknown> = { a: {} }
  value["a"] = { b: [value] }
  return value
}

class Point {
  readonly x = 1
  get y() {
    return 2
  }
}

describe("JSON is refused", () => {
  test.each<readonly [string, unknown, string]>([
    ["U+0000", { text: "a\0b" }, ".text"],
    ["U+0000 in a key", { a: { "b\0": 1 } }, ".a.b\0"],
    ["half a surrogate pair", ["fine", "\ud800"], "[1]"],
    ["the other half", "\udc00 ", ""],
    ["halves in the wrong order", "\udc00\ud800", ""],
    ["half a pair in a key", { "\udfff": 1 }, ".\udfff"],
    ["NaN", { n: Number.NaN }, ".n"],
    ["Infinity", [Number.POSITIVE_INFINITY], "[0]"],
    ["-Infinity", Number.NEGATIVE_INFINITY, ""],
    ["a function", { f: () => 1 }, ".f"],
    ["a symbol", { s: Symbol("s") }, ".s"],
    ["a bigint", { n: 1n }, ".n"],
    ["undefined", undefined, ""],
    ["undefined in an array", [1, undefined], "[1]"],
    ["a hole in an array", [1, , 2], "[1]"],
    ["a cycle", cycle(), ".a.b[0]"],
    ["__proto__ as a key", JSON.parse('{ "a": { "__proto__": 1 } }'), ".a.__proto__"],
    ["a Map", { m: new Map([[1, 2]]) }, ".m"],
    ["a Set", new Set([1]), ""],
    ["bytes", new Uint8Array(3), ""],
    ["a bare ArrayBuffer", new ArrayBuffer(3), ""],
    ["a RegExp", /a/, ""],
    ["an Error", { e: new Error("lost") }, ".e"],
    ["a Promise", Promise.resolve(1), ""],
    ["a WeakMap", new WeakMap(), ""],
    ["a boxed text", Object("a\0"), ""],
    ["a boxed number", Object(Number.NaN), ""],
    ["a boxed bigint", Object(1n), ""],
    ["nesting that is too deep", nested(MAX_DEPTH + 1), `${"[0].a".repeat(MAX_DEPTH / 2)}`],
    ["a toJSON that gives what is refused", { toJSON: () => ({ n: Number.NaN }) }, ".n"],
    ["a toJSON that gives nothing", { toJSON: () => undefined }, ""],
    ["a toJSON that gives a function", { a: { toJSON: () => () => 1 } }, ".a"],
    ["a toJSON in an endless row", endless(), ""]
  ])("for %s, with the place", (_, value, path) => {
    expect(problem(value)).toEqual({ path: expect.any(String), problem: expect.any(String) })
    if (path !== "") expect(problem(value)?.path).toBe(path)
  })
})

test("JSON that is sent is JSON that was checked, whatever a toJSON says the second time", () => {
  let calls = 0
  const fickle = { toJSON: () => ((calls += 1) === 1 ? "fine" : "\0") }
  expect(problem([fickle])).toMatchObject({ path: "[0]" })
})

function endless(): unknown {
  return { toJSON: endless }
}

describe("JSON is accepted", () => {
  test.each<readonly [string, unknown, string]>([
    ["null", null, "null"],
    ["a date", { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ["undefined properties, which are left out", { a: undefined, b: 1 }, '{"b":1}'],
    ["an instance of a class, by its own properties", new Point(), '{"x":1}'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [
      "the same object in several places",
      (() => {
        const one = { a: 1 }
        return [one, { one }]
      })(),
      '[{"a":1},{"one":{"a":1}}]'
    ],
    ["a property that says it is nothing, which is left out", { a: { toJSON: () => undefined } }, "{}"],
    ["a whole surrogate pair", "\ud83d\ude00", '"😀"'],
    [
      "keys that objects have by birth",
      { constructor: 1, toString: 2, hasOwnProperty: 3 },
      '{"constructor":1,"toString":2,"hasOwnProperty":3}'
    ]
  ])("for %s", (_, value, text) => {
    expect(encodeJson(value)).toEqual({ text })
  })

  test(`for nesting down to ${MAX_DEPTH}`, () => {
    expect(problem(nested(MAX_DEPTH))).toBeUndefined()
  })
})

/** What PostgreSQL's jsonb does not keep: the sign of zero. The order of keys does not matter to toEqual. */
const withoutMinusZero = (value: unknown): unknown => {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(withoutMinusZero)
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutMinusZero(one)]))
  return value
}

const anyJson = fc.anything({
  key: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "toJSON", "", "\0", "\ud800")
  ),
  values: [
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
    fc.double(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, Number.NaN, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1)
  ],
  withDate: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  withMap: true,
  withSet: true,
  withBigInt: true,
  withBoxedValues: true,
  maxDepth: 4
})

test("whatever is accepted comes back from PostgreSQL equal, and whatever is refused is said so", async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyJson, fc.jsonValue({ stringUnit: "binary" })), { minLength: 1, maxLength: 20 }),
      async (values) => {
        const texts = values.flatMap((value) => {
          const json = encodeJson(value)
          return "text" in json ? [json.text] : []
        })
        accepted += texts.length
        const rows = await log.db.query<{ value: unknown }>(
          "select to_jsonb(value) as value from unnest($1::jsonb[]) with ordinality as given (value, nth) order by nth",
          [texts]
        )
        expect(rows.map(({ value }) => withoutMinusZero(value))).toEqual(
          texts.map((text) => withoutMinusZero(JSON.parse(text)))
        )
        for (const value of values) {
          const json = encodeJson(value)
          if ("text" in json && !(value instanceof Date))
            expect(withoutMinusZero(JSON.parse(json.text))).toEqual(withoutMinusZero(plain(value)))
        }
      }
    ),
    { numRuns: 150 }
  )
  expect(accepted).toBeGreaterThan(200)
})

/** A value as JSON may give it back: undefined properties left out, dates as texts, no prototypes of its own. */
const plain = (value: unknown): unknown => {
  if (value instanceof Date) return value.toJSON()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  const json = value as Record<string, unknown>
  return Object.fromEntries(
    Object.keys(json)
      .filter((key) => json[key] !== undefined)
      .map((key) => [key, plain(json[key])])
  )
}

test("numbers come back from an event as they were, from the smallest to the largest", async () => {
  const numbers = [
    0,
    1,
    -1,
    0.1,
    1e21,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    Math.PI
  ]
  const stream = log.stream()
  await log.engine.emit(stream, { type: "Counted", data: { numbers } })
  for await (const { data } of log.engine.read(stream)) expect(data).toEqual({ numbers })
})

test("the deepest accepted nesting comes back from an event", async () => {
  const stream = log.stream()
  const data = nested(MAX_DEPTH)
  await log.engine.emit(stream, { type: "Deep", data })
  for await (const event of log.engine.read(stream)) expect(event.data).toEqual(data)
})
