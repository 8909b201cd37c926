import { Effect } from "effect"
import { parsePointer, type Path, touches } from "../../base/pointer.ts"
import { Given } from "../change/given.ts"
import { entryOf, type HistoryEntry, nodeOf, ready, versionOf } from "./history.ts"
import { type StateFailure, type StateScene, sound } from "../parts.ts"
import type { RefLike } from "./ref.ts"
import type { Node, PastEvent } from "../store.ts"
import { keyOfPath, type KeyId } from "../tier.ts"

export interface BlameOptions {
  /** Of this version; of the newest by default. */
  readonly of?: RefLike
  /** How many changes, the newest first; 1 by default. */
  readonly limit?: number
}

/** Who changed what lies at a path, when, and why. */
export interface Blame extends HistoryEntry {
  readonly path: string
  /** The operations of its patch that touched the path. */
  readonly operations: ReadonlyArray<unknown>
}

/** How many events of a key are looked at at a time. */
const PAGE = 100

const operationsAt = ({ data }: PastEvent, path: Path): ReadonlyArray<unknown> => {
  const { patch = [] } = data as { readonly patch?: ReadonlyArray<{ readonly path: string }> }
  return patch.filter((operation) => touches(parsePointer(operation.path) ?? [], path))
}

/** The last changes of what lies at a path. */
export const blameOf = Effect.fnUntraced(function* (
  scene: StateScene,
  pointer: string,
  { of, limit = 1 }: BlameOptions
): Effect.fn.Return<ReadonlyArray<Blame>, StateFailure> {
  const path = parsePointer(pointer) ?? []
  const key = keyOfPath(path)
  if (key === undefined)
    return yield* sound<never>(
      new Given(scene.name).invalid(
        pointer,
        "blame is of a key, or of what lies in one, such as /shared/plan"
      )
    )
  const state = yield* versionOf(scene, of)
  if (state.version === 0) return []
  yield* ready(scene, state)
  return (yield* changesOf(scene, nodeOf(state), key, path, limit)).map((event) => ({
    ...entryOf(event),
    path: pointer,
    operations: operationsAt(event, path)
  }))
})

/** The last events before a version that touched a path. */
export const changesOf = Effect.fnUntraced(function* (
  { parts }: StateScene,
  node: Node,
  key: KeyId,
  path: Path,
  limit: number
): Effect.fn.Return<ReadonlyArray<PastEvent>, StateFailure> {
  const found: Array<PastEvent> = []
  let before: number | undefined
  while (found.length < limit) {
    const page = yield* parts.store.keyHistory(node, key, PAGE, before)
    for (const event of page) if (operationsAt(event, path).length > 0) found.push(event)
    if (page.length < PAGE) break
    before = page.at(-1)!.position
  }
  return found.slice(0, limit)
})
