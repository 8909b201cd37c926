import { Effect, Exit, Scope } from "effect"
import type { HandlerContext, TransactionalContext } from "../consumer/options.ts"
import { InvalidArgument } from "../log/error.ts"
import type { StateFailure, StateScene } from "../state/parts.ts"
import type { Presence } from "../sync/presence.ts"
import { type ChangeHandler, type Watch, watch } from "../sync/watch.ts"
import type { Engine } from "./engine.ts"
import type { DurableOptions, SubscriptionControl } from "./subscriptions.ts"
import type { Tx } from "./tx.ts"

/** How a state is watched. */
export interface WatchOptions extends Pick<
  DurableOptions,
  "transactional" | "retry" | "timeoutMs" | "onParked"
> {
  /** A token of a read, a write, a change or a watch: what came after that is handed over. Default: what comes from now on. */
  readonly from?: string
  /**
   * Keeps its place in the log under a name, as a durable subscription does: it outlives this process, and of all engines that watch under
   * the name one hands a change over. `from` counts where it is made; the other options need a name.
   */
  readonly name?: string
}

/** What the handler of a watch may know beside the change; only of one with a name. */
export type WatchContext = HandlerContext | TransactionalContext<Tx> | undefined

/** A watch that is under way. */
export interface Watching {
  /** Where to go on from when all that was handed over so far is handled. It moves on where nothing of what is watched changes, too. */
  readonly token: string | undefined
  /** Resolves when it was stopped; rejects as that of a subscription does. */
  readonly done: Promise<void>
  /** Resolves when the handler has ended with the change it is at. */
  readonly stop: () => Promise<void>
  /** Of one with a name: what can be done to it as a whole. */
  readonly control: SubscriptionControl | undefined
}

type Run = <A>(effect: Effect.Effect<A, unknown, Presence>) => Promise<A>
type Prepared = Watch<WatchContext>

const durably = async (
  engine: Pick<Engine, "subscribe">,
  { streams, handler }: Prepared,
  options: WatchOptions & { readonly name: string }
): Promise<Watching> => {
  const given: DurableOptions = { ...options, streams }
  const { control, done, stop } = await engine.subscribe(given, handler as never)
  return { token: undefined, done, stop, control }
}

const whileHere = async (
  engine: Pick<Engine, "subscribe">,
  { streams, handler, from, tokenAt }: Prepared
): Promise<Watching> => {
  const given = { streams, ...(from === undefined ? {} : { from }) }
  const subscription = await engine.subscribe(given, (event) => handler(event, undefined))
  return {
    get token() {
      return tokenAt(subscription.position)
    },
    done: subscription.done,
    stop: () => subscription.stop(),
    control: undefined
  }
}

/** Watches a state for as long as the engine is open, or under a name for good. */
export const watchState = async (
  engine: Pick<Engine, "subscribe">,
  scene: Effect.Effect<StateScene, StateFailure>,
  run: Run,
  paths: ReadonlyArray<string>,
  handler: ChangeHandler<WatchContext>,
  options: WatchOptions
): Promise<Watching> => {
  const of = await run(scene)
  const { name, from, ...more } = options
  const [lone] = Object.keys(more)
  if (name === undefined && lone !== undefined) {
    const problem = `${lone} is of a watch that has a name: give it one, or leave ${lone} out`
    throw new InvalidArgument({ problem })
  }
  const scope = Scope.makeUnsafe()
  const end = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  try {
    const preparing = watch(of, paths, handler, { from, name })
    const prepared = await run(Scope.provide(preparing, scope))
    const watching = await (name === undefined
      ? whileHere(engine, prepared)
      : durably(engine, prepared, { ...options, name }))
    watching.done.then(end, end)
    return watching
  } catch (thrown) {
    await end()
    throw thrown
  }
}
