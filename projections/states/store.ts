import { Effect, Layer } from "effect"
import { Gatherer } from "../../src/base/gatherer.ts"
import type { Json } from "../../src/base/json-value.ts"
import type { Meta } from "../../src/log/event.ts"
import { Postgres, type Queryable } from "../../src/postgres/postgres.ts"
import { statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import type { Patience } from "../../src/projection/catch-up.ts"
import { Projections } from "../../src/projection/projections.ts"
import { readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import { hashOfText } from "../../src/state/branch/hash.ts"
import {
  type BranchRow,
  type Fault,
  type LastEvent,
  LentConnection,
  type Loaded,
  type LoadedKey,
  type Moment,
  type Selection,
  StateStore,
  type TailEvent,
  type Wanted
} from "../../src/state/store.ts"
import { keyId, placeOfKey, type Tier } from "../../src/state/tier.ts"
import { type QueriedSchema, questions } from "./questions.ts"

interface BranchJson {
  readonly branch: number
  readonly agent: string
  readonly name: string
  readonly stream: string
  readonly born: number
  readonly parent: number | null
  readonly parent_version: number | null
  readonly version: number
  readonly position: number
  readonly hash: string
  readonly faults: ReadonlyArray<Fault>
  readonly agent_type: string | null
  readonly session: string | null
  readonly deleted_at: string | null
}

/** An anchor, whether the key was absent there, and what came after it. */
type Patched = readonly [
  value: Json | null,
  isAbsent: boolean,
  patches: ReadonlyArray<ReadonlyArray<unknown>>
]

type KeyJson = readonly [
  tier: Tier,
  key: string,
  hash: string | null,
  value: Json | null,
  bytes: number,
  patched: Patched | null,
  isAbsent: boolean
]

type TailJson = readonly [
  version: number,
  position: number,
  id: string,
  type: string,
  data: unknown,
  meta: Meta,
  recordedAt: number
]

interface LoadRow {
  readonly branch: BranchJson | null
  readonly keys: ReadonlyArray<KeyJson> | null
  readonly stream: string | null
  readonly moment:
    | readonly [hash: string, position: number, recordedAt: number, session: string | null]
    | null
  readonly tail: ReadonlyArray<TailJson> | null
  readonly secret: string | null
}

interface TailRow {
  readonly head: string | null
  readonly tail: ReadonlyArray<TailJson> | null
}

/** A stream, from after a version on. */
interface Stretch {
  readonly stream: string
  readonly after: number
}

interface Locatable {
  readonly stream?: string
  readonly version?: number
  readonly position?: number
  readonly time?: Date
  readonly commit?: string
}

interface LocatedRow {
  readonly stream: string
  readonly version: string
  readonly branch: string | null
}

interface LastRow extends Omit<LastEvent, "version" | "position"> {
  readonly stream: string
  readonly version: string
  readonly position: string
}

const NAME = "states"

/** How long what looks at the past waits until that is kept ready: a machine may be busy, and what goes on gets there. */
const PATIENCE: Patience = { stalledMs: 10_000, mostMs: 60_000 }

/** … and what only tells more by it. */
const SHORT_PATIENCE: Patience = { stalledMs: 5_000, mostMs: 5_000 }

/** As PostgreSQL writes a bytea into JSON. */
const BYTEA_PREFIX = "\\x"

const branchRow = (row: BranchJson): BranchRow => ({
  branch: row.branch,
  agent: row.agent,
  name: row.name,
  stream: row.stream,
  born: row.born,
  parent: row.parent === null ? undefined : { branch: row.parent, version: row.parent_version! },
  version: row.version,
  position: row.position,
  hash: hashOfText(row.hash.slice(BYTEA_PREFIX.length)),
  faults: row.faults,
  agentType: row.agent_type ?? undefined,
  session: row.session ?? undefined,
  isDeleted: row.deleted_at !== null
})

const loadedKey = ([tier, key, hash, now, bytes, patched, isAbsentNow]: KeyJson): LoadedKey => {
  const [value, isAbsent, patches] = patched ?? [now, isAbsentNow, []]
  return {
    id: keyId(tier, key),
    hash: hash === null ? undefined : hashOfText(hash),
    value: isAbsent ? undefined : value!,
    bytes,
    patches
  }
}

const tailEvent = ([version, position, id, type, data, meta, recordedAt]: TailJson): TailEvent => ({
  version,
  position,
  id,
  type,
  data,
  meta,
  recordedAt
})

/** The tiers and keys of a selection as the query takes them. */
const columnsOf = (selection: Selection): ReadonlyArray<ReadonlyArray<string>> => {
  const places = selection.keys.map(placeOfKey)
  return [selection.tiers, places.map(({ tier }) => tier), places.map(({ key }) => key)]
}

const make = Effect.gen(function* () {
  const pool = yield* Postgres
  const projections = yield* Projections
  const postgres: QueriedSchema = {
    schema: pool.schema,
    query: (text, values, options) =>
      Effect.flatMap(LentConnection, (lent) => (lent ?? pool).query(text, values, options))
  }
  const prepared = (sql: SqlSource) => statementOf(withSchema(readSql(sql), postgres.schema))
  const load = prepared({ text: 'select * from :"schema".load_branch($1, $2, $3, $4, $5, $6)' })
  const tail = prepared("#projections/states/tail.sql")
  const locating = prepared("#projections/states/locate.sql")
  const lastly = prepared("#projections/states/last.sql")
  const locking = prepared({ text: 'select version from :"schema".streams where stream = $1 for update' })
  const secret = prepared({ text: "select encode(:\"schema\".agent_secret($1), 'hex') as secret" })

  const ask = <Row>({ text, name }: typeof load, values: ReadonlyArray<unknown>, connection: Queryable) =>
    Effect.map(connection.query<Row>(text, values, { name }), ({ rows }) => rows[0]!)

  const tails = (stretches: ReadonlyArray<Stretch>, connection: Queryable) =>
    Effect.map(
      connection.query<TailRow>(
        tail.text,
        [stretches.map(({ stream }) => stream), stretches.map(({ after }) => after)],
        { name: tail.name }
      ),
      ({ rows }) =>
        rows.map((row) => ({ head: Number(row.head ?? 0), events: (row.tail ?? []).map(tailEvent) }))
    )
  const gathered = new Gatherer((stretches: ReadonlyArray<Stretch>) => tails(stretches, pool))

  const loadedOf = (row: LoadRow): Loaded => ({
    branch: row.branch === null ? undefined : branchRow(row.branch),
    keys: (row.keys ?? []).map(loadedKey),
    stream: row.stream ?? undefined,
    moment: row.moment === null ? undefined : momentOf(row.moment),
    tail: (row.tail ?? []).map(tailEvent),
    secret: row.secret === null ? undefined : Buffer.from(row.secret, "hex")
  })

  return StateStore.of({
    ...questions(postgres),
    caughtUp: (position) => projections.reached(NAME, position, PATIENCE),
    isSoonCaughtUp: (position) => Effect.isSuccess(projections.reached(NAME, position, SHORT_PATIENCE)),
    load: (wanted: Wanted, selection, upTo, connection = postgres) => {
      const [stream, branch] = "stream" in wanted ? [wanted.stream, null] : [null, wanted.branch]
      const values = [stream, branch, upTo ?? null, ...columnsOf(selection)]
      return Effect.map(ask<LoadRow>(load, values, connection), loadedOf)
    },
    tail: (stream, after, connection) =>
      Effect.flatMap(LentConnection, (lent) => {
        const own = connection ?? lent
        return own === undefined
          ? gathered.one({ stream, after })
          : Effect.map(tails([{ stream, after }], own), ([one]) => one!)
      }),
    locate: (what) => {
      const { stream = null, version = null, position = null, time = null, commit = null } = what as Locatable
      const values = [stream, version, position, time, commit]
      return Effect.map(
        postgres.query<LocatedRow>(locating.text, values, { name: locating.name }),
        ({ rows: [row] }) =>
          row === undefined || row.branch === null
            ? undefined
            : { stream: row.stream, version: Number(row.version), branch: Number(row.branch) }
      )
    },
    lasts: (streams) =>
      Effect.map(
        postgres.query<LastRow>(lastly.text, [streams], { name: lastly.name }),
        ({ rows }) =>
          new Map(
            rows.map(({ stream, ...row }) => [
              stream,
              { ...row, version: Number(row.version), position: Number(row.position) }
            ])
          )
      ),
    lock: (stream, connection) => Effect.asVoid(connection.query(locking.text, [stream])),
    secret: (agent) =>
      Effect.map(ask<{ secret: string }>(secret, [agent], postgres), (row) => Buffer.from(row.secret, "hex"))
  })
})

const momentOf = ([hash, position, recordedAt, session]: NonNullable<LoadRow["moment"]>): Moment => ({
  hash: hashOfText(hash),
  position,
  recordedAt,
  session: session ?? undefined
})

/** States as the read model `states` keeps them. */
export const stateStore: Layer.Layer<StateStore, never, Postgres | Projections> = Layer.effect(
  StateStore,
  make
)
