import { Context, Effect, Exit, Fiber, Layer, type Scope } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import { identifier, type InvalidIdentifier } from "../../postgres/identifier.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { Fleet } from "../../fleet/fleet.ts"
import { Feed } from "../../log/feed.ts"
import { blueprint } from "../blueprint.ts"
import type { ProjectionDefinition } from "../definition.ts"
import { type ProjectionError, projectionError } from "../error.ts"
import { Registry } from "../registry.ts"
import type { RebuildParts } from "./build.ts"
import { RebuildLost } from "./error.ts"
import { Generations } from "./generations.ts"
import { rebuild, type RebuildOptions, type RebuildReport } from "./rebuild.ts"
import { whatIf, type WhatIf, type WhatIfReport } from "./what-if.ts"
import { rollback, type RollbackReport } from "./rollback.ts"

type Problem = PostgresError | ProjectionError

/** Builds read models again from the log, and goes back to what they were. */
export class Rebuilds extends Context.Service<
  Rebuilds,
  {
    /**
     * Fills a projection's next generation from the log beside the live one, and has it take that one's place. Needs no
     * projection of that name in this process. An interruption, and the end of the engine, leave the live tables as they were.
     */
    readonly rebuild: (
      definition: ProjectionDefinition,
      options?: RebuildOptions
    ) => Effect.Effect<RebuildReport, Problem>
    /** Has the views of a projection show the generation before the live one again. */
    readonly rollback: (name: string) => Effect.Effect<RollbackReport, Problem>
    /** Folds projections into a schema of their own, and tells what differs from the live tables. */
    readonly whatIf: (
      definitions: ReadonlyArray<ProjectionDefinition>,
      options: WhatIf
    ) => Effect.Effect<WhatIfReport, Problem | InvalidIdentifier>
  }
>()("tidemark/projection/Rebuilds") {
  static readonly layer: Layer.Layer<Rebuilds, never, Postgres | Feed | Fleet> = Layer.effect(
    Rebuilds,
    Effect.suspend(() => makeRebuilds())
  )
}

const closed = (projection: string): ProjectionError =>
  projectionError(new RebuildLost({ projection, detail: "this engine was closed" }))

const makeRebuilds = Effect.fnUntraced(function* (): Effect.fn.Return<
  Rebuilds["Service"],
  never,
  Postgres | Feed | Fleet | Scope.Scope
> {
  const postgres = yield* Postgres
  const scope = yield* Effect.scope
  const parts: RebuildParts = {
    postgres,
    feed: yield* Feed,
    fleet: yield* Fleet,
    registry: new Registry(postgres),
    generations: new Generations(postgres),
    active: new Set()
  }

  /** For the time of this engine: it cleans up before its connections end. */
  const within = <A>(name: string, work: Effect.Effect<A, Problem>): Effect.Effect<A, Problem> =>
    Effect.flatMap(Effect.forkIn(work, scope), (fiber) =>
      Effect.onInterrupt(
        Effect.flatMap(Fiber.await(fiber), (exit) =>
          Exit.hasInterrupts(exit) ? Effect.fail(closed(name)) : exit
        ),
        () => Fiber.interrupt(fiber)
      )
    )

  return Rebuilds.of({
    rebuild: (definition, options = {}) =>
      within(
        definition.name,
        Effect.flatMap(blueprint(definition), (plan) => rebuild(parts, plan, options))
      ),
    rollback: (name) => within(name, rollback(parts, name)),
    whatIf: (definitions, options) =>
      Effect.andThen(
        identifier("schema", options.into),
        within(
          definitions.map(({ name }) => name).join(", "),
          Effect.flatMap(Effect.forEach(definitions, blueprint), (plans) => whatIf(parts, plans, options))
        )
      )
  })
})
