import { merge3, virtualMerge } from "../../../src/state/merge/merge.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import type { MaybeVirtual } from "../../../src/state/merge/virtual.ts"
import type { MergedKeys } from "./answer.ts"
import { at, type Doc, isSame, type Key, keysOf } from "./document.ts"
import type { Version } from "./version.ts"

type Rules = ReadonlyArray<Rule>
type Versions = ReadonlyArray<Version>

const ancestors = (heads: Versions): ReadonlySet<Version> => {
  const found = new Set<Version>()
  const open = [...heads]
  while (open.length > 0) {
    const next = open.pop()!
    if (found.has(next)) continue
    found.add(next)
    open.push(...next.parents)
  }
  return found
}

export const isAncestor = (one: Version, of: Version): boolean => ancestors([of]).has(one)

/** All best common ancestors, the oldest first. */
export const mergeBases = (one: Versions, other: Versions): Versions => {
  const others = ancestors(other)
  const common = [...ancestors(one)].filter((version) => others.has(version))
  const below = ancestors(common.flatMap(({ parents }) => parents))
  return common.filter((version) => !below.has(version)).toSorted((a, b) => a.order - b.order)
}

/** What a key had at the base: where there are several, they are merged into one, on the bases that they have in turn. */
const baseOf = (one: Versions, other: Versions, key: Key, rules: Rules): MaybeVirtual => {
  const [first, ...rest] = mergeBases(one, other)
  let value: MaybeVirtual = first && at(first.doc, key)
  const merged = first === undefined ? [] : [first]
  for (const next of rest) {
    const base = baseOf(merged, [next], key, rules)
    value = virtualMerge([...key], rules, { base, ours: value, theirs: at(next.doc, key) })
    merged.push(next)
  }
  return value
}

/** The merge of a source into a target, key by key. */
export const mergedKeys = (target: Version, source: Version, rules: Rules): MergedKeys => {
  const bases: ReadonlyArray<Doc> = mergeBases([target], [source]).map(({ doc }) => doc)
  return keysOf(target.doc, source.doc, ...bases).map((key) => {
    const base = baseOf([target], [source], key, rules)
    return [
      key,
      merge3({ base, ours: at(target.doc, key), theirs: at(source.doc, key), path: [...key], rules })
    ]
  })
}

/** What was changed between two documents, brought to what a state is by now. */
export const rebasedKeys = (from: Doc, to: Doc, ours: Doc, rules: Rules): MergedKeys =>
  keysOf(from, to)
    .filter((key) => !isSame(at(from, key), at(to, key)))
    .map((key) => {
      const sides = { base: at(from, key), ours: at(ours, key), theirs: at(to, key) }
      return [key, merge3({ ...sides, path: [...key], rules })]
    })
