import { Context, Effect } from "effect"
import { Ambient } from "./ambient.ts"
import { causedBy } from "./causation.ts"
import type { Event } from "./event.ts"
import type { Handler } from "./subscription.ts"

/** Handles an event as an effect. What it emits is known to be caused by the event. */
export type EffectHandler<E, R> = (event: Event) => Effect.Effect<unknown, E, R>

/**
 * A handler whose effects are run, with what its subscriber's context provides. An effect that nobody ran would let its event
 * pass as handled.
 */
export const runningEffects = <R>(
  handler: Handler | EffectHandler<unknown, R>,
  context: Context.Context<R>
): Handler => {
  const run = Effect.runPromiseWith(context)
  const ambient = Context.get(context, Ambient)
  return (event) => {
    const handling = handler(event)
    if (!Effect.isEffect(handling)) return handling
    const effect = handling as Effect.Effect<unknown, unknown, R>
    // The thread of asynchronous calls is lost at an effect's first wait, so the cause is handed on as a service.
    return run(Effect.provideService(effect, Ambient, () => causedBy(event, ambient)))
  }
}
