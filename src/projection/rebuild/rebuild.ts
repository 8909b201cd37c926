import { Effect, Exit, type Result } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Blueprint } from "../blueprint.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import type { Failure } from "../fold-stretch.ts"
import type { Overtaken } from "../registry.ts"
import { begin, type Begun } from "./begin.ts"
import type { Build, RebuildParts } from "./build.ts"
import { batchesFiller } from "./batches-filler.ts"
import { entitiesFiller } from "./entities-filler.ts"
import { RebuildDiffers, RebuildFailed, RebuildLost } from "./error.ts"
import { type Filler, type Filling, isAboutEvents } from "./filler.ts"
import { finish, lateIndexes, type LateIndex, withoutIndexes } from "./finish.ts"
import { joined } from "./joined.ts"
import { throughLosses, whileAway } from "./losses.ts"
import { Pace, type RebuildProgress } from "./pace.ts"
import { rowsFiller } from "./rows-filler.ts"
import { dropBeyond } from "./keep.ts"
import { catchUp, reachable } from "./catch-up.ts"
import type { Behind, Swapped } from "./swap.ts"
import { untilSwapped } from "./swapping.ts"
import { isOfLog, judge, type Verification, verify } from "./verify.ts"

export interface RebuildOptions {
  /** Compare the new tables with the live ones, row by row, before they take their place. Default: false. */
  readonly verify?: boolean
  /** How many earlier generations stay for a rollback. Default: 1. */
  readonly keep?: number
  /** Replace tables that a newer version of the definition filled. Default: false. */
  readonly force?: boolean
  /** Leave the new tables to be looked at where verification finds a difference. Default: false. */
  readonly keepDifferent?: boolean
  /** How long the swap is tried while readers hold the views, in ms. Default: 300 000. */
  readonly swapPatienceMs?: number
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** What a rebuild did. */
export interface RebuildReport {
  readonly projection: string
  /** The generation whose place was taken; undefined where there was none. */
  readonly from: { readonly generation: number; readonly version: number } | undefined
  readonly to: { readonly generation: number; readonly version: number }
  /** Everything up to here that it folds was in its tables when they went live. */
  readonly position: number
  /** How many events of its types were folded. */
  readonly events: number
  readonly seconds: number
  /** Events per second, over all of it. */
  readonly rate: number
  /** What was compared, where that was asked for and there was something to compare with. */
  readonly verified: Verification | undefined
  /** The generations that were dropped, since more than `keep` were there. */
  readonly dropped: ReadonlyArray<number>
}

const DEFAULT_KEEP = 1

const DEFAULT_SWAP_PATIENCE_MS = 300_000

/** How often progress is written down for others, in ms. */
const NOTE_MS = 1_000

type Problem = PostgresError | ProjectionError

/** What went wrong, as the caller is told. */
export const told = (projection: string, failure: Failure | Behind | ProjectionError): Problem => {
  switch (failure._tag) {
    case "PostgresError":
    case "ProjectionError":
      return failure
    case "Poisoned": {
      const { position, type } = failure.event
      return projectionError(new RebuildFailed({ projection, position, type, detail: failure.detail }))
    }
    case "Overtaken":
      return projectionError(new RebuildLost({ projection, detail: "another took its place" }))
    default:
      return projectionError(new RebuildLost({ projection, detail: failure.message }))
  }
}

/** An index does not take what is in its table. */
const isRefusal = (failure: PostgresError | Overtaken): failure is PostgresError => isAboutEvents(failure)

/** How the tables of a build are filled. */
export const fillerOf = (parts: RebuildParts, build: Build): Effect.Effect<Filling, PostgresError> => {
  const { model } = build.blueprint.definition
  if (model.shape === "batches") return Effect.succeed(batchesFiller(parts, build))
  return model.shape === "rows" ? rowsFiller(parts, build) : entitiesFiller(parts, build, model)
}

/** One rebuild of one projection. */
class Rebuilding {
  private readonly parts: RebuildParts
  private readonly blueprint: Blueprint
  private readonly options: RebuildOptions

  constructor(parts: RebuildParts, blueprint: Blueprint, options: RebuildOptions) {
    this.parts = parts
    this.blueprint = blueprint
    this.options = options
  }

  private get name(): string {
    return this.blueprint.definition.name
  }

  readonly run: Effect.Effect<RebuildReport, Problem> = Effect.suspend(() => {
    const { active } = this.parts
    const pace = new Pace(this.name, (progress) => this.options.onProgress?.(progress))
    const making = Effect.acquireUseRelease(
      begin(this.parts, this.blueprint, this.options.force === true, pace),
      (begun) => Effect.result(this.make(begun)),
      ({ build }, exit) =>
        Effect.ensuring(
          this.clean(build, Exit.isSuccess(exit) ? exit.value : undefined),
          Effect.sync(() => active.delete(build.id))
        )
    )
    // Only what has not begun yet begins anew: how it goes on after that, each step knows.
    return Effect.flatMap(whileAway(making), Effect.fromResult)
  })

  /** A row that an index does not take: with the indexes in their places, filling it again ends at the event that made it. */
  private readonly findCulprit = Effect.fnUntraced(
    { self: this },
    function* (build: Build, filler: Filler, late: ReadonlyArray<LateIndex>, failure: PostgresError) {
      if (filler.startOver === undefined) return yield* failure
      yield* filler.startOver
      yield* finish(build, late)
      yield* filler.fill(build.pace.target)
    }
  )

  /** What is not live is dropped; where that cannot be done, the next rebuild does it. */
  private clean(build: Build, made: Result.Result<unknown, Problem> | undefined): Effect.Effect<void> {
    if (made?._tag === "Success") return Effect.void
    const differs = made?.failure.reason instanceof RebuildDiffers
    const left = differs && this.options.keepDifferent === true
    return Effect.ignore(left ? build.leave : build.abandon)
  }

  private make(begun: Begun): Effect.Effect<RebuildReport, Problem> {
    const { build, live, epoch } = begun
    const making = Effect.gen({ self: this }, function* () {
      const noting = Effect.forever(Effect.andThen(Effect.sleep(NOTE_MS), build.note))
      const [filler, verified] = yield* Effect.raceFirst(this.fill(begun), noting)
      const { keep = DEFAULT_KEEP, force = false } = this.options
      const { swapPatienceMs: patienceMs = DEFAULT_SWAP_PATIENCE_MS } = this.options
      const swapping = { force, patienceMs, epoch, before: live }
      const swap = untilSwapped(this.parts, build, filler, swapping)
      const swapped = yield* throughLosses(this.parts, build, epoch, swap)
      yield* this.parts.fleet.tell
      return this.report(build, swapped, verified, yield* dropBeyond(this.parts, this.name, keep))
    })
    return Effect.mapError(making, (failure) => told(this.name, failure))
  }

  private report(
    build: Build,
    { live, position }: Swapped,
    verified: Verification | undefined,
    dropped: ReadonlyArray<number>
  ): RebuildReport {
    const { pace } = build
    return {
      projection: this.name,
      from: live && { generation: live.generation, version: live.version },
      to: { generation: build.number, version: this.blueprint.definition.version },
      position,
      events: pace.events,
      seconds: pace.seconds,
      rate: pace.rate,
      verified,
      dropped
    }
  }

  private readonly fill = Effect.fnUntraced(
    { self: this },
    function* ({
      build,
      live,
      epoch
    }: Begun): Effect.fn.Return<readonly [Filler, Verification | undefined], Failure | ProjectionError> {
      const { parts } = this
      const { pace } = build
      const going = <A>(step: Effect.Effect<A, Failure | ProjectionError>) =>
        throughLosses(parts, build, epoch, step)
      const { filler, onlyAdds, onlyByKey } = yield* going(fillerOf(parts, build))
      const late = onlyByKey ? yield* going(lateIndexes(parts.postgres, build, onlyAdds)) : []
      yield* going(withoutIndexes(build, late))
      const verifies = this.options.verify === true && isOfLog(live)
      pace.target = yield* going(reachable(parts, this.name, verifies))
      pace.enter("fill")
      yield* going(filler.fill(pace.target))
      pace.enter("index")
      const finishing = Effect.catchIf(finish(build, late), isRefusal, (failure) =>
        this.findCulprit(build, filler, late, failure)
      )
      yield* going(finishing)
      yield* going(catchUp(parts, build, filler, verifies))
      if (!verifies) return [filler, undefined]
      pace.enter("verify")
      const verified = yield* going(verify(parts, build, filler))
      if (verified !== undefined) yield* judge(build, verified, this.options.keepDifferent === true)
      yield* going(catchUp(parts, build, filler, false))
      return [filler, verified]
    }
  )
}

/**
 * Fills the next generation of a projection from the log, beside the live one, and has it take that one's place. Fails with
 * RebuildUnderWay, OlderDefinition, ViewsInTheWay, InvalidDefinition, RebuildFailed, RebuildDiffers, RebuildLost, and as
 * PostgreSQL does (DiskFull, AccessDenied, LockTimeout …): then the live tables are as they were.
 */
export const rebuild = (
  parts: RebuildParts,
  blueprint: Blueprint,
  options: RebuildOptions
): Effect.Effect<RebuildReport, Problem> => {
  const running = Effect.andThen(
    joined(parts, blueprint.definition.name, "may_write_schema"),
    new Rebuilding(parts, blueprint, options).run
  )
  return Effect.scoped(running)
}
