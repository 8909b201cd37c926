import { Effect } from "effect"
import type { Json, MaybeJson } from "../../src/base/json-value.ts"
import type { Event } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import type { SqlSource } from "../../src/projection/sql-source.ts"
import type { FoldFailed } from "../../src/projection/fold.ts"
import { afterPatch, keysOfPatch } from "../../src/state/change/keys.ts"
import { hashOfText, StateHasher } from "../../src/state/branch/hash.ts"
import { refOfStream } from "../../src/state/name.ts"
import { keyId, type KeyId, placeOfKey, type Tier } from "../../src/state/tier.ts"
import { type FoldedBranch, WorkingSet } from "./working-set.ts"

export type Folding<A = void> = Effect.Effect<A, PostgresError | FoldFailed>

interface BranchRow extends Omit<
  FoldedBranch,
  | "hash"
  | "hasher"
  | "branch"
  | "version"
  | "position"
  | "born"
  | "parent"
  | "parent_version"
  | "lineage"
  | "lineage_up_to"
> {
  readonly branch: string
  readonly born: string
  readonly parent: string | null
  readonly parent_version: string | null
  readonly lineage: ReadonlyArray<string>
  readonly lineage_up_to: ReadonlyArray<string>
  readonly version: string
  readonly position: string
  readonly hash: string
}

/** Where there is no such branch, there may be a secret of its agent. */
type WantedRow = { readonly agent: string; readonly secret: string | null } & (
  | BranchRow
  | { readonly branch: null }
)

interface KeyRow {
  readonly branch: string
  readonly tier: Tier
  readonly key: string
  readonly is_own: boolean
  readonly version: string
  readonly hash: string | null
  readonly value: Json | null
  readonly bytes: number
  readonly patches: number
  readonly patch_bytes: number
  readonly is_absent: boolean
  readonly steps: ReadonlyArray<ReadonlyArray<unknown>> | null
}

/** The keys of a patch; none of one that is not ours, which is found out when it is folded. */
const touchedBy = (data: unknown): Iterable<KeyId> => {
  const { patch = [] } = data as { readonly patch?: ReadonlyArray<unknown> }
  try {
    return keysOfPatch(patch)
  } catch {
    return []
  }
}

const valueOf = (id: KeyId, { value, is_absent, steps }: KeyRow): MaybeJson => {
  let current: MaybeJson = is_absent ? undefined : value!
  for (const step of steps ?? []) {
    const own = step.filter((operation) => keysOfPatch([operation]).has(id))
    current = afterPatch(own, () => current).get(id)
  }
  return current
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text))

const foldedBranch = (row: BranchRow, hasher: StateHasher | undefined): FoldedBranch => ({
  ...row,
  branch: Number(row.branch),
  born: Number(row.born),
  parent: numberOrNull(row.parent),
  parent_version: numberOrNull(row.parent_version),
  lineage: row.lineage.map(Number),
  lineage_up_to: row.lineage_up_to.map(Number),
  version: Number(row.version),
  position: Number(row.position),
  hash: hashOfText(row.hash),
  hasher
})

/** The tables of states, while a batch is folded: what is loaded of them, and what is to be written. */
export class StateTables {
  readonly set = new WorkingSet()
  readonly tables: FoldTables

  constructor(tables: FoldTables) {
    this.tables = tables
  }

  /** Loads the branches of some streams; and gives the keys of the hashes of agents that were not known. */
  readonly loadBranches = Effect.fnUntraced({ self: this }, function* (streams: ReadonlySet<string>) {
    const { set, tables } = this
    const missing = [...streams].filter((stream) => !set.branches.has(stream))
    if (missing.length === 0) return new Map<string, StateHasher>()
    const found = yield* tables.query<WantedRow>("#projections/states/fold-branches.sql", [
      missing,
      missing.map((stream) => refOfStream(stream).agent)
    ])
    const secrets = new Map<string, StateHasher>()
    for (const { secret, ...row } of found) {
      if (secret !== null && !secrets.has(row.agent))
        secrets.set(row.agent, new StateHasher(Buffer.from(secret, "hex")))
      if (row.branch !== null) set.branches.set(row.stream, foldedBranch(row, secrets.get(row.agent)))
    }
    return secrets
  })

  /** Loads the keys that some events touch, but those of branches that begin among them. */
  loadKeys(events: ReadonlyArray<Event>): Folding {
    const { set } = this
    const wanted = new Map<string, readonly [branch: number, key: KeyId]>()
    for (const { stream, data } of events) {
      const branch = set.branches.get(stream)
      if (branch === undefined || branch.deleted_at !== null) continue
      for (const key of touchedBy(data))
        if (!set.knows(branch.branch, key)) wanted.set(`${branch.branch} ${key}`, [branch.branch, key])
    }
    return this.load([...wanted.values()])
  }

  readonly load = Effect.fnUntraced(
    { self: this },
    function* (wanted: ReadonlyArray<readonly [branch: number, key: KeyId]>) {
      if (wanted.length === 0) return
      const places = wanted.map(([branch, key]) => [branch, placeOfKey(key)] as const)
      const found = yield* this.tables.query<KeyRow>("#projections/states/fold-keys.sql", [
        places.map(([branch]) => branch),
        places.map(([, { tier }]) => tier),
        places.map(([, { key }]) => key)
      ])
      yield* this.tables.attempt(() => {
        for (const row of found) {
          const id = keyId(row.tier, row.key)
          this.set.learn(Number(row.branch), id, {
            value: valueOf(id, row),
            hash: row.hash === null ? undefined : hashOfText(row.hash),
            version: Number(row.version),
            bytes: row.bytes,
            patches: row.patches,
            patchBytes: row.patch_bytes,
            isOwn: row.is_own
          })
        }
      })
    }
  )

  readonly write: Folding = Effect.suspend(() => {
    if (this.set.isEmpty) return Effect.void
    const { tables } = this
    const { branches, sessions, keys, versions, anchors, checkpoints, dropped, merges } = this.set.take()
    const save = (file: SqlSource, ...lists: ReadonlyArray<ReadonlyArray<unknown>>): Folding => {
      const isAny = lists.some((list) => list.length > 0)
      return isAny
        ? Effect.asVoid(
            tables.query(
              file,
              lists.map((list) => JSON.stringify(list))
            )
          )
        : Effect.void
    }
    return Effect.gen(function* () {
      yield* save("#projections/states/save-branches.sql", branches)
      yield* save("#projections/states/save-sessions.sql", sessions)
      yield* save("#projections/states/save-keys.sql", keys, versions, anchors)
      yield* save("#projections/states/save-merges.sql", merges)
      // A checkpoint that was made and ended in one batch has to be there before it can be ended.
      yield* save("#projections/states/save-checkpoints.sql", checkpoints, [])
      yield* save("#projections/states/save-checkpoints.sql", [], dropped)
    })
  })
}
