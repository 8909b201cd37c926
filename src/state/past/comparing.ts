import { Effect } from "effect"
import { isSameJson, type Json, type MaybeJson } from "../../base/json-value.ts"
import type { PatchOperation } from "../../base/patch-operation.ts"
import { parsePointer } from "../../base/pointer.ts"
import { patchOfKey } from "../change/keys.ts"
import { begun, nodeOf, versionOf } from "./history.ts"
import type { BranchState } from "../branch/branch-state.ts"
import type { StateFailure, StateScene } from "../parts.ts"
import type { RefLike } from "./ref.ts"
import type { Node } from "../store.ts"
import { documentOf, type KeyId } from "../tier.ts"
import { pointerOfKey } from "../change/writing.ts"

/** How a value differs between two versions. */
export interface ValueChange {
  /** As an RFC 6901 pointer. */
  readonly path: string
  readonly kind: "added" | "removed" | "changed"
  /** Absent where it was added, or removed. */
  readonly before?: Json
  readonly after?: Json
}

export interface DiffOptions<Format extends DiffFormat = DiffFormat> {
  /** `changes` by default; `patch`: RFC 6902 operations that make the first of the second; `text`: a line for each change. */
  readonly format?: Format
}

export type DiffFormat = "changes" | "patch" | "text"

export type Diff<Format extends DiffFormat> = Format extends "text"
  ? string
  : Format extends "patch"
    ? ReadonlyArray<PatchOperation>
    : ReadonlyArray<ValueChange>

/** The keys by which two versions differ, with their values. */
export interface Difference {
  readonly keys: ReadonlyArray<KeyId>
  readonly before: BranchState
  readonly after: BranchState
}

/** Both versions with the keys by which they differ; what lies between is looked for, and not the whole of both. */
export const differenceOf = Effect.fnUntraced(function* (
  { parts, name }: StateScene,
  one: Node,
  other: Node
): Effect.fn.Return<Difference, StateFailure> {
  const keys = yield* parts.store.changedKeys(one, other)
  const selection = { tiers: [], keys }
  const [before, after] = yield* Effect.all(
    [parts.refs.at(name, one, selection), parts.refs.at(name, other, selection)],
    { concurrency: 2 }
  )
  return { before, after, keys: keys.filter((key) => !isSameJson(before.value(key), after.value(key))) }
})

const valuesOf = (state: BranchState, keys: ReadonlyArray<KeyId>): Json =>
  documentOf(keys.map((key) => [key, state.value(key)] as const)) as unknown as Json

const changeOf = (operation: PatchOperation, before: Json): ValueChange => {
  const { path } = operation
  const was = valueAtPointer(before, path)
  if (operation.op === "remove") return { path, kind: "removed", before: was! }
  const { value: after } = operation as { readonly value: Json }
  return operation.op === "add"
    ? { path, kind: "added", after }
    : { path, kind: "changed", before: was!, after }
}

const valueAtPointer = (document: Json, pointer: string): MaybeJson =>
  parsePointer(pointer)!.reduce<MaybeJson>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Readonly<Record<string, Json>>)[part]
        : undefined,
    document
  )

const SIGNS = { added: "+", removed: "-", changed: "~" } as const

const lineOf = ({ path, kind, before, after }: ValueChange): string => {
  const [was, is] = [before, after].map((value) => (value === undefined ? "" : JSON.stringify(value)))
  return `${SIGNS[kind]} ${path} ${kind === "changed" ? `${was} → ${is}` : `${was}${is}`}`
}

/** How one version differs from another. */
export const diffOf = Effect.fnUntraced(function* <Format extends DiffFormat = "changes">(
  scene: StateScene,
  from: RefLike,
  to: RefLike | undefined,
  { format }: DiffOptions<Format>
): Effect.fn.Return<Diff<Format>, StateFailure> {
  const [one, other] = yield* Effect.all([versionOf(scene, from), versionOf(scene, to)])
  yield* begun(scene, one, other)
  const { before, after, keys } = yield* differenceOf(scene, nodeOf(one), nodeOf(other))
  const sorted = keys.toSorted((a, b) => (pointerOfKey(a) < pointerOfKey(b) ? -1 : 1))
  const was = valuesOf(before, sorted)
  const patch: ReadonlyArray<PatchOperation> = sorted.flatMap((key) =>
    patchOfKey(key, before.value(key), after.value(key))
  )
  if (format === "patch") return patch as Diff<Format>
  const changes = patch.map((operation) => changeOf(operation, was))
  return (format === "text" ? changes.map(lineOf).join("\n") : changes) as Diff<Format>
})
