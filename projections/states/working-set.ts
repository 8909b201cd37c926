import type { Event } from "../../src/log/event.ts"
import type { MaybeJson } from "../../src/base/json-value.ts"
import type { Fault } from "../../src/state/store.ts"
import { hashText, type StateHasher } from "../../src/state/branch/hash.ts"
import { type KeyId, placeOfKey, type Tier } from "../../src/state/tier.ts"

/** No version of a branch is beyond this one. */
export const ALWAYS = Number.MAX_SAFE_INTEGER

/** A value is kept at a version where so many patches lie before it since one that is kept, or as many bytes of them as it has itself. */
export const MOST_PATCHES = 256

/** A value up to this size is kept as it is now, where contents are found by an index; a longer one at its anchors alone. */
const MOST_BYTES_HERE = 8_192

/** A row of `state_branches`, while a batch is folded. */
export interface FoldedBranch {
  readonly branch: number
  readonly agent: string
  readonly name: string
  readonly stream: string
  readonly born: number
  readonly parent: number | null
  readonly parent_version: number | null
  readonly lineage: ReadonlyArray<number>
  readonly lineage_up_to: ReadonlyArray<number>
  version: number
  position: number
  hash: bigint
  faults: ReadonlyArray<Fault>
  agent_type: string | null
  readonly description: string | null
  session: string | null
  session_ends_at: string | null
  readonly created_at: string
  changed_at: string
  deleted_at: string | null
  readonly hasher: StateHasher | undefined
}

/** A row of `state_keys`, while a batch is folded. */
export interface FoldedKey {
  readonly value: MaybeJson
  readonly hash: bigint | undefined
  readonly version: number
  readonly bytes: number
  /** Since the last version of which the value is kept. */
  readonly patches: number
  readonly patchBytes: number
  /** The branch has changed it itself. */
  readonly isOwn: boolean
}

const ABSENT: FoldedKey = {
  value: undefined,
  hash: 0n,
  version: 0,
  bytes: 0,
  patches: 0,
  patchBytes: 0,
  isOwn: false
}

interface KeyAt {
  readonly branch: number
  readonly tier: Tier
  readonly key: string
}

/** A row of `state_key_versions`. */
interface VersionRow extends KeyAt {
  readonly version: number
  readonly hash: string | null
  readonly is_absent: boolean
  is_anchor: boolean
  value: MaybeJson | null
}

interface AnchorRow extends KeyAt {
  readonly version: number
  readonly value: MaybeJson | null
}

/** A row of `state_checkpoints`. */
export interface CheckpointRow {
  readonly id: string
  readonly agent_id: string
  readonly branch: number
  readonly branch_name: string
  readonly version: number
  readonly state_hash: string
  readonly checkpoint_type: string
  readonly description: string | null
  readonly metadata: unknown
  readonly retention_policy: string
  readonly expires_at: string | null
  readonly created_by: string | null
  readonly created_at: string
}

/** A row of `state_merges` that is in its target. */
export interface MergeRow {
  readonly id: string
  readonly agent: string
  readonly source: number
  readonly source_name: string
  readonly source_version: number
  readonly target: number
  readonly target_name: string
  readonly target_version: number
  readonly mode: string
  readonly strategy: string
  readonly merged_version: number
  readonly author: string | null
  readonly reason: string | null
  readonly at: string
}

/** A row of `state_sessions`. */
interface SessionRow {
  readonly branch: number
  readonly version: number
  readonly session: string | null
  readonly ends_at: string | null
}

interface DroppedCheckpoint {
  readonly id: string
  readonly why: string
  readonly at: string
}

/** As many bytes of patches as the value has itself, or MOST_PATCHES. */
const isPatchedEnough = ({
  bytes,
  patches,
  patchBytes
}: Pick<FoldedKey, "bytes" | "patches" | "patchBytes">) => patchBytes >= bytes || patches >= MOST_PATCHES

const hashOrNull = (hash: bigint | undefined): string | null => (hash === undefined ? null : hashText(hash))

/** What a batch has loaded, and what it leaves behind. */
export class WorkingSet {
  readonly branches = new Map<string, FoldedBranch>()
  private readonly changedBranches = new Set<FoldedBranch>()
  private readonly keys = new Map<string, FoldedKey>()
  private readonly changedKeys = new Map<string, KeyAt>()
  private readonly versions = new Map<string, VersionRow>()
  private readonly anchors: Array<AnchorRow> = []
  private readonly checkpoints = new Map<string, CheckpointRow>()
  private readonly dropped: Array<DroppedCheckpoint> = []
  private readonly merges: Array<MergeRow> = []
  private readonly sessions: Array<SessionRow> = []

  get isEmpty(): boolean {
    return this.changedBranches.size === 0 && this.changedKeys.size === 0
  }

  checkpoint(row: CheckpointRow): void {
    this.checkpoints.set(`${row.id} ${row.branch}`, row)
  }

  /** From a version on, the branch has the session that it has now. */
  session({ branch, session, session_ends_at }: FoldedBranch, version: number): void {
    this.sessions.push({ branch, version, session, ends_at: session_ends_at })
  }

  merge(row: MergeRow): void {
    this.merges.push(row)
  }

  dropCheckpoint({ data, recordedAt }: Pick<Event, "data" | "recordedAt">): void {
    const { checkpoint: id, why } = data as { readonly checkpoint: string; readonly why: string }
    this.dropped.push({ id, why, at: recordedAt.toISOString() })
  }

  changed(branch: FoldedBranch): void {
    this.branches.set(branch.stream, branch)
    this.changedBranches.add(branch)
  }

  learn(branch: number, id: KeyId, key: FoldedKey): void {
    this.keys.set(`${branch} ${id}`, key)
  }

  knows(branch: number, id: KeyId): boolean {
    return this.keys.has(`${branch} ${id}`)
  }

  key(branch: number, id: KeyId): FoldedKey {
    return this.keys.get(`${branch} ${id}`) ?? ABSENT
  }

  /** A key of a branch changes at a version, by a patch of so many bytes. */
  change(
    branch: number,
    id: KeyId,
    { value, hash, bytes }: Pick<FoldedKey, "value" | "hash" | "bytes">,
    version: number,
    patchBytes: number
  ): void {
    const before = this.key(branch, id)
    const at = { branch, ...placeOfKey(id) }
    const isKept = before.isOwn && this.keep(at, id, before)
    // What was the parent's is kept in full from here on, since its patches lie elsewhere.
    const since = before.isOwn && !isKept ? before : { patches: 0, patchBytes: before.isOwn ? 0 : bytes }
    const patched = { bytes, patches: since.patches + 1, patchBytes: since.patchBytes + patchBytes }
    const isAnchor = value !== undefined && bytes > MOST_BYTES_HERE && isPatchedEnough(patched)
    const after = isAnchor ? { ...patched, patches: 0, patchBytes: 0 } : patched
    this.learn(branch, id, { value, hash, version, ...after, isOwn: true })
    this.changedKeys.set(`${branch} ${id}`, at)
    const isAbsent = value === undefined
    this.versions.set(`${branch} ${version} ${id}`, {
      ...at,
      version,
      hash: hashOrNull(isAbsent ? undefined : hash),
      is_absent: isAbsent,
      is_anchor: isAnchor,
      value: isAnchor ? value : null
    })
  }

  /** The value that a key had is kept, where patches enough lie before it. */
  private keep(at: KeyAt, id: KeyId, before: FoldedKey): boolean {
    const { version, value } = before
    if (value === undefined) return true
    if (!isPatchedEnough(before)) return false
    const row = this.versions.get(`${at.branch} ${version} ${id}`)
    if (row === undefined) this.anchors.push({ ...at, version, value })
    else Object.assign(row, { is_anchor: true, value })
    return true
  }

  /** What is to be written, as JSON; it is not to be written again. */
  take() {
    const branches = [...this.changedBranches].map((branch) => ({
      ...branch,
      hash: hashText(branch.hash),
      hasher: undefined
    }))
    const keys = [...this.changedKeys].map(([name, at]) => {
      const { value, hash, version, bytes, patches, patchBytes } = this.keys.get(name)!
      const isAbsent = value === undefined
      const isHere = !isAbsent && bytes <= MOST_BYTES_HERE
      return {
        ...at,
        version,
        hash: hashOrNull(isAbsent ? undefined : hash),
        value: isHere ? value : null,
        is_here: isHere,
        is_absent: isAbsent,
        bytes,
        patches,
        patch_bytes: patchBytes
      }
    })
    const written = {
      branches,
      keys,
      versions: [...this.versions.values()],
      anchors: [...this.anchors],
      checkpoints: [...this.checkpoints.values()],
      dropped: [...this.dropped],
      merges: [...this.merges],
      sessions: [...this.sessions]
    }
    this.merges.length = 0
    this.sessions.length = 0
    this.checkpoints.clear()
    this.dropped.length = 0
    this.changedBranches.clear()
    this.changedKeys.clear()
    this.versions.clear()
    this.anchors.length = 0
    return written
  }

  /** What is known of keys is let go: somebody else has changed the tables. */
  forget(): void {
    this.branches.clear()
    this.keys.clear()
  }
}
