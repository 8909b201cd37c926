import jsonpatch from "fast-json-patch"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../src/base/json-value.ts"
import { applyPatch } from "../../src/base/patch.ts"
import { operationPaths, PatchFailed, type PatchOperation } from "../../src/base/patch-operation.ts"
import { cases } from "./patch-suite.ts"
import { patched } from "./patches.ts"

const frozen = <A>(value: A): A => {
  if (typeof value !== "object" || value === null) return value
  for (const child of Object.values(value)) frozen(child)
  return Object.freeze(value)
}

/** Applies a patch to a document of which nothing can be changed, and finds nothing of it changed. */
const apply = (document: Json, operations: ReadonlyArray<unknown>): Json => {
  const before = JSON.stringify([document, operations])
  try {
    return applyPatch(frozen(document), frozen(operations) as ReadonlyArray<PatchOperation>)
  } finally {
    expect(JSON.stringify([document, operations])).toBe(before)
  }
}

const failure = (document: Json, operations: ReadonlyArray<unknown>): PatchFailed => {
  try {
    apply(document, operations)
  } catch (error) {
    if (error instanceof PatchFailed) return error
    throw error
  }
  return expect.unreachable("the patch was applied")
}

const outcome = (
  document: Json,
  patch: ReadonlyArray<PatchOperation>
): { readonly result: Json } | undefined => {
  try {
    return { result: apply(document, patch) }
  } catch (error) {
    expect(error).toBeInstanceOf(PatchFailed)
    return undefined
  }
}

const at = (value: Json, ...path: ReadonlyArray<string | number>): unknown => {
  let found: unknown = value
  for (const part of path) found = (found as Record<string, unknown>)[part]
  return found
}

/**
 * What fast-json-patch makes of it; undefined where it fails in a move to below a null that is not there any more once what is moved was
 * removed: it looks at what lies there before.
 */
const ofPeer = (document: unknown, patch: ReadonlyArray<unknown>) => {
  const [copied, operations] = structuredClone([document, patch]) as [unknown, Array<jsonpatch.Operation>]
  try {
    return jsonpatch.applyPatch(copied, operations, false, true, false)
  } catch (thrown) {
    if (thrown instanceof TypeError && operations.some(({ op }) => op === "move")) return undefined
    throw thrown
  }
}

describe("the suite of RFC 6902", () => {
  test("is there", () => {
    expect(cases).toHaveLength(91)
  })

  test.each(cases)("$name", ({ doc, patch, expected, error }) => {
    if (error !== undefined) failure(doc, patch)
    else if (expected === undefined) expect(apply(doc, patch)).toBe(doc)
    else expect(apply(doc, patch)).toEqual(expected)
  })
})

describe("a patch", () => {
  test("gives what fast-json-patch gives where that copies everything", () => {
    let applied = 0
    fc.assert(
      fc.property(patched(6), ({ document, patch }) => {
        const ours = outcome(document, patch)
        // That of the peer fails in a move through these two keys, though it was told not to ban them.
        if (ours === undefined || JSON.stringify(patch).includes("/constructor/prototype")) return
        applied += 1
        const theirs = ofPeer(document, patch)
        if (theirs !== undefined) expect(ours.result).toEqual(theirs.newDocument)
      }),
      { numRuns: 3_000 }
    )
    expect(applied).toBeGreaterThan(300)
  })

  test.each([
    ["what an object inherits", {}, { op: "replace", path: "/toString", value: 1 }],
    ["an index that is empty", [1], { op: "add", path: "/", value: 0 }],
    ["an index with leading zeros", [1, 2], { op: "add", path: "/01", value: 0 }],
    ["an index beyond 32 bits", [1, 2], { op: "add", path: "/4294967296", value: 1 }],
    ["a pointer that ends in ~", {}, { op: "add", path: "/a~", value: 1 }],
    ["a part below a scalar that is the whole document", 0, { op: "add", path: "/a", value: 1 }],
    ["the whole document into itself", { a: 1 }, { op: "move", from: "", path: "/a" }]
  ])("is refused where fast-json-patch and its own checks take %s", (_, document, operation) => {
    expect(failure(document, [operation]).index).toBe(0)
    const peer = () =>
      jsonpatch.applyOperation(structuredClone(document), structuredClone(operation) as never, true)
    expect(peer).not.toThrow()
  })

  test("is all or nothing, and says which operation it was", () => {
    const patch = [
      { op: "add", path: "/a", value: 1 },
      { op: "add", path: "/b/c", value: 2 },
      { op: "test", path: "/a", value: 3 }
    ]
    const error = failure({ b: {} }, patch)
    expect(error).toMatchObject({ name: "PatchFailed", kind: "test", index: 2, operation: patch[2] })
    expect(error.message).toBe(
      "Operation 2 of the patch cannot be applied: the value is not the one that it tests for. Nothing was changed."
    )
  })

  test.each([
    ["test", { op: "test", path: "/list/0", value: "other" }],
    ["test", { op: "test", path: "", value: {} }],
    ["missing", { op: "remove", path: "/none" }],
    ["missing", { op: "replace", path: "/none", value: 1 }],
    ["missing", { op: "test", path: "/none", value: null }],
    ["missing", { op: "add", path: "/none/in", value: 1 }],
    ["missing", { op: "copy", from: "/none", path: "/a" }],
    ["missing", { op: "move", from: "/none", path: "/none" }],
    ["missing", { op: "replace", path: "/toString", value: 1 }],
    ["missing", { op: "add", path: "/constructor/prototype", value: 1 }],
    ["missing", { op: "test", path: "/list/2/a", value: 1 }],
    ["through_scalar", { op: "add", path: "/text/0", value: 1 }],
    ["through_scalar", { op: "remove", path: "/text/length" }],
    ["through_scalar", { op: "add", path: "/nothing/a/b", value: 1 }],
    ["index", { op: "add", path: "/list/4", value: 1 }],
    ["index", { op: "remove", path: "/list/3" }],
    ["index", { op: "replace", path: "/list/-", value: 1 }],
    ["index", { op: "remove", path: "/list/-" }],
    ["index", { op: "copy", from: "/list/-", path: "/a" }],
    ["index", { op: "add", path: "/list/-/a", value: 1 }],
    ["index", { op: "add", path: "/list/", value: 1 }],
    ["index", { op: "add", path: "/list/00", value: 1 }],
    ["index", { op: "test", path: "/list/01", value: 2 }],
    ["index", { op: "add", path: "/list/ 1", value: 1 }],
    ["index", { op: "add", path: "/list/+1", value: 1 }],
    ["index", { op: "add", path: "/list/1.0", value: 1 }],
    ["index", { op: "add", path: "/list/length", value: 1 }],
    ["index", { op: "add", path: "/list/4294967296", value: 1 }],
    ["index", { op: "remove", path: `/list/${"9".repeat(400)}` }],
    ["malformed", { op: "add", path: "a", value: 1 }],
    ["malformed", { op: "add", path: "/~2", value: 1 }],
    ["malformed", { op: "add", path: "/a~", value: 1 }],
    ["malformed", { op: "add", value: 1 }],
    ["malformed", { op: "add", path: 1, value: 1 }],
    ["malformed", { op: "add", path: "/a", value: undefined }],
    ["malformed", { op: "add", path: "/__proto__/polluted", value: 1 }],
    ["malformed", { op: "copy", from: "/__proto__", path: "/a" }],
    ["malformed", { op: "copy", path: "/a" }],
    ["malformed", { op: "move", from: "/list", path: "/list/0" }],
    ["malformed", { op: "move", from: "", path: "/list" }],
    ["malformed", { op: "_get", path: "/list" }],
    ["malformed", { op: "toString", path: "/list" }],
    ["malformed", { path: "/list" }],
    ["malformed", null],
    ["malformed", "add"],
    ["malformed", []]
  ])("fails as %s: %j", (kind, operation) => {
    expect(failure({ list: ["one", 2, {}], text: "abc", nothing: null }, [operation])).toMatchObject({
      kind,
      index: 0
    })
  })

  test("says nothing of the document when it fails", () => {
    const { message, problem } = failure({ secret: "hidden" }, [
      { op: "test", path: "/secret", value: "guess" }
    ])
    expect(`${message} ${problem}`).not.toMatch(/secret|hidden|guess/)
  })

  test("may have fields that nobody knows", () => {
    expect(apply({}, [{ op: "add", path: "/a", value: 1, from: 7, note: "x" }])).toEqual({ a: 1 })
  })

  test.each([
    [{ op: "add", path: "", value: 1 }, 1],
    [{ op: "replace", path: "", value: [] }, []],
    [{ op: "test", path: "", value: { a: { b: 1 } } }, { a: { b: 1 } }],
    [{ op: "remove", path: "" }, null],
    [{ op: "move", from: "/a", path: "" }, { b: 1 }],
    [{ op: "copy", from: "/a/b", path: "" }, 1],
    [{ op: "move", from: "", path: "" }, { a: { b: 1 } }],
    [{ op: "copy", from: "", path: "/a/c" }, { a: { b: 1, c: { a: { b: 1 } } } }]
  ])("may be about the whole document: %j", (operation, expected) => {
    expect(apply({ a: { b: 1 } }, [operation])).toEqual(expected)
  })

  test("may be about documents that are scalars", () => {
    expect(apply("foo", [{ op: "replace", path: "", value: "bar" }])).toBe("bar")
    for (const scalar of [0, "", false, null])
      expect(failure(scalar, [{ op: "add", path: "/a", value: 1 }]).kind).toBe("through_scalar")
  })

  test("takes the keys of objects for what they are, whatever they look like", () => {
    const keys = ["", "~", "/", "a/b", "0", "01", "-", "length", "constructor", "prototype", "hasOwnProperty"]
    let document: Json = {}
    for (const key of keys) {
      const path = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
      document = apply(document, [
        { op: "add", path, value: { [key]: 1 } },
        { op: "test", path, value: { [key]: 1 } },
        { op: "replace", path: `${path}${path}`, value: 2 }
      ])
    }
    expect(document).toEqual(Object.fromEntries(keys.map((key) => [key, { [key]: 2 }])))
  })

  test("never reaches a prototype", () => {
    const result = apply({}, [
      { op: "add", path: "/constructor", value: {} },
      { op: "add", path: "/constructor/prototype", value: {} },
      { op: "add", path: "/constructor/prototype/polluted", value: true },
      { op: "copy", from: "/constructor", path: "/prototype" }
    ])
    const constructor = { prototype: { polluted: true } }
    expect(result).toEqual({ constructor, prototype: constructor })
    expect("polluted" in {}).toBe(false)
    expect(failure([], [{ op: "test", path: "/constructor", value: 1 }]).kind).toBe("index")
  })

  test("keeps a key __proto__ that is in the document, though it cannot lead there", () => {
    const document = JSON.parse('{"__proto__": {"a": 1}, "b": 1}') as Json
    const result = apply(document, [{ op: "replace", path: "/b", value: 2 }])
    expect(JSON.stringify(result)).toBe('{"__proto__":{"a":1},"b":2}')
    expect(at(result, "a")).toBeUndefined()
  })
})

describe("what a patch does not touch", () => {
  test("is shared with the document, and the whole document where nothing is changed", () => {
    const document = { a: { b: { c: 1 }, d: [{}, {}] }, e: [[1], [2]] }
    const result = apply(document, [
      { op: "replace", path: "/a/b/c", value: 2 },
      { op: "add", path: "/e/-", value: [3] }
    ])
    expect(result).toEqual({ a: { b: { c: 2 }, d: [{}, {}] }, e: [[1], [2], [3]] })
    expect(at(result, "a", "d")).toBe(document.a.d)
    expect(at(result, "e", 0)).toBe(document.e[0])
    expect(apply(document, [{ op: "test", path: "/e/0/0", value: 1 }])).toBe(document)
    expect(apply(document, [])).toBe(document)
    expect(apply(document, [{ op: "move", from: "/a", path: "/a" }])).toBe(document)
  })

  /** All that a document holds, but for scalars. */
  const containersOf = (value: Json): ReadonlyArray<Json> =>
    isJsonArray(value) || isJsonObject(value)
      ? [value, ...Object.values(value as JsonObject).flatMap(containersOf)]
      : []

  test("is shared, whatever one operation does: only what is above its paths is new", () => {
    fc.assert(
      fc.property(patched(1), ({ document, patch }) => {
        const ours = outcome(document, patch)
        if (ours === undefined) return
        const known = new Set([
          ...containersOf(document),
          ...patch.flatMap((one) => ("value" in one ? containersOf(one.value) : []))
        ])
        const made = containersOf(ours.result).filter((container) => !known.has(container))
        const above = new Set(
          operationPaths(patch[0]!).flatMap((path) =>
            path.map((_, end) => JSON.stringify(path.slice(0, end)))
          )
        )
        expect(made.length).toBeLessThanOrEqual(above.size)
      }),
      { numRuns: 1_000 }
    )
  })
})

describe("the values of operations", () => {
  test("are not changed by operations that come after, and are shared with the result", () => {
    const value = { list: [1] }
    const untouched = { deep: {} }
    const result = apply({}, [
      { op: "add", path: "/a", value },
      { op: "add", path: "/a/list/-", value: 2 },
      { op: "add", path: "/b", value },
      { op: "add", path: "/c", value: untouched }
    ])
    expect(result).toEqual({ a: { list: [1, 2] }, b: { list: [1] }, c: { deep: {} } })
    expect(at(result, "b")).toBe(value)
    expect(at(result, "c")).toBe(untouched)
  })

  test("that were copied go their own ways, also where the copy was made for the patch", () => {
    const result = apply({ a: { list: [1] } }, [
      { op: "add", path: "/a/list/-", value: 2 },
      { op: "copy", from: "/a", path: "/b" },
      { op: "add", path: "/b/list/-", value: 3 },
      { op: "add", path: "/a/list/-", value: 4 },
      { op: "copy", from: "/b/list", path: "/b/again" },
      { op: "remove", path: "/b/list/0" },
      { op: "copy", from: "", path: "/whole" },
      { op: "replace", path: "/whole/a/list/0", value: 0 }
    ])
    const b = { list: [2, 3], again: [1, 2, 3] }
    expect(result).toEqual({ a: { list: [1, 2, 4] }, b, whole: { a: { list: [0, 2, 4] }, b } })
  })

  test("that were moved are followed", () => {
    const result = apply({ a: { list: [1] }, b: [] }, [
      { op: "add", path: "/a/list/-", value: 2 },
      { op: "move", from: "/a/list", path: "/b/0" },
      { op: "add", path: "/b/0/-", value: 3 }
    ])
    expect(result).toEqual({ a: {}, b: [[1, 2, 3]] })
  })
})

test("a patch of many operations copies an array once", () => {
  const list = Array.from({ length: 100_000 }, (_, n) => n)
  const operations = Array.from(
    { length: 2_000 },
    (_, n) => ({ op: "add", path: "/list/-", value: n }) as const
  )
  const start = performance.now()
  expect(at(applyPatch({ list }, operations), "list", "length")).toBe(102_000)
  expect(performance.now() - start).toBeLessThan(1_000)
})

describe("the paths of an operation", () => {
  test("are those that it reads or writes", () => {
    expect(operationPaths({ op: "add", path: "/a~1b/-", value: 1 })).toEqual([["a/b", "-"]])
    expect(operationPaths({ op: "remove", path: "" })).toEqual([[]])
    expect(operationPaths({ op: "move", from: "/a", path: "/b/0" })).toEqual([["a"], ["b", "0"]])
  })

  test("are none where it is malformed, and it is said which it is", () => {
    const malformed = () => operationPaths({ op: "remove", path: "/__proto__/a" }, 3)
    expect(malformed).toThrow(PatchFailed)
    expect(malformed).toThrow("Operation 3 of the patch cannot be applied: its path leads through __proto__.")
  })
})
