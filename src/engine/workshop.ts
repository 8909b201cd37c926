import { type Context, Effect, Layer, ManagedRuntime } from "effect"
import { builtIn } from "../../projections/index.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import { Projections } from "../projection/projections.ts"
import { Rebuilds } from "../projection/rebuild/rebuilds.ts"
import type { OpenOptions } from "./configuration.ts"
import { logLayer } from "./layers.ts"
import { loggerLayer } from "./logger.ts"
import { plainError } from "./plain-error.ts"
import { type Rebuilding, rebuildIn, rollbackIn, whatIfIn } from "./rebuilding.ts"
import { telemetryLayer } from "./telemetry.ts"

/** A log opened to build its read models again: it keeps none of them, so that those whose definition changed do not stop it. */
export interface Workshop extends Rebuilding, AsyncDisposable {
  /** The definitions of the read models that every engine has. */
  readonly builtIn: ReadonlyArray<ProjectionDefinition>
}

const layerFor = (options: OpenOptions) =>
  Layer.merge(Projections.layer({ folds: false }), Rebuilds.layer).pipe(
    Layer.provideMerge(logLayer(options, process.env)),
    Layer.provideMerge(Layer.merge(telemetryLayer, loggerLayer(options.logger)))
  )

type Services = Layer.Success<ReturnType<typeof layerFor>>

/** Opens a log as `open` does, without its read models. */
export const openWorkshop = async (options: OpenOptions = {}): Promise<Workshop> => {
  const runtime = ManagedRuntime.make(layerFor(options))
  let context: Context.Context<Services>
  try {
    context = await runtime.context()
  } catch (thrown) {
    await runtime.dispose()
    throw plainError(thrown)
  }
  const run = <A>(effect: Effect.Effect<A, unknown, Services>): Promise<A> =>
    Effect.runPromiseWith(context)(Effect.mapError(effect, plainError))
  const known = new Map<string, ProjectionDefinition>(Object.entries(builtIn))
  const ours = (meant: string | ProjectionDefinition): string | ProjectionDefinition =>
    typeof meant === "string" ? (known.get(meant) ?? meant) : meant
  return {
    builtIn: [...known.values()],
    rebuild: (meant, given) => run(rebuildIn(ours(meant), given)),
    rollback: (name) => run(rollbackIn(name)),
    whatIf: (given) => run(whatIfIn({ ...given, definitions: given.definitions.map((one) => ours(one)) })),
    [Symbol.asyncDispose]: () => runtime.dispose()
  }
}
