import { Context, Effect, Layer } from "effect"
import { Postgres } from "../../postgres/postgres.ts"
import { contextIn, type ContextOptions } from "./fleet-context.ts"
import { healthIn } from "./health.ts"
import { ServerLoads } from "./server-load.ts"
import { statisticsIn } from "./statistics.ts"

const looks = (loads: ServerLoads) => ({
  /** How the log, this engine and the fleet are; it never fails. */
  health: healthIn(loads),
  /** How much there is, and how busy it is. */
  statistics: statisticsIn(loads),
  /** What somebody new to the fleet should know of it now. Fails with InvalidArgument. */
  context: (options?: ContextOptions) => contextIn(loads, options)
})

/** Looks after a log and the fleet on it. */
export class Oversight extends Context.Service<Oversight, ReturnType<typeof looks>>()(
  "tidemark/engine/Oversight"
) {
  static readonly layer: Layer.Layer<Oversight, never, Postgres> = Layer.effect(
    Oversight,
    Effect.map(Postgres, ({ schema }) => Oversight.of(looks(new ServerLoads(schema))))
  )
}
