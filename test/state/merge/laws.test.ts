import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  isJsonArray,
  isJsonObject,
  isSameJson,
  type Json,
  type MaybeJson,
  valueAt
} from "../../../src/base/json-value.ts"
import { formatPointer, isAtOrAbove, parsePointer, type Path, touches } from "../../../src/base/pointer.ts"
import type { Conflict, Merged } from "../../../src/state/merge/conflict.ts"
import { lookUp } from "../../../src/state/merge/edits.ts"
import { identityOf } from "../../../src/state/merge/identity.ts"
import { merge3, virtualMerge } from "../../../src/state/merge/merge.ts"
import { resolve } from "../../../src/state/merge/resolve.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { settle } from "../../../src/state/merge/settle.ts"
import { isObject, isUnresolved, type MaybeVirtual, unresolved } from "../../../src/state/merge/virtual.ts"
import { anyRules, firmRules, json, list, looseRules, sides } from "./arbitraries.ts"

// What holds of every merge. A failure prints the seed and path to run it again with.

const RUNS = { numRuns: 1_000 }

const merged = (base: MaybeVirtual, ours: MaybeJson, theirs: MaybeJson, rules: ReadonlyArray<Rule>): Merged =>
  merge3({ base, ours, theirs, path: [], rules })

/** Changes of a counter count though they are alike. */
const uncounted = (rules: ReadonlyArray<Rule>): ReadonlyArray<Rule> =>
  rules.map((rule) => (rule.number === "counter" ? { ...rule, number: "max" } : rule))

const expectClean = (result: Merged, value: MaybeJson): void => {
  expect(result.conflicts).toEqual([])
  expect(isSameJson(result.value, value)).toBe(true)
}

/** Only the side that deleted has a place for what it deleted. */
const withoutGap = (conflict: Conflict) => ({ ...conflict, gap: undefined })

const torn = { torn: "by a conflict" }

/** What was merged without what conflicts: all of that is made the same. */
const apartFromConflicts = (result: Merged): MaybeJson =>
  resolve(result, new Map(result.conflicts.map(({ path }) => [path, { use: { value: torn } }] as const)))
    .value

/** Without the order of arrays. */
const unordered = (value: MaybeJson): MaybeJson => {
  if (isJsonArray(value)) {
    return value
      .map((item) => unordered(item)!)
      .toSorted((one, other) => (String(identityOf(one)) < String(identityOf(other)) ? -1 : 1))
  }
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unordered(item)!]))
}

describe("a merge", () => {
  test("with the base is the other side, and with itself itself", () => {
    fc.assert(
      fc.property(sides, anyRules, ({ base, ours, theirs }, rules) => {
        expectClean(merged(base, ours, base, rules), ours)
        expectClean(merged(base, base, theirs, rules), theirs)
        expectClean(merged(base, ours, ours, uncounted(rules)), ours)
        expectClean(merged(undefined, ours, undefined, rules), ours)
        expectClean(merged(base, undefined, undefined, rules), undefined)
        expectClean(merged(unresolved(""), ours, ours, rules), ours)
      }),
      RUNS
    )
  })

  test("takes copies for what they are", () => {
    fc.assert(
      fc.property(sides, anyRules, ({ base, ours, theirs }, rules) => {
        const copy = (value: Json) => JSON.parse(JSON.stringify(value)) as Json
        expectClean(merged(base, ours, copy(base), rules), ours)
        expectClean(merged(copy(base), base, theirs, rules), theirs)
        expectClean(merged(base, ours, copy(ours), uncounted(rules)), ours)
      }),
      RUNS
    )
  })

  const mirrored = {
    add_add: "add_add",
    delete_modify: "modify_delete",
    modify_delete: "delete_modify",
    type_change: "type_change",
    modify_modify: "modify_modify",
    constraint: "constraint"
  } as const

  /** As the other side would tell it. */
  const fromTheOtherSide = (conflict: Conflict) => ({
    ...withoutGap(conflict),
    kind: mirrored[conflict.kind],
    ours: conflict.theirs,
    theirs: conflict.ours
  })

  const swapped =
    (compared: (value: MaybeJson) => MaybeJson) =>
    (
      { base, ours, theirs }: { base: MaybeVirtual; ours: Json; theirs: Json },
      rules: ReadonlyArray<Rule>
    ) => {
      const one = merged(base, ours, theirs, rules)
      const other = merged(base, theirs, ours, rules)
      expect(one.conflicts.map(withoutGap)).toEqual(other.conflicts.map(fromTheOtherSide))
      expect(one.notes.map(({ kind, path }) => [kind, path])).toEqual(
        other.notes.map(({ kind, path }) => [kind, path])
      )
      expect(isSameJson(compared(apartFromConflicts(one)), compared(apartFromConflicts(other)))).toBe(true)
    }

  test("with sides swapped says the same of mirrored conflicts, and has the same value apart from these", () => {
    fc.assert(
      fc.property(
        sides,
        firmRules,
        swapped((value) => value)
      ),
      RUNS
    )
  })

  test("… up to the order of arrays with a strategy by which they have one", () => {
    fc.assert(fc.property(sides, looseRules, swapped(unordered)), RUNS)
  })

  const leavesOf = (value: MaybeJson, path: Path = []): ReadonlyArray<Path> =>
    isJsonObject(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([key, item]) => leavesOf(item, [...path, key]))
      : [path]

  const leaf = (value: MaybeJson, path: Path): MaybeJson =>
    path.reduce<MaybeJson>((at, key) => (isJsonObject(at) ? valueAt(at, key) : undefined), value)

  test("loses no leaf that one side alone changed: it is there, or there is a conflict at it or above", () => {
    let seen = 0
    fc.assert(
      fc.property(sides, ({ base, ours, theirs }) => {
        const { value, conflicts } = merged(base, ours, theirs, [])
        const torn = conflicts.map(({ path }) => parsePointer(path)!)
        for (const [side, other] of [
          [ours, theirs],
          [theirs, ours]
        ] as const) {
          for (const path of [...leavesOf(side), ...leavesOf(base)]) {
            const only =
              !isSameJson(leaf(side, path), leaf(base, path)) &&
              isSameJson(leaf(other, path), leaf(base, path))
            if (!only || torn.some((above) => isAtOrAbove(above, path))) continue
            seen += 1
            if (!isJsonObject(leaf(value, path)))
              expect([formatPointer(path), leaf(value, path)]).toEqual([
                formatPointer(path),
                leaf(side, path)
              ])
          }
        }
      }),
      RUNS
    )
    expect(seen).toBeGreaterThan(RUNS.numRuns)
  })

  /** Where bases disagree, but for places in arrays. */
  const tornIn = (value: MaybeVirtual, path: Path = []): ReadonlyArray<Path> => {
    if (isUnresolved(value)) return [path]
    return isObject(value) ? Object.keys(value).flatMap((key) => tornIn(value[key], [...path, key])) : []
  }

  test("since bases that disagree has a conflict wherever they do and the sides differ, and is mirrored too", () => {
    let seen = 0
    fc.assert(
      fc.property(sides, sides, firmRules, (bases, { ours, theirs }, rules) => {
        const base = virtualMerge([], rules, bases)
        expectClean(merged(base, ours, ours, uncounted(rules)), ours)
        swapped((value) => value)({ base, ours, theirs }, rules)
        swapped((value) => value)({ base, ours: bases.ours, theirs: bases.theirs }, rules)
        const { conflicts } = merged(base, bases.ours, bases.theirs, rules)
        for (const path of tornIn(base)) {
          if (isSameJson(leaf(bases.ours, path), leaf(bases.theirs, path))) continue
          seen += 1
          expect(conflicts.filter((conflict) => touches(parsePointer(conflict.path)!, path))).not.toEqual([])
        }
      }),
      RUNS
    )
    expect(seen).toBeGreaterThan(RUNS.numRuns / 10)
  })

  const useBase = () => ({ use: "base" }) as const

  test("without conflicts comes out the same by every strategy, and with some differs nowhere else", () => {
    let clean = 0
    fc.assert(
      fc.property(sides, anyRules, ({ base, ours, theirs }, rules) => {
        const result = merged(base, ours, theirs, rules)
        clean += Number(result.conflicts.length === 0)
        for (const strategy of ["merge", "source_wins", "target_wins", useBase] as const) {
          const settled = settle(result, strategy, rules)
          if (result.conflicts.length === 0) expect(settled.value).toBe(result.value)
          const again = { ...settled, conflicts: result.conflicts }
          expect(unordered(apartFromConflicts(again))).toEqual(unordered(apartFromConflicts(result)))
        }
      }),
      RUNS
    )
    expect(clean).toBeGreaterThan(RUNS.numRuns / 10)
  })

  test("has ours at conflicts, and after resolution what was chosen", () => {
    fc.assert(
      fc.property(sides, anyRules, json, ({ base, ours, theirs }, rules, other) => {
        const result = merged(base, ours, theirs, rules)
        const has = ({ value }: Merged, wanted: (conflict: Conflict) => MaybeJson): void => {
          for (const conflict of result.conflicts) {
            const path = parsePointer(conflict.path)!
            expect(lookUp(value, path)).toEqual(wanted(conflict))
          }
        }
        has(result, (conflict) => conflict.ours)
        has(settle(result, "source_wins", []), (conflict) => conflict.theirs)
        has(settle(result, useBase, []), (conflict) => conflict.base)
        if (result.conflicts.every(({ path }) => !path.includes("{")))
          has(
            settle(result, () => ({ use: { value: other } }), []),
            () => other
          )
      }),
      RUNS
    )
  })
})

describe("an array", () => {
  const both = (base: Json, ours: Json, theirs: Json, rule: Omit<Rule, "path">) =>
    merged(base, ours, theirs, [{ path: "", ...rule }])

  test("that is a set is what set theory says", () => {
    fc.assert(
      fc.property(list, list, list, (base, ours, theirs) => {
        fc.pre(!isSameJson(ours, theirs) && !isSameJson(base, ours) && !isSameJson(base, theirs))
        const [b, x, y] = [base, ours, theirs].map(
          (items) => new Set(items.map((item) => String(identityOf(item))))
        )
        const result = both(base, ours, theirs, { array: "set" })
        const names = (result.value as ReadonlyArray<Json>).map((item) => String(identityOf(item)))
        const wanted = [...new Set([...x!, ...y!])].filter(
          (name) => (x!.has(name) && y!.has(name)) || !b!.has(name)
        )
        expect(result.conflicts).toEqual([])
        expect(names.toSorted()).toEqual(wanted.toSorted())
      }),
      RUNS
    )
  })

  const byId = fc.uniqueArray(
    fc.record({
      id: fc.constantFrom(1, 2, 3, 4, 5),
      v: fc.constantFrom<Json>(0, 1, { x: 1 }, { x: 2 }, { y: 1 })
    }),
    { selector: ({ id }) => id, maxLength: 5 }
  )

  test("that is keyed merges as the map from its keys does", () => {
    fc.assert(
      fc.property(byId, byId, byId, (base, ours, theirs) => {
        fc.pre(!isSameJson(ours, theirs) && !isSameJson(base, ours) && !isSameJson(base, theirs))
        const map = (items: ReadonlyArray<Json>) =>
          Object.fromEntries(items.map((item) => [JSON.stringify({ id: (item as { id: number }).id }), item]))
        const asArray = both(base, ours, theirs, { array: { keyed: ["id"] } })
        const asMap = merged(map(base), map(ours), map(theirs), [])
        expect(map(asArray.value as ReadonlyArray<Json>)).toEqual(asMap.value)
        expect(asArray.conflicts.map(withoutGap)).toEqual(asMap.conflicts)
      }),
      RUNS
    )
  })

  test("that is keyed keeps the order of the base where both sides kept it, also of what conflicts", () => {
    fc.assert(
      fc.property(byId, byId, byId, (base, ours, theirs) => {
        const ids = (items: unknown) => (items as ReadonlyArray<{ id: number }>).map(({ id }) => id)
        const inOrder = (items: ReadonlyArray<{ id: number; v: Json }>) => {
          const places = ids(base)
          const known = items
            .filter(({ id }) => places.includes(id))
            .toSorted((one, other) => places.indexOf(one.id) - places.indexOf(other.id))
          return items.map((item) => (places.includes(item.id) ? known.shift()! : item))
        }
        const result = both(base, inOrder(ours), inOrder(theirs), { array: { keyed: ["id"] } })
        for (const strategy of ["target_wins", "source_wins"] as const) {
          const left = ids(settle(result, strategy, []).value)
          expect(left.filter((id) => ids(base).includes(id))).toEqual(
            ids(base).filter((id) => left.includes(id))
          )
        }
      }),
      RUNS
    )
  })
})
