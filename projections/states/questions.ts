import { Effect } from "effect"
import { Gatherer } from "../../src/base/gatherer.ts"
import type { Meta } from "../../src/log/event.ts"
import type { Postgres } from "../../src/postgres/postgres.ts"
import { type Statement, statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { qualified, readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import type {
  CheckpointStanding,
  CompactableBranch,
  EventById,
  ExpiredConflict,
  Heir,
  InboxConflict,
  KnownBy,
  Node,
  PastEvent,
  StateStore,
  TailEvent
} from "../../src/state/store.ts"
import type { Swept } from "../../src/state/care/sweeping.ts"
import { keyId, type KeyId, placeOfKey, type Tier } from "../../src/state/tier.ts"

interface TailRow extends Omit<TailEvent, "version" | "position"> {
  readonly version: string
  readonly position: string
}

interface PastRow {
  readonly branch: string
  readonly position: string
  readonly id: string
  readonly version: string
  readonly type: string
  readonly data: unknown
  readonly meta: Meta
  readonly recorded_at: Date
}

const pastEvent = ({ position, version, recorded_at, ...row }: PastRow): PastEvent => ({
  ...row,
  position: Number(position),
  version: Number(version),
  recordedAt: recorded_at
})

interface NodeRow {
  readonly branch: string
  readonly version: string
}

const nodeOf = ([row]: ReadonlyArray<NodeRow>): Node | undefined =>
  row && { branch: Number(row.branch), version: Number(row.version) }

interface KnownRow {
  readonly known: Readonly<Record<string, number>> | null
  readonly position: string
}

interface KnownOfKeyRow extends KnownRow {
  readonly is_known: boolean
  readonly is_its_own: boolean
}

const knownBy = ({ known, position }: KnownRow): KnownBy => ({
  vector: new Map(Object.entries(known ?? {}).map(([branch, version]) => [Number(branch), version])),
  order: Number(position)
})

/** Where the fold asks its tables, readers ask the views on them. */
const onViews = (sql: string, schema: string): string =>
  sql.replaceAll(/:"(state_\w+)"/g, (_, relation: string) => qualified(schema, relation))

/** The questions about states that are asked of what is kept ready of their past. */
export type Questions = Pick<
  StateStore["Service"],
  | "changedKeys"
  | "keyHistory"
  | "history"
  | "known"
  | "knownOfKeys"
  | "goneKeys"
  | "hasSynced"
  | "wholeChange"
  | "before"
  | "commitBefore"
  | "beginningOf"
  | "heirs"
  | "page"
  | "byId"
  | "compactableBranches"
  | "compactable"
  | "checkpointStanding"
  | "endExpired"
  | "conflict"
  | "expiredConflicts"
>

type NodeOfKey = Parameters<StateStore["Service"]["knownOfKeys"]>[0][number]

/** Where questions are asked, and of which log. */
export type QueriedSchema = Pick<Postgres["Service"], "query" | "schema">

export const questions = (postgres: QueriedSchema): Questions => {
  const prepared = (sql: SqlSource): Statement =>
    statementOf(withSchema(onViews(readSql(sql), postgres.schema), postgres.schema))
  const asked = <Row>({ text, name }: Statement, values: ReadonlyArray<unknown>) =>
    Effect.map(postgres.query<Row>(text, values, { name }), ({ rows }) => rows)
  const changedKeys = prepared({ text: 'select tier, key from :"schema".changed_state_keys($1, $2, $3, $4)' })
  const keyHistory = prepared("#projections/states/key-history.sql")
  const history = prepared("#projections/states/history.sql")
  const known = prepared("#projections/states/known.sql")
  const knownOfKeys = prepared({
    text: 'select known, position, is_known, is_its_own from :"schema".known_of_keys($1, $2, $3, $4)'
  })
  const goneKeys = prepared({ text: 'select tier, key from :"schema".removed_state_keys($1, $2, $3)' })
  const hasSynced = prepared({ text: 'select :"schema".have_synced($1, $2) as has_synced' })
  const wholeChange = prepared("#projections/states/whole-change.sql")
  const versionBefore = prepared("#projections/states/before.sql")
  const commitBefore = prepared("#projections/states/commit-before.sql")
  const beginning = prepared("#projections/states/beginning.sql")
  const heirs = prepared("#projections/states/heirs.sql")
  const page = prepared("#projections/states/page.sql")
  const byId = prepared("#projections/states/by-id.sql")
  const compactableBranches = prepared("#projections/states/compactable-branches.sql")
  const compactable = prepared("#projections/states/compactable.sql")
  const standing = prepared("#projections/states/checkpoint-standing.sql")
  const endExpired = prepared("#projections/states/end-expired.sql")
  const inbox = prepared("#projections/states/inbox.sql")
  const expiredConflicts = prepared("#projections/states/expired-conflicts.sql")
  const wake = prepared("#projections/states/wake.sql")
  const askKnown = (nodes: ReadonlyArray<NodeOfKey>) => {
    const places = nodes.map(({ key }) => placeOfKey(key))
    const values = [
      nodes.map(({ branch }) => branch),
      nodes.map(({ version }) => version),
      places.map(({ tier }) => tier),
      places.map(({ key }) => key)
    ]
    return asked<KnownOfKeyRow>(knownOfKeys, values)
  }
  // Those who bring one state into many others ask about the same versions.
  const gatheredKnown = new Gatherer((groups: ReadonlyArray<ReadonlyArray<NodeOfKey>>) => {
    const nameOf = ({ branch, version, key }: NodeOfKey): string => `${branch}.${version} ${key}`
    const nodes = [...new Map(groups.flat().map((node) => [nameOf(node), node] as const)).values()]
    return Effect.map(askKnown(nodes), (rows) => {
      const found = new Map(nodes.map((node, at) => [nameOf(node), rows[at]!] as const))
      return groups.map((group) => group.map((node) => found.get(nameOf(node))!))
    })
  })
  return {
    changedKeys: (one: Node, other: Node) =>
      Effect.map(
        asked<{ tier: Tier; key: string }>(changedKeys, [
          one.branch,
          one.version,
          other.branch,
          other.version
        ]),
        (rows) => rows.map(({ tier, key }) => keyId(tier, key))
      ),
    keyHistory: ({ branch, version }: Node, of: KeyId, most, before) => {
      const { tier, key } = placeOfKey(of)
      const values = [branch, version, tier, key, most, before ?? null]
      return Effect.map(asked<PastRow>(keyHistory, values), (rows) => rows.map(pastEvent))
    },
    history: ({ branch, version }: Node, most, before) =>
      Effect.map(asked<PastRow>(history, [branch, version, most, before ?? null]), (rows) =>
        rows.map(pastEvent)
      ),
    known: (nodes) => {
      const values = [nodes.map(({ branch }) => branch), nodes.map(({ version }) => version)]
      return Effect.map(asked<KnownRow>(known, values), (rows) => rows.map(knownBy))
    },
    knownOfKeys: (nodes) =>
      Effect.map(gatheredKnown.one(nodes), (rows) => ({
        known: rows.map((row) => ({ ...knownBy(row), isItsOwn: row.is_its_own })),
        isAll: rows.every(({ is_known }) => is_known)
      })),
    goneKeys: ({ branch, version }: Node, tiers) =>
      Effect.map(asked<{ tier: Tier; key: string }>(goneKeys, [branch, version, tiers]), (rows) =>
        rows.map(({ tier, key }) => keyId(tier, key))
      ),
    hasSynced: (nodes) => {
      const values = [nodes.map(({ branch }) => branch), nodes.map(({ version }) => version)]
      return Effect.map(asked<{ has_synced: boolean }>(hasSynced, values), ([row]) => row!.has_synced)
    },
    wholeChange: ({ branch, version }: Node) =>
      Effect.map(asked<{ first: string; last: string }>(wholeChange, [branch, version]), ([row]) => [
        { branch, version: Number(row?.first ?? version) },
        { branch, version: Number(row?.last ?? version) }
      ]),
    before: ({ branch, version }: Node) =>
      Effect.map(asked<NodeRow>(versionBefore, [branch, version]), nodeOf),
    commitBefore: ({ branch, version }: Node) =>
      Effect.map(asked<NodeRow>(commitBefore, [branch, version]), nodeOf),
    beginningOf: (branch) =>
      Effect.map(asked<{ stream: string; version: string }>(beginning, [branch]), ([row]) =>
        row === undefined ? undefined : { stream: row.stream, version: Number(row.version) }
      ),
    heirs: (branch, after, versionsBefore) => asked<Heir>(heirs, [branch, after, versionsBefore]),
    page: (stream, after, upTo) =>
      Effect.map(asked<TailRow>(page, [stream, after, upTo]), (rows) =>
        rows.map((row): TailEvent => ({
          ...row,
          version: Number(row.version),
          position: Number(row.position)
        }))
      ),
    byId: (id) =>
      Effect.map(asked<EventById & { version: string; position: string }>(byId, [id]), ([row]) =>
        row === undefined
          ? undefined
          : { ...row, version: Number(row.version), position: Number(row.position) }
      ),
    compactableBranches: (agent, time, most, after) =>
      asked<CompactableBranch>(compactableBranches, [agent ?? null, time, most, after]),
    compactable: (branch, versionsBefore) =>
      Effect.map(asked<{ bytes: number }>(compactable, [branch, versionsBefore]), (rows) => ({
        values: rows.length,
        bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0)
      })),
    checkpointStanding: (checkpoint, stream, expiresAt) =>
      Effect.map(
        asked<CheckpointStanding>(standing, [checkpoint, stream, expiresAt ?? null]),
        ([row]) => row!
      ),
    conflict: (id) =>
      Effect.map(asked<InboxConflict>(inbox, [null, null, null, null, id, 1]), ([row]) => row),
    expiredConflicts: (most, after) =>
      asked<ExpiredConflict>(expiredConflicts, [most, after?.openedAt ?? null, after?.id ?? null]),
    endExpired: (most) =>
      Effect.flatMap(asked<Swept>(endExpired, [most]), ([ended]) =>
        ended!.sessions + ended!.checkpoints === 0
          ? Effect.succeed(ended!)
          : Effect.as(asked(wake, []), ended!)
      )
  }
}
