import fc from "fast-check"
import { isJsonArray, isJsonObject, type Json } from "../../src/base/json-value.ts"
import type { PatchOperation } from "../../src/base/patch-operation.ts"
import { formatPointer, type Path } from "../../src/base/pointer.ts"

/** Keys that something may take for something else: a part of a pointer, an index, an end, what objects inherit. */
export const AWKWARD_KEYS = ["", "~", "/", "a/b", "~1", "0", "1", "01", "-", "-1", "constructor", "prototype"]

const key = fc.oneof(fc.constantFrom("a", "b", "c"), fc.constantFrom(...AWKWARD_KEYS))

/** As JavaScript and PostgreSQL both hold them exactly. */
const number = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.integer(),
  fc.constantFrom(0.5, -1.25, 1e15, 2 ** 53 - 1)
)

const text = fc.oneof(
  fc.constantFrom("", "x", 'a "quoted" text\n'),
  fc.string({ unit: "grapheme-ascii", maxLength: 5 })
)

const scalar: fc.Arbitrary<Json> = fc.oneof(number, text, fc.boolean(), fc.constant(null))

/** Any JSON of a few levels, in which little things are often equal. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true })
  )
})).value

/** Every path of a document, the document's own first. */
const pathsOf = (value: Json, path: Path = []): ReadonlyArray<Path> => [
  path,
  ...(isJsonArray(value) || isJsonObject(value)
    ? Object.entries(value).flatMap(([part, child]) => pathsOf(child as Json, [...path, part]))
    : [])
]

interface Draw {
  readonly op: PatchOperation["op"]
  readonly from: number
  readonly to: number
  /** What comes after the path that `to` draws. */
  readonly more: Path
  readonly value: Json
}

const part = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "0", "1", "2", "-") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...AWKWARD_KEYS, "1e0", "toString", "length", "4294967296", " 1", "+1")
  }
)

const draw: fc.Arbitrary<Draw> = fc.record({
  op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
  from: fc.nat(),
  to: fc.nat(),
  more: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.tuple(part) }),
  value: json
})

const operationOf = (paths: ReadonlyArray<Path>, { op, from, to, more, value }: Draw): PatchOperation => {
  const path = formatPointer([...paths[to % paths.length]!, ...more])
  if (op === "remove") return { op, path }
  if (op === "move" || op === "copy") return { op, from: formatPointer(paths[from % paths.length]!), path }
  return { op, path, value }
}

export interface Patched {
  readonly document: Json
  readonly patch: ReadonlyArray<PatchOperation>
}

/** A document, and a patch of up to `most` operations: most of its paths are in the document, or would be right after them. */
export const patched = (most: number): fc.Arbitrary<Patched> =>
  fc.tuple(json, fc.array(draw, { minLength: 1, maxLength: most })).map(([document, draws]) => {
    const paths = pathsOf(document)
    return { document, patch: draws.map((drawn) => operationOf(paths, drawn)) }
  })
