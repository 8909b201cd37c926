import { encodeJson } from "../../base/json.ts"
import { isJsonObject, type Json, type JsonObject } from "../../base/json-value.ts"
import type { PatchOperation } from "../../base/patch-operation.ts"
import { formatPointer, parsePointer } from "../../base/pointer.ts"
import type { BranchName } from "../branch/branch-state.ts"
import { InvalidChange } from "../error.ts"
import type { Selection } from "../store.ts"
import { isTier, keyId, type KeyId, keyOfPath, keyProblem, type Tier, TIERS } from "../tier.ts"

/** What to merge into each tier, as RFC 7396 has it: a key that is null is removed. */
export type StateUpdate = { readonly [T in Tier]?: JsonObject | undefined }

/** What is asked of a state: some tiers, or the keys that some pointers lead to. All of it by default. */
export interface Wanting {
  readonly tiers?: ReadonlyArray<Tier>
  /** RFC 6901 pointers; the key that one leads to is read as a whole. */
  readonly paths?: ReadonlyArray<string>
}

const PATH_SEPARATOR = /\.|\[(\d+)\]/

/** The pointer of a path as encodeJson tells it. */
const pointerOf = (path: string): string =>
  formatPointer(path.split(PATH_SEPARATOR).filter((part) => part !== undefined && part !== ""))

export class Given {
  private readonly name: BranchName

  constructor(name: BranchName) {
    this.name = name
  }

  invalid(path: string, problem: string): InvalidChange {
    const { agent, branch } = this.name
    return new InvalidChange({ agent, branch, path, problem })
  }

  /** Detached from what the caller may go on to change, and as it will come out of the log. */
  json(value: unknown): Json | InvalidChange {
    const encoded = encodeJson(value)
    return "text" in encoded
      ? (JSON.parse(encoded.text) as Json)
      : this.invalid(pointerOf(encoded.path), `it holds ${encoded.problem}`)
  }

  /** The merge patch of each key that an update names. */
  update(given: unknown): ReadonlyMap<KeyId, Json> | InvalidChange {
    const update = this.json(given)
    if (update instanceof InvalidChange) return update
    if (!isJsonObject(update)) return this.invalid("", "an update is an object of tiers")
    const keys = new Map<KeyId, Json>()
    for (const [tier, values] of Object.entries(update)) {
      if (!isTier(tier))
        return this.invalid(formatPointer([tier]), `there is no such tier: a state has ${TIERS.join(", ")}`)
      if (!isJsonObject(values)) return this.invalid(formatPointer([tier]), "a tier is an object")
      for (const [key, value] of Object.entries(values)) {
        const problem = keyProblem(key)
        if (problem !== undefined) return this.invalid(formatPointer([tier]), problem)
        keys.set(keyId(tier, key), value)
      }
    }
    return keys
  }

  /** The operations of an RFC 6902 patch; what is in them is checked where they are applied. */
  patch(given: unknown): ReadonlyArray<PatchOperation> | InvalidChange {
    const patch = this.json(given)
    if (patch instanceof InvalidChange) return patch
    return Array.isArray(patch)
      ? (patch as ReadonlyArray<PatchOperation>)
      : this.invalid("", "a patch is an array of operations")
  }

  /** The keys, and whole tiers, that the operations of a patch look at. */
  selectionOfPatch(patch: ReadonlyArray<PatchOperation>): Selection {
    const pointers = patch.flatMap((operation) =>
      isJsonObject(operation as Json)
        ? [operation.path, ...("from" in operation ? [operation.from] : [])]
        : []
    )
    return this.selectionOfPaths(pointers.filter((pointer) => typeof pointer === "string"))
  }

  selectionOfPaths(pointers: ReadonlyArray<string>): Selection {
    const tiers = new Set<Tier>()
    const keys = new Set<KeyId>()
    for (const pointer of pointers) {
      const path = parsePointer(pointer)
      if (path === undefined) continue
      const key = keyOfPath(path)
      if (key !== undefined) keys.add(key)
      else if (path.length === 0) for (const tier of TIERS) tiers.add(tier)
      else if (isTier(path[0])) tiers.add(path[0])
    }
    return { tiers: [...tiers], keys: [...keys] }
  }

  /** What is wanted of a state. */
  selection({ tiers, paths }: Wanting): Selection | InvalidChange {
    const unknown = tiers?.find((tier) => !isTier(tier))
    if (unknown !== undefined)
      return this.invalid("", `there is no tier ${JSON.stringify(unknown)}: a state has ${TIERS.join(", ")}`)
    const wrong = paths?.find((path) => !isTier(parsePointer(path)?.[0]) && path !== "")
    if (wrong !== undefined)
      return this.invalid(
        wrong,
        `a path is an RFC 6901 pointer that begins with a tier, such as /shared/plan`
      )
    if (paths === undefined) return { tiers: tiers ?? TIERS, keys: [] }
    const byPath = this.selectionOfPaths(paths)
    return { tiers: [...new Set([...(tiers ?? []), ...byPath.tiers])], keys: byPath.keys }
  }
}
