import { createHash } from "node:crypto"
import { canonicalJson } from "../../base/canonical-json.ts"
import { uuidOf } from "../../base/uuid.ts"
import type { JsonObject } from "../../base/json-value.ts"
import type { Conflict } from "../merge/conflict.ts"
import type { Node } from "../store.ts"

/** A branch as conflicts know it: by its name, whichever branch has that. */
export interface NamedSide {
  readonly agent: string
  readonly name: string
}

/**
 * The id of a conflict of synchronisations, the same whenever it is found: the UUID (version 8) of the SHA-256 of source agent and branch, target
 * agent and branch, and path, each on a line. No agent or branch has a line break in its name.
 */
export const conflictOfSync = (source: NamedSide, target: NamedSide, path: string): string =>
  uuidOf([source.agent, source.name, target.agent, target.name, path].join("\n"))

/** The id of a conflict of a merge: the same of the merge's id and the path. */
export const conflictOfMerge = (merge: string, path: string): string => uuidOf([merge, path].join("\n"))

/** What a conflict of a synchronisation is about, in short: both values since the versions that both last had in common; not who has changed what. */
export const digestOf = ({ kind, base, ours, theirs }: Conflict, since: ReadonlyArray<Node>): string => {
  const sides = Object.entries({ base, ours, theirs }).filter(([, value]) => value !== undefined)
  const met = since.map(({ branch, version }) => [branch, version])
  return createHash("sha256")
    .update(canonicalJson([kind, Object.fromEntries(sides) as JsonObject, met]))
    .digest("hex")
}
