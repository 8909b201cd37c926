import {
  isJsonArray,
  isJsonObject,
  isSameJson,
  type Json,
  type MaybeJson,
  valueAt
} from "../base/json-value.ts"
import { formatPointer, type Path } from "../base/pointer.ts"
import { type Glob, matches } from "../state/merge/glob.ts"

/** A place in a state that is not what it was. */
export interface PathChange {
  /** An RFC 6901 pointer from the root of the state. */
  readonly path: string
  /** What was there, and what is there; undefined where there was, or is, nothing. */
  readonly before: MaybeJson
  readonly after: MaybeJson
}

/** A value before and after. */
type Sides = readonly [before: MaybeJson, after: MaybeJson]

const childOf = (value: MaybeJson, part: string): MaybeJson => {
  if (isJsonObject(value)) return valueAt(value, part)
  return isJsonArray(value) && /^(?:0|[1-9]\d*)$/.test(part) ? value[Number(part)] : undefined
}

const partsOf = (value: MaybeJson): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.keys(value) : []

const valueAlong = (value: MaybeJson, path: Path): MaybeJson => path.reduce<MaybeJson>(childOf, value)

/** Where two values differ: objects are compared key by key, and an array is one value. */
function* places([before, after]: Sides, path: Path): Iterable<Path> {
  if (isSameJson(before, after)) return
  if (!isJsonObject(before) || !isJsonObject(after)) return yield path
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* places([valueAt(before, key), valueAt(after, key)], [...path, key])
}

/** The paths below a place that a glob matches, on either side. */
function* below(glob: Glob, [before, after]: Sides, path: Path): Iterable<Path> {
  for (const part of new Set([...partsOf(before), ...partsOf(after)])) {
    const deeper = [...path, part]
    const sides = [childOf(before, part), childOf(after, part)] as const
    if (isSameJson(...sides)) continue
    if (matches(glob, deeper)) yield deeper
    else yield* below(glob, sides, deeper)
  }
}

/** What a glob says of a place that changed: the longest path down to it that it matches, else what it matches below. */
const told = (glob: Glob, document: Sides, place: Path): ReadonlyArray<Path> => {
  for (let length = place.length; length >= 0; length -= 1) {
    const path = place.slice(0, length)
    if (matches(glob, path)) return [path]
  }
  const sides = [valueAlong(document[0], place), valueAlong(document[1], place)] as const
  return [...below(glob, sides, place)]
}

/**
 * What changed between two documents, as patterns see it: each tells of the nearest path at or above each place that changed that it
 * matches, or, where it matches none, of those below that changed with it.
 */
export const pathChanges = (
  globs: ReadonlyArray<Glob>,
  before: Json | undefined,
  after: Json | undefined
): ReadonlyArray<PathChange> => {
  const found = new Map<string, PathChange>()
  for (const place of places([before, after], []))
    for (const glob of globs)
      for (const path of told(glob, [before, after], place)) {
        const pointer = formatPointer(path)
        if (found.has(pointer)) continue
        found.set(pointer, {
          path: pointer,
          before: valueAlong(before, path),
          after: valueAlong(after, path)
        })
      }
  return [...found.values()]
}
