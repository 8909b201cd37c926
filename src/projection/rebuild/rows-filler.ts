import { Effect, Semaphore } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { statement, type Statement, statementOf } from "../../postgres/sql-file.ts"
import { retirementStream, TelemetryRetired } from "../../log/retired.ts"
import type { FoldFailed } from "../fold.ts"
import { type Failure } from "../fold-stretch.ts"
import type { Overtaken } from "../registry.ts"
import { type Explained, type PlanNode, relationsOf } from "../sql-purity.ts"
import { physicalName } from "../sql-source.ts"
import type { Build, RebuildParts, Stretch } from "./build.ts"
import { type Filler, type Filling, foldLikeLive, isAboutEvents } from "./filler.ts"

/** How many events of the log, wanted or not, are folded by one statement. */
export const RANGE_EVENTS = 50_000

/** How many such statements run at once, where their order does not matter. */
const FILLS_AT_ONCE = 2

/** How long the server may take to delete all that is over, in ms: as long as Node's timers go. */
const DELETED_MS = 2_147_483_647

/** A stretch of the log, and what of it is wanted. */
interface Range extends Stretch {
  readonly wanted: number
  /** One of the wanted events is older than its type: only this process can bring it up to date. */
  readonly outdated: boolean
}

interface RangeRow {
  readonly last: string | null
  readonly seen: number
  readonly wanted: number
  readonly outdated: boolean
}

/**
 * Whether a fold only adds rows, each made of the batch alone, to a table that takes them as they come: then stretches of the
 * log may be folded in any order, and several at once.
 */
const isIndependent = Effect.fnUntraced(function* (
  { postgres }: RebuildParts,
  build: Build,
  fold: Statement
) {
  const { rows } = yield* postgres.query<Explained>(`explain (format json) ${fold.text}`, [
    0,
    0,
    build.wanted
  ])
  const plan: PlanNode = rows[0]!["QUERY PLAN"][0]!.Plan
  if (plan.Operation !== "Insert" || plan["Conflict Resolution"] !== undefined) return false
  const { relations } = build.blueprint.definition
  const own = new Set(relations.map((relation) => physicalName(relation, build.number)))
  const used = relationsOf(plan).filter((relation) => own.has(relation))
  if (used.length !== 1) return false
  const table = build.generation.tables.find((one) => one.endsWith(`."${used[0]}"`))
  const { text } = statement("table_is_plain", postgres.schema)
  const found = yield* postgres.query<{ plain: boolean }>(text, [table])
  return found.rows[0]!.plain
})

/** Has the server fold the log by itself, stretch by stretch, but for what must be brought up to date here. */
class RowsFiller implements Filler {
  private readonly parts: RebuildParts
  private readonly build: Build
  private readonly fold: Statement
  private readonly range: Statement
  /** Stretches may be folded in any order. */
  private anyOrder: boolean

  constructor(parts: RebuildParts, build: Build, fold: Statement, anyOrder: boolean) {
    this.parts = parts
    this.build = build
    this.fold = fold
    this.anyOrder = anyOrder
    this.range = statement("rebuild_page", parts.postgres.schema)
  }

  readonly fill = (upTo: number): Effect.Effect<void, Failure> =>
    Effect.andThen(this.fillUp(upTo), this.retire(upTo))

  private fillUp(upTo: number): Effect.Effect<void, Failure> {
    return Effect.suspend(() => {
      if (this.build.position >= upTo) return Effect.void
      if (!this.anyOrder) return this.inOrder(upTo)
      return Effect.catchIf(this.atOnce(upTo), isAboutFailure, () =>
        // What failed first of what ran at once is not what would fail first in the order of the log.
        Effect.andThen(this.startOver, this.inOrder(upTo))
      )
    })
  }

  /**
   * Deletes what is over, whether it was filled before the log said so or after. As often as there is something to fill, since a try that was
   * cut off may have filled all and come no further.
   */
  private retire(upTo: number): Effect.Effect<void, Failure> {
    const { retirement } = this.build.generation
    if (retirement === undefined) return Effect.void
    const said = statement("retired_up_to", this.parts.postgres.schema)
    return this.build.transaction((connection) =>
      Effect.gen(function* () {
        const values = [retirementStream(retirement.of), upTo]
        const { rows } = yield* connection.query<{ upTo: number | null }>(said.text, values)
        const last = rows[0]!.upTo
        if (last !== null) yield* connection.query(retirement.text, [last], { answerTimeoutMs: DELETED_MS })
      })
    )
  }

  readonly startOver: Effect.Effect<void, PostgresError | Overtaken> = Effect.suspend(() =>
    Effect.map(this.build.empty, () => {
      this.anyOrder = false
    })
  )

  /** The types that the fold sees. */
  private get folded(): ReadonlyArray<string> {
    return this.build.wanted.filter((type) => type !== TelemetryRetired.type)
  }

  private readonly inOrder = (upTo: number): Effect.Effect<void, Failure> =>
    Effect.gen({ self: this }, function* () {
      let range = yield* this.next(this.build.position, upTo)
      for (;;) {
        const { to } = range
        const ahead = to < upTo ? this.next(to, upTo) : Effect.succeed(undefined)
        // An interrupted query would cost its connection, so neither ends the other.
        const [folded, next] = yield* Effect.all([Effect.result(this.exactly(range)), Effect.result(ahead)], {
          concurrency: 2
        })
        yield* Effect.fromResult(folded)
        this.build.reach(to)
        const found = yield* Effect.fromResult(next)
        if (found === undefined) return
        range = found
      }
    })

  /** Folds a stretch; where that fails, finds the event that it fails on. */
  private exactly(range: Range): Effect.Effect<void, Failure> {
    return Effect.catchIf(this.foldRange(range), isAboutFailure, () => this.likeLive(range))
  }

  private readonly atOnce = (upTo: number): Effect.Effect<void, Failure> =>
    Effect.gen({ self: this }, function* () {
      const walking = yield* Semaphore.make(1)
      let at = this.build.position
      const take = walking.withPermits(1)(
        Effect.suspend(() => {
          const gap = this.build.gap(at, upTo)
          if (gap.from >= upTo) return Effect.succeed(undefined)
          return Effect.map(this.next(gap.from, gap.to), (range) => {
            at = range.to
            return range
          })
        })
      )
      const worker = Effect.gen({ self: this }, function* () {
        for (let range = yield* take; range !== undefined; range = yield* take) yield* this.foldRange(range)
      })
      const workers = Array.from({ length: FILLS_AT_ONCE }, () => Effect.result(worker))
      for (const outcome of yield* Effect.all(workers, { concurrency: FILLS_AT_ONCE }))
        yield* Effect.fromResult(outcome)
      this.build.reach(upTo)
    })

  private next(from: number, upTo: number): Effect.Effect<Range, PostgresError> {
    const { wanted, changed } = this.build
    const values = [from, upTo, RANGE_EVENTS, wanted, changed.types, changed.versions]
    const { text, name } = this.range
    return Effect.map(
      this.parts.postgres.query<RangeRow>(text, values, { name }),
      ({ rows: [row] }): Range => ({
        from,
        to: row!.seen < RANGE_EVENTS ? upTo : Number(row!.last),
        wanted: row!.wanted,
        outdated: row!.outdated
      })
    )
  }

  private foldRange(range: Range): Effect.Effect<void, Failure> {
    const { from, to, wanted, outdated } = range
    if (outdated) return this.likeLive(range)
    const { pace } = this.build
    const { text, name } = this.fold
    const fold = (connection: Connection): Effect.Effect<unknown, PostgresError> =>
      wanted === 0 ? Effect.void : connection.query(text, [from, to, this.folded], { name })
    return Effect.map(this.build.advance(range, wanted, fold), () => pace.folded(wanted, to))
  }

  private likeLive({ from, to }: Range): Effect.Effect<void, Failure> {
    return foldLikeLive(this.parts.feed, this.build, from, to, (events, position) =>
      this.build.pace.folded(events, position)
    )
  }
}

const isAboutFailure = (failure: Failure): failure is PostgresError | FoldFailed =>
  failure._tag !== "Poisoned" && isAboutEvents(failure)

/** How the tables of a rows projection are filled. */
export const rowsFiller = Effect.fnUntraced(function* (parts: RebuildParts, build: Build) {
  const stored = statement("stored_batch", parts.postgres.schema).text
  const fold = statementOf(build.generation.rowsOver(stored))
  const anyOrder = yield* isIndependent(parts, build, fold)
  const filling: Filling = {
    filler: new RowsFiller(parts, build, fold, anyOrder),
    onlyAdds: anyOrder,
    onlyByKey: anyOrder
  }
  return filling
})
