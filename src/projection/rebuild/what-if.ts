import { Effect } from "effect"
import { uuid } from "../../base/uuid.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { type Filter, isFilter } from "../../log/filter.ts"
import { Pager } from "../../log/pager.ts"
import type { Blueprint } from "../blueprint.ts"
import type { ProjectionError } from "../error.ts"
import type { Fold } from "../fold.ts"
import { type Failure, foldStretch } from "../fold-stretch.ts"
import type { Overtaken } from "../registry.ts"
import { Generation } from "../generation.ts"
import { asDefinitionError } from "../register.ts"
import { Build, type RebuildParts, type Stretch } from "./build.ts"
import { type Filler, foldEvents } from "./filler.ts"
import { joined } from "./joined.ts"
import { fillerOf, told } from "./rebuild.ts"
import { Pace, type RebuildProgress } from "./pace.ts"
import { Scratch } from "./scratch.ts"
import { type Verification, verify } from "./verify.ts"

/** Which events are folded, into which schema. */
export interface WhatIf extends Filter {
  /** A schema that is made for this, and replaced where an earlier call left it. */
  readonly into: string
  /** Only what lies up to and with this position. Default: what the live model has. */
  readonly to?: number
  /** Leave the schema, to be looked into. Default: false. */
  readonly keep?: boolean
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** What a projection came to. */
export interface WhatIfOutcome {
  readonly projection: string
  readonly version: number
  /** Everything of the filter up to here was folded. */
  readonly position: number
  readonly events: number
  readonly seconds: number
  readonly rate: number
  /** How it compares with the live tables; undefined where there are none. */
  readonly compared: Verification | undefined
}

export interface WhatIfReport {
  readonly schema: string
  /** Whether the schema is still there, with a view for each table. */
  readonly kept: boolean
  /** Why it is still there although it was not to be kept; undefined where all went well. The next what-if into it drops it. */
  readonly leftBehind: string | undefined
  readonly projections: ReadonlyArray<WhatIfOutcome>
}

/** The only generation that a throw-away schema has. */
const GENERATION = 1

/** Tables in a throw-away schema, which are in no table of generations and which nobody goes on with. */
class Trial extends Build {
  private readonly scratch: Scratch

  constructor(parts: RebuildParts, generation: Generation, scratch: Scratch, fold: Fold, pace: Pace) {
    super(parts, generation, uuid(), fold, pace)
    this.scratch = scratch
  }

  override hold(connection: Connection): Effect.Effect<void, PostgresError | Overtaken> {
    return this.scratch.hold(connection)
  }

  override forget(): Effect.Effect<unknown, PostgresError> {
    return Effect.void
  }

  override advance<E = never>(
    _: Stretch,
    events: number,
    fold: (connection: Connection) => Effect.Effect<unknown, E> = () => Effect.void
  ): Effect.Effect<void, E | PostgresError | Overtaken> {
    return events === 0 ? Effect.void : Effect.asVoid(this.transaction(fold))
  }
}

const makeTables = (
  parts: RebuildParts,
  blueprint: Blueprint,
  scratch: Scratch,
  pace: Pace
): Effect.Effect<Build, PostgresError | ProjectionError | Overtaken> => {
  const { postgres } = parts
  const generation = new Generation(blueprint, GENERATION, postgres.schema, scratch.schema)
  const making = postgres.transaction(
    Effect.fnUntraced(function* (connection) {
      yield* scratch.hold(connection)
      yield* generation.create(connection)
      yield* generation.check(connection)
      yield* generation.publish(connection)
      yield* scratch.note(connection)
      return new Trial(parts, generation, scratch, yield* generation.fold(connection), pace)
    })
  )
  return asDefinitionError(blueprint.definition.name, making)
}

/** Folds only the events of a filter, as it is done live. */
const filtered = (parts: RebuildParts, build: Build, filter: Filter): Filler => ({
  fill: (upTo): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const pager = new Pager(parts.feed.pages, filter)
      while (build.position < upTo) {
        const { events, last } = yield* pager.next(build.position, upTo)
        yield* foldStretch({ events, upTo: last }, (some, position) =>
          Effect.map(foldEvents(build, { from: build.position, to: position }, some), () =>
            build.pace.folded(some.length, position)
          )
        )
        build.reach(last)
      }
    })
})

/** The types that a filter leaves of those that a projection folds. */
const withTypes = ({ types, ...filter }: Filter, build: Build): Filter => ({
  ...filter,
  types: types === undefined ? build.wanted : build.wanted.filter((type) => types.includes(type))
})

const outcomeOf = Effect.fnUntraced(function* (
  parts: RebuildParts,
  blueprint: Blueprint,
  scratch: Scratch,
  { into: _into, to, keep: _keep, onProgress, ...filter }: WhatIf
): Effect.fn.Return<WhatIfOutcome, Failure | ProjectionError> {
  const { name, version } = blueprint.definition
  const pace = new Pace(name, (progress) => onProgress?.(progress))
  const build = yield* makeTables(parts, blueprint, scratch, pace)
  const wanted = withTypes(filter, build)
  const isPart = isFilter(filter)
  const { filler } = isPart
    ? { filler: isEmpty(wanted) ? NOTHING : filtered(parts, build, wanted) }
    : yield* fillerOf(parts, build)
  const settled = yield* parts.feed.settled
  const live = yield* parts.registry.load(name)
  const isWhole = to === undefined && !isPart
  const bound =
    isWhole && live !== undefined ? Math.min(settled, live.position) : Math.min(settled, to ?? settled)
  pace.target = bound
  pace.enter("fill")
  yield* filler.fill(bound)
  pace.enter("verify")
  const compared = yield* verify(parts, build, isWhole ? filler : undefined)
  const { events, seconds, rate } = pace
  const position = Math.max(bound, build.position)
  return { projection: name, version, position, events, seconds, rate, compared }
})

const NOTHING: Filler = { fill: () => Effect.void }

const isEmpty = ({ types }: Filter): boolean => types?.length === 0

/**
 * Folds projections, also changed ones, into a schema of their own, and tells what differs from the live tables. Nothing else of
 * the database is written to. Fails with SchemaInUse, WhatIfUnderWay, InvalidDefinition, RebuildFailed, and as PostgreSQL does.
 */
export const whatIf = (
  parts: RebuildParts,
  blueprints: ReadonlyArray<Blueprint>,
  options: WhatIf
): Effect.Effect<WhatIfReport, PostgresError | ProjectionError> => {
  const { into, keep = false } = options
  const scratch = new Scratch(parts, into)
  const outcomes = Effect.forEach(blueprints, (blueprint) =>
    Effect.mapError(outcomeOf(parts, blueprint, scratch, options), (failure) =>
      told(blueprint.definition.name, failure)
    )
  )
  const using = Effect.suspend(() => {
    let leftBehind: string | undefined
    const folding = Effect.acquireUseRelease(
      scratch.make,
      () => outcomes,
      (_, exit) =>
        Effect.map(scratch.leave(keep && exit._tag === "Success"), (why) => {
          leftBehind = why
        })
    )
    return Effect.map(folding, (projections) => ({
      schema: into,
      kept: keep || leftBehind !== undefined,
      leftBehind,
      projections
    }))
  })
  return Effect.scoped(Effect.andThen(joined(parts, `into ${into}`, "may_join_fleet"), using))
}
