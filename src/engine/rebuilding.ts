import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import { type ProjectionError, projectionError, UnknownProjection } from "../projection/error.ts"
import { Projections } from "../projection/projections.ts"
import type { RebuildOptions as Options, RebuildReport } from "../projection/rebuild/rebuild.ts"
import { EventLog } from "../log/event-log.ts"
import { filterProblem } from "../log/filter.ts"
import { InvalidArgument, logError } from "../log/error.ts"
import type { WhatIf, WhatIfReport } from "../projection/rebuild/what-if.ts"
import { Rebuilds } from "../projection/rebuild/rebuilds.ts"
import type { RollbackReport } from "../projection/rebuild/rollback.ts"

export type { RebuildProgress } from "../projection/rebuild/pace.ts"
export type { WhatIfReport } from "../projection/rebuild/what-if.ts"
export type { RebuildReport } from "../projection/rebuild/rebuild.ts"
export type { RollbackReport } from "../projection/rebuild/rollback.ts"

export interface RebuildOptions extends Options {
  /** Gives the rebuild up; it then rejects with the signal's reason, once what was built is dropped. */
  readonly signal?: AbortSignal
}

export interface WhatIfOptions extends Omit<WhatIf, "to"> {
  /** Read models by name, or definitions of one's own, also changed ones. */
  readonly definitions: ReadonlyArray<string | ProjectionDefinition>
  /** Only what lies up to and with this position or token. Default: what each live model has. */
  readonly to?: number | string
  readonly signal?: AbortSignal
}

/** How an engine builds its read models again. */
export interface Rebuilding {
  /**
   * Fills a read model's next generation of tables from the log, beside the live ones, compares them where `verify` says so, and
   * has its views show them, in one short transaction: readers and whoever folds go on meanwhile. By name, where it is one of
   * every engine's or was given to `project`; or by its definition, also a changed one, which need not be given to `project` before.
   * Rejects with UnknownProjection, InvalidDefinition, RebuildUnderWay, OlderDefinition, ViewsInTheWay, RebuildFailed (the fold failed
   * on an event), RebuildDiffers (verification found a difference), RebuildLost, InvalidArgument (`keep`), LockTimeout (readers held the views for
   * `swapPatienceMs`, 300 000 ms) or DiskFull: then the live tables are as they were. A lost connection costs what was under way on it; after 60 000 ms without one, or without getting
   * any further, it rejects as PostgreSQL did. What a killed process leaves, the next rebuild drops, and begins anew.
   */
  rebuild(projection: string | ProjectionDefinition, options?: RebuildOptions): Promise<RebuildReport>
  /**
   * Has the views of a read model show the generation again that was kept before the live one, as it was then; whoever has
   * its definition folds on from there. Again, it goes back. Rejects with UnknownProjection, NoGenerationKept, GenerationTooOld (retention has dropped what it would go on from), ViewsInTheWay or
   * LockTimeout (readers held the views for 60 000 ms): then nothing was changed.
   */
  rollback(projection: string): Promise<RollbackReport>
  /**
   * Folds read models, also changed ones, into a schema of their own, and tells what differs from the live tables: by key, with
   * counts and examples. Where neither `to` nor a filter leaves anything out, both are compared as they are after one and the
   * same event; else with the live tables as they are. Nothing else of the database is written to, and the schema is dropped at
   * the end unless `keep` says otherwise; where it cannot be, a warning and `leftBehind` say why. Rejects with SchemaInUse (it is there and was not made for this, or holds
   * what others put there), WhatIfUnderWay (one works in that schema; what a killed one leaves, the next replaces), InvalidIdentifier,
   * UnknownProjection, InvalidDefinition, RebuildFailed (a fold failed on an event), InvalidArgument or LogRewound (`to`).
   */
  whatIf(options: WhatIfOptions): Promise<WhatIfReport>
}

/** Fails with the signal's reason once it is given; the work is interrupted and has cleaned up by then. */
export const whileWanted = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  signal: AbortSignal | undefined
): Effect.Effect<A, unknown, R> => {
  if (signal === undefined) return work
  const aborted = Effect.callback<never, unknown>((resume) => {
    const abort = (): void => resume(Effect.fail(signal.reason))
    if (signal.aborted) abort()
    else signal.addEventListener("abort", abort)
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })
  return Effect.raceFirst(aborted, work)
}

/** The definition that is meant; a name must be one that this engine has. */
export const definitionOf = (
  projections: Projections["Service"],
  meant: string | ProjectionDefinition
): Effect.Effect<ProjectionDefinition, ProjectionError> => {
  if (typeof meant !== "string") return Effect.succeed(meant)
  const definitions = projections.definitions()
  const found = definitions.get(meant)
  return found === undefined
    ? Effect.fail(
        projectionError(new UnknownProjection({ projection: meant, known: [...definitions.keys()] }))
      )
    : Effect.succeed(found)
}

export const rebuildIn = Effect.fnUntraced(function* (
  meant: string | ProjectionDefinition,
  { signal, ...options }: RebuildOptions = {}
): Effect.fn.Return<RebuildReport, unknown, Projections | Rebuilds> {
  const { keep = 0 } = options
  if (!Number.isSafeInteger(keep) || keep < 0) {
    const problem = `keep is ${keep}: give a whole number from 0, of earlier generations that stay`
    return yield* logError(new InvalidArgument({ problem }))
  }
  const projections = yield* Projections
  const rebuilds = yield* Rebuilds
  const definition = yield* definitionOf(projections, meant)
  const report = yield* whileWanted(rebuilds.rebuild(definition, options), signal)
  projections.look(definition.name)
  return report
})

export const rollbackIn = Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<RollbackReport, ProjectionError | PostgresError, Projections | Rebuilds> {
  const report = yield* (yield* Rebuilds).rollback(name)
  ;(yield* Projections).look(name)
  return report
})

export const whatIfIn = Effect.fnUntraced(function* ({
  definitions,
  to,
  signal,
  ...options
}: WhatIfOptions): Effect.fn.Return<WhatIfReport, unknown, Projections | Rebuilds | EventLog> {
  const projections = yield* Projections
  const log = yield* EventLog
  const { into: _, keep: _kept, onProgress: _told, ...filter } = options
  const wrong = filterProblem(filter)
  if (wrong !== undefined) return yield* logError(wrong)
  const meant = yield* Effect.forEach(definitions, (one) => definitionOf(projections, one))
  const bound = to === undefined ? {} : { to: yield* log.resolve(to) }
  return yield* whileWanted((yield* Rebuilds).whatIf(meant, { ...options, ...bound }), signal)
})
