import { Effect } from "effect"
import { uuid } from "../../base/uuid.ts"
import { isGoneFromHere } from "../../fleet/process-place.ts"
import type { Card } from "../../fleet/post.ts"
import { type PostgresError, Rejected } from "../../postgres/error.ts"
import { quoted } from "../../postgres/identifier.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { SqlState } from "../../postgres/sqlstate.ts"
import { statement } from "../../postgres/sql-file.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import { Overtaken } from "../registry.ts"
import type { RebuildParts } from "./build.ts"
import { SchemaInUse, WhatIfUnderWay } from "./error.ts"
import { isPassing } from "./losses.ts"
import { isBlocked } from "./unlocked.ts"

/** What a throw-away schema says of itself, before who works in it and what it made; any other schema is left alone. */
const MARK = "Made by a what-if of Tidemark: it may be dropped at any time."

/** How long the transactions of another in the schema are waited for, in ms. */
const LOCK_MS = 3_000

type Queryable = Pick<Connection, "query">

/** An object of the catalog, which no other can be taken for. */
type Made = readonly [classId: number, objectId: number]

interface Mark {
  /** The schema of the log: engines of another are not known here. */
  readonly log: string
  readonly run: string
  /** Null where it is left to be looked into. */
  readonly engine: string | null
  readonly made: ReadonlyArray<Made>
}

interface SchemaObject {
  readonly class: number
  readonly object: string
  readonly type: string
  readonly identity: string
  readonly is_ours: boolean
}

const isMark = (value: unknown): value is Mark => {
  const { log, run, engine, made } = Object(value) as Partial<Record<keyof Mark, unknown>>
  const isText = typeof log === "string" && typeof run === "string"
  return isText && (engine === null || typeof engine === "string") && Array.isArray(made)
}

/** Undefined where it is no mark, or one that somebody has changed. */
const parsed = (comment: string | null): Mark | undefined => {
  if (comment === null || !comment.startsWith(MARK)) return undefined
  try {
    const mark: unknown = JSON.parse(comment.slice(MARK.length))
    return isMark(mark) ? mark : undefined
  } catch {
    return undefined
  }
}

/** A schema that a what-if makes for itself, and owns as long as its engine is alive. */
export class Scratch {
  readonly schema: string
  private readonly parts: RebuildParts
  private readonly run = uuid()
  private made: ReadonlyArray<Made> = []

  constructor(parts: RebuildParts, schema: string) {
    this.parts = parts
    this.schema = schema
  }

  /** Makes it, in place of what an earlier what-if left. Fails with SchemaInUse or WhatIfUnderWay; then nothing was done. */
  readonly make: Effect.Effect<void, PostgresError | ProjectionError> = Effect.suspend(() => {
    const { active } = this.parts
    const making = this.alone((connection, comment) =>
      Effect.gen({ self: this }, function* () {
        if (comment !== undefined) yield* this.clear(connection, yield* this.left(connection, comment))
        yield* connection.query(`create schema ${quoted(this.schema)}`)
        yield* this.mark(connection, this.parts.fleet.engine)
      })
    )
    // Who works in it holds the lock for a while now and then: that is told before it is waited for.
    const trying = Effect.andThen(
      this.look,
      Effect.catchIf(making, isBlocked, (failure) => Effect.andThen(this.look, Effect.fail(failure)))
    )
    // Before anybody can see it: another call of this engine must not take it for left behind.
    return Effect.andThen(
      Effect.sync(() => active.add(this.run)),
      Effect.onError(trying, () => Effect.sync(() => active.delete(this.run)))
    )
  })

  /** Fails where it is there, and nothing that an earlier what-if left. */
  private readonly look: Effect.Effect<void, PostgresError | ProjectionError> = Effect.suspend(() => {
    const { postgres } = this.parts
    return Effect.flatMap(this.comment(postgres), (comment) =>
      comment === undefined ? Effect.void : Effect.asVoid(this.left(postgres, comment))
    )
  })

  /**
   * Leaves it to be looked into, or drops it; not where another has taken it over. Where that cannot be done it is said in the
   * engine's log, and to whoever asks: why. Then it is left to the next what-if into it.
   */
  readonly leave = (isKept: boolean): Effect.Effect<string | undefined> =>
    Effect.suspend(() => {
      const leaving = this.ifOurs((connection, mark) =>
        isKept ? this.mark(connection, null) : this.clear(connection, mark)
      )
      return leaving.pipe(
        Effect.as(undefined),
        Effect.catch((failure) => this.leaveBehind(isKept, failure)),
        Effect.ensuring(Effect.sync(() => this.parts.active.delete(this.run)))
      )
    })

  private readonly leaveBehind = Effect.fnUntraced(
    { self: this },
    function* (isKept: boolean, failure: PostgresError | ProjectionError) {
      // What is marked as nobody's is anybody's to drop, before this engine ends.
      const freed = this.ifOurs((connection) => this.mark(connection, null))
      const isFree = !isKept && !isPassing(failure) && (yield* Effect.isSuccess(freed))
      const next = isFree
        ? "the next what-if into it"
        : "this engine's next what-if into it, or anyone's once this engine is closed,"
      const what = isKept ? "is kept, but could not be marked so" : "could not be dropped, and is left behind"
      const warning = `Schema ${JSON.stringify(this.schema)} of a what-if ${what}: ${next} drops it, where nothing is in the way any more, or you do. ${failure.message}`
      yield* Effect.logWarning(warning)
      return warning
    }
  )

  private ifOurs<E>(
    use: (connection: Connection, mark: Mark) => Effect.Effect<void, E>
  ): Effect.Effect<void, E | PostgresError> {
    return this.alone((connection, comment) => {
      const mark = parsed(comment ?? null)
      return mark?.run === this.run ? use(connection, mark) : Effect.void
    })
  }

  /** The first statements of every transaction in it; fails with Overtaken where another has taken it over. */
  hold(connection: Connection): Effect.Effect<void, PostgresError | Overtaken> {
    const { text } = statement("hold_scratch", this.parts.postgres.schema)
    return Effect.gen({ self: this }, function* () {
      yield* connection.query(text, [this.schema])
      const comment = yield* this.comment(connection)
      if (parsed(comment ?? null)?.run !== this.run) return yield* new Overtaken()
    })
  }

  /** Writes down what this transaction has made in it. */
  readonly note = Effect.fnUntraced({ self: this }, function* (connection: Connection) {
    const ours = (yield* this.objects(connection)).filter((one) => one.is_ours)
    this.made = [...this.made, ...ours.map((one): Made => [one.class, Number(one.object)])]
    yield* this.mark(connection, this.parts.fleet.engine)
  })

  private alone<E>(
    use: (connection: Connection, comment: string | null | undefined) => Effect.Effect<void, E>
  ): Effect.Effect<void, E | PostgresError> {
    const { postgres } = this.parts
    return postgres.transaction((connection) =>
      Effect.gen({ self: this }, function* () {
        yield* connection.query(`set local lock_timeout = ${LOCK_MS}`)
        yield* connection.query(statement("lock_scratch", postgres.schema).text, [this.schema])
        yield* use(connection, yield* this.comment(connection))
      })
    )
  }

  /** Undefined where there is no such schema. */
  private comment(connection: Queryable): Effect.Effect<string | null | undefined, PostgresError> {
    const { text } = statement("scratch_mark", this.parts.postgres.schema)
    return Effect.map(
      connection.query<{ mark: string | null }>(text, [this.schema]),
      ({ rows }) => rows[0]?.mark
    )
  }

  private mark(connection: Connection, engine: string | null): Effect.Effect<void, PostgresError> {
    const mark: Mark = { log: this.parts.postgres.schema, run: this.run, engine, made: this.made }
    const text = `${MARK} ${JSON.stringify(mark)}`.replaceAll("'", "''")
    return Effect.asVoid(connection.query(`comment on schema ${quoted(this.schema)} is '${text}'`))
  }

  private inUse(holds: ReadonlyArray<string>): ProjectionError {
    return projectionError(new SchemaInUse({ schema: this.schema, holds }))
  }

  /** The mark of a schema that nobody works in any more. */
  private readonly left = Effect.fnUntraced(
    { self: this },
    function* (connection: Connection, comment: string | null) {
      const { postgres, active, fleet } = this.parts
      const mark = parsed(comment)
      if (mark === undefined || mark.log !== postgres.schema) return yield* this.inUse([])
      const { text } = statement("living_engine", postgres.schema)
      const { rows } = yield* connection.query<Omit<Card, "process"> & { process: string | null }>(text, [
        mark.engine
      ])
      const [owner] = rows
      const isGone = owner === undefined || (owner.process !== null && isGoneFromHere(owner.process))
      if (isGone || (owner.engine === fleet.engine && !active.has(mark.run))) return mark
      const { application, host, pid } = owner
      return yield* projectionError(new WhatIfUnderWay({ schema: this.schema, application, host, pid }))
    }
  )

  private objects(connection: Connection): Effect.Effect<ReadonlyArray<SchemaObject>, PostgresError> {
    const { text } = statement("scratch_objects", this.parts.postgres.schema)
    return Effect.map(connection.query<SchemaObject>(text, [this.schema]), ({ rows }) => rows)
  }

  /** Drops the schema with what a what-if made in it, and nothing else: not what others put there, or made of it. */
  private readonly clear = Effect.fnUntraced(
    { self: this },
    function* (
      connection: Connection,
      { made }: Mark
    ): Effect.fn.Return<void, PostgresError | ProjectionError> {
      const known = new Set(made.map(String))
      const found = yield* this.objects(connection)
      const strangers = found.filter((one) => !known.has(`${one.class},${one.object}`))
      if (strangers.length > 0)
        return yield* this.inUse(strangers.map(({ type, identity }) => `${type} ${identity}`))
      const types = [...new Set(found.map(({ type }) => type))]
      const dropping = Effect.forEach(types, (type) => {
        const names = found.filter((one) => one.type === type).map(({ identity }) => identity)
        return connection.query(`drop ${type} if exists ${names.join(", ")}`)
      })
      const all = Effect.andThen(dropping, connection.query(`drop schema ${quoted(this.schema)}`))
      yield* Effect.mapError(all, (error) => {
        const { reason } = error
        const hangs = reason instanceof Rejected && reason.sqlState === SqlState.dependentObjectsStillExist
        return hangs ? this.inUse([reason.data ?? reason.detail]) : error
      })
    }
  )
}
