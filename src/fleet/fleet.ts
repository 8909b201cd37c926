import { Context, Effect, Layer, type Scope } from "effect"
import { hostname } from "node:os"
import { uuid } from "../base/uuid.ts"
import { Wake } from "../log/wake.ts"
import { Postgres } from "../postgres/postgres.ts"
import { Keeper } from "./keeper.ts"
import type { Look, Post } from "./post.ts"
import { processHere } from "./process-place.ts"

export interface FleetConfig {
  /** What the engine is called, beside its host and process. */
  readonly application?: string
  /** How long the others take an engine for alive after it was heard of, in ms, by the database's clock. Default: 4 000. */
  readonly leaseMs?: number
}

export const DEFAULT_LEASE_MS = 4_000

/** How much of its lease an owner's transaction may sit idle. */
const IDLE_PART = 3 / 4

/**
 * The engines that share the work on one log. Each says now and then that it is alive; what belongs to one that is not is free
 * for the others. That is no proof that its owner has stopped: only what is written under the epoch of the claim counts.
 */
export class Fleet extends Context.Service<
  Fleet,
  {
    /** This engine, as others see it. */
    readonly engine: string
    /** How long the others take an engine for alive after it was heard of, in ms. */
    readonly leaseMs: number
    /** How long a transaction of an owner may sit idle before the server ends it, in ms: it must not hold up a successor. */
    readonly idleMs: number
    /** Calls back with how a post stands: soon, and again whenever this engine looks. Returns how to leave it. */
    readonly watch: (post: Post, onLook: (look: Look) => void) => () => void
    /** Has the others take this engine for alive, whatever it works on, until what it returns is called. */
    readonly stay: () => () => void
    /** Looks now: something may have changed hands. */
    readonly look: () => void
    /** Looks within 100 ms: once however many ask, for those who do so again and again. */
    readonly lookSoon: () => void
    /**
     * Since when, by performance.now(), the others surely take this engine for alive, whatever its clock and theirs say;
     * undefined where they may not. What was seen to be this engine's before then may have changed hands.
     */
    readonly sureSince: () => number | undefined
    /** Has the others look: something became free. */
    readonly tell: Effect.Effect<void>
  }
>()("tidemark/fleet/Fleet") {
  static readonly layer = (config: FleetConfig = {}): Layer.Layer<Fleet, never, Postgres | Wake> =>
    Layer.effect(Fleet, makeFleet(config))
}

/** How long a closing engine tries to say that it leaves, in ms; unsaid, the others find out when its lease ends. */
const GOODBYE_MS = 1_000

const DEFAULT_APPLICATION = "tidemark"

const makeFleet = Effect.fnUntraced(function* (
  config: FleetConfig
): Effect.fn.Return<Fleet["Service"], never, Postgres | Wake | Scope.Scope> {
  const wake = yield* Wake
  const card = {
    engine: uuid(),
    application: config.application ?? DEFAULT_APPLICATION,
    host: hostname(),
    pid: process.pid,
    process: processHere
  }
  const { leaseMs = DEFAULT_LEASE_MS } = config
  const keeper = new Keeper(yield* Postgres, card, leaseMs)
  wake.onFleet(() => keeper.look())
  yield* keeper.run
  const goodbye = Effect.flatMap(keeper.leave, (hasLeft) => (hasLeft ? wake.tellFleet : Effect.void))
  yield* Effect.addFinalizer(() => Effect.timeoutOption(goodbye, GOODBYE_MS))
  return Fleet.of({
    engine: card.engine,
    leaseMs,
    idleMs: Math.floor(leaseMs * IDLE_PART),
    watch: (post, onLook) => keeper.watch(post, onLook),
    stay: () => keeper.stay(),
    look: () => keeper.look(),
    lookSoon: () => keeper.lookSoon(),
    sureSince: () => keeper.sureSince,
    tell: wake.tellFleet
  })
})
