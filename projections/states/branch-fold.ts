import type { Event } from "../../src/log/event.ts"
import { afterPatch, keysOfPatch } from "../../src/state/change/keys.ts"
import { EMPTY_HASH, hashOfText, hashText, type StateHasher, withEntry } from "../../src/state/branch/hash.ts"
import { StateBranchDeleted } from "../../src/state/event.ts"
import { refOfStream } from "../../src/state/name.ts"
import { placeOfKey } from "../../src/state/tier.ts"
import {
  ALWAYS,
  type CheckpointRow,
  type FoldedBranch,
  type MergeRow,
  type WorkingSet
} from "./working-set.ts"

/** What events of branches say, as far as it matters here. */
interface BranchData {
  readonly patch?: ReadonlyArray<unknown>
  readonly hash?: string
  readonly agentType?: string
  readonly session?: string
  readonly ttlMs?: number
  readonly good?: number
}

interface CheckpointData {
  readonly type: string
  readonly description?: string
  readonly metadata?: unknown
  readonly retention: string
  readonly expiresAt?: string
  readonly partOf?: string
}

/** A branch `main` at its beginning. */
export const createdBranch = (event: Event, hasher: StateHasher | undefined): FoldedBranch => {
  const { agent, ref } = refOfStream(event.stream)
  const at = event.recordedAt.toISOString()
  return {
    branch: event.position,
    agent,
    name: ref,
    stream: event.stream,
    born: event.version,
    parent: null,
    parent_version: null,
    lineage: [event.position],
    lineage_up_to: [ALWAYS],
    version: event.version,
    position: event.position,
    hash: EMPTY_HASH,
    faults: [],
    agent_type: (event.data as BranchData).agentType ?? null,
    description: null,
    session: null,
    session_ends_at: null,
    created_at: at,
    changed_at: at,
    deleted_at: null,
    hasher
  }
}

/** Nothing counts of what comes after. */
export const isAtFault = ({ faults }: FoldedBranch): boolean =>
  faults.some(({ repaired }) => repaired === null)

/** The next event of a branch that is there. One that does not agree with its hash is noted, and nothing after it counts but the branch's end. */
export const foldBranchEvent = (set: WorkingSet, branch: FoldedBranch, event: Event): void => {
  const data = event.data as BranchData
  if (isAtFault(branch)) return event.type === StateBranchDeleted.type ? ended(set, branch, event) : undefined
  if (data.patch !== undefined) {
    const change = changeOf(set, branch, event)
    if (typeof change === "string") return damaged(set, branch, event, change)
    change()
  }
  switch (event.type) {
    case StateBranchDeleted.type:
      branch.deleted_at = event.recordedAt.toISOString()
      break
    case "StateSessionStarted":
      branch.session = data.session!
      branch.session_ends_at =
        data.ttlMs === undefined ? null : new Date(event.recordedAt.getTime() + data.ttlMs).toISOString()
      set.session(branch, event.version)
      break
    case "StateSessionEnded":
      branch.session = null
      branch.session_ends_at = null
      set.session(branch, event.version)
      break
    case "StateMerged":
      set.merge(mergeRow(branch, event))
      break
    case "StateCheckpointed":
      set.checkpoint(checkpointRow(branch, event))
      break
    case "StateCheckpointDropped":
      set.dropCheckpoint(event)
      break
  }
  branch.version = event.version
  branch.position = event.position
  branch.changed_at = event.recordedAt.toISOString()
  set.changed(branch)
}

/** What is damaged can be ended all the same; nothing else of it moves. */
const ended = (set: WorkingSet, branch: FoldedBranch, { recordedAt }: Event): void => {
  branch.deleted_at = recordedAt.toISOString()
  branch.changed_at = branch.deleted_at
  set.changed(branch)
}

const checkpointRow = (
  branch: FoldedBranch,
  { id, version, data, meta, recordedAt }: Event
): CheckpointRow => {
  const said = data as CheckpointData
  return {
    id: said.partOf ?? id,
    agent_id: branch.agent,
    branch: branch.branch,
    branch_name: branch.name,
    version,
    state_hash: hashText(branch.hash),
    checkpoint_type: said.type,
    description: said.description ?? null,
    metadata: said.metadata ?? {},
    retention_policy: said.retention,
    expires_at: said.expiresAt ?? null,
    created_by: meta.actor ?? null,
    created_at: recordedAt.toISOString()
  }
}

interface MergedData {
  readonly merge: string
  readonly source: { readonly branch: number; readonly name: string; readonly version: number }
  readonly mode: string
  readonly strategy: string
  readonly author?: string
}

const mergeRow = (branch: FoldedBranch, { version, data, meta, recordedAt }: Event): MergeRow => {
  const { merge, source, mode, strategy, author } = data as MergedData
  return {
    id: merge,
    agent: branch.agent,
    source: source.branch,
    source_name: source.name,
    source_version: source.version,
    target: branch.branch,
    target_name: branch.name,
    target_version: branch.version,
    mode,
    strategy,
    merged_version: version,
    author: author ?? meta.actor ?? null,
    reason: meta.reason ?? null,
    at: recordedAt.toISOString()
  }
}

/** Why an event cannot be folded, where it cannot. */
export const faultOf = (set: WorkingSet, branch: FoldedBranch, event: Event): string | undefined => {
  if ((event.data as BranchData).patch === undefined) return undefined
  const change = changeOf(set, branch, event)
  return typeof change === "string" ? change : undefined
}

/** What folds a change, or why it cannot be folded. */
const changeOf = (set: WorkingSet, branch: FoldedBranch, { data, version }: Event): string | (() => void) => {
  const { patch, hash } = data as BranchData
  const { branch: id, hasher } = branch
  try {
    const after = afterPatch(patch!, (key) => set.key(id, key).value)
    let sum = branch.hash
    const entries = [...after].map(([key, value]) => {
      const entry = hasher?.entry(placeOfKey(key), value)
      if (entry !== undefined) sum = withEntry(sum, set.key(id, key).hash ?? EMPTY_HASH, entry.hash)
      const bytes = entry?.bytes ?? (value === undefined ? 0 : JSON.stringify(value).length)
      return [key, { value, hash: entry?.hash, bytes }] as const
    })
    if (hasher !== undefined && hashText(sum) !== hash) return "its patch and its hash do not agree"
    const sizes = sizesOf(patch!)
    const then = hashOfText(hash!)
    return () => {
      for (const [key, state] of entries) set.change(id, key, state, version, sizes.get(key) ?? 0)
      branch.hash = then
    }
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

/** How many bytes of a patch each key has. */
const sizesOf = (patch: ReadonlyArray<unknown>): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>()
  for (const operation of patch) {
    const { length } = JSON.stringify(operation)
    for (const key of keysOfPatch([operation])) sizes.set(key, (sizes.get(key) ?? 0) + length)
  }
  return sizes
}

const damaged = (set: WorkingSet, branch: FoldedBranch, event: Event, detail: string): void => {
  const { version, position } = event
  branch.faults = [...branch.faults, { version, position, detail, good: branch.version, repaired: null }]
  set.changed(branch)
}
