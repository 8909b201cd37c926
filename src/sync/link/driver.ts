import { Effect, Scope, Semaphore } from "effect"
import type { Consumers } from "../../consumer/consumers.ts"
import type { ConsumerError } from "../../consumer/error.ts"
import type { LogError } from "../../log/error.ts"
import type { Event } from "../../log/event.ts"
import { categoryOf, idOf } from "../../log/name.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../../projection/error.ts"
import { REPAIRS, StateBranched, StateCreated, StateSynced } from "../../state/event.ts"
import { refOfStream, STATE } from "../../state/name.ts"
import type { WorkQueue } from "../queue/queue.ts"
import type { Worker } from "../queue/worker.ts"
import { rankOf } from "../queue/work.ts"
import { LINK, StateLinkChanged, StateLinked, StateLinkResumed } from "./event.ts"
import { hubStream, type Link, streamOfMember, wayIn, wayOut, waysOf } from "./link.ts"
import { STUCK } from "./performing.ts"
import type { LinkStore } from "./store.ts"

/** The durable subscription by which links hear of changes: one engine of the fleet has it at a time. */
export const SUBSCRIPTION = "tidemark.links"

/** How many events are looked at together: of a burst, each branch is brought once. */
const BATCH = 1_000

/** What is done about an event asks the server alone: it is tried for as long as that takes, and nothing is passed over. */
const RETRY = { attempts: 1_000, longestMs: 5_000, giveUp: "stop" } as const

/** How often an engine looks whether there are links, in ms, where there were none. */
const LOOK_MS = 5_000

/** After these, all that a link may have to bring is looked at. */
const WHOLE: ReadonlySet<string> = new Set([StateLinked.type, StateLinkChanged.type, StateLinkResumed.type])

/** After these, what could not be done with a branch may be possible. */
const HEALING: ReadonlySet<string> = new Set([StateCreated.type, StateBranched.type, ...REPAIRS])

type DriverError = LogError | PostgresError | ProjectionError

export interface DriverParts {
  readonly consumers: Consumers["Service"]
  readonly store: LinkStore["Service"]
  readonly queue: WorkQueue
  readonly worker: Worker
  /** The category of the streams of agents. */
  readonly agents: string
  /** Until it is known what these say up to a position. */
  readonly agentsCaughtUp: (position: number) => Effect.Effect<void, ProjectionError>
}

/** Puts what links have to bring into the queue, as events tell of it. */
export class LinkDriver {
  private readonly parts: DriverParts
  private readonly scope: Scope.Scope
  private readonly turn = Semaphore.makeUnsafe(1)
  private isBegun = false

  constructor(parts: DriverParts, scope: Scope.Scope) {
    this.parts = parts
    this.scope = scope
  }

  /** From now on links are heard of, by this engine or by another one. */
  readonly begin: Effect.Effect<void, ConsumerError | LogError | PostgresError> = Effect.suspend(() => {
    if (this.isBegun) return Effect.void
    const { consumers, agents } = this.parts
    const filter = { categories: [STATE, LINK, agents] }
    const options = { name: SUBSCRIPTION, ...filter, batch: BATCH, retry: RETRY } as const
    return Effect.gen({ self: this }, function* () {
      const { done } = yield* Scope.provide(
        consumers.subscribe(options, (events: ReadonlyArray<Event>) => this.heard(events)),
        this.scope
      )
      this.isBegun = true
      // Somebody may delete it, or the log be another one: then it is begun anew.
      const ended = (): void => {
        this.isBegun = false
      }
      void done.then(ended, ended)
      // Where it was made anew, nobody has heard what came before that.
      for (const link of yield* this.parts.store.active) yield* this.put(link, waysOf(link))
      this.parts.worker.wake()
    })
  }).pipe(this.turn.withPermits(1))

  /** Begins as soon as there is a link or anything to bring, and again where it has ended. */
  readonly watch: Effect.Effect<never> = Effect.forever(
    Effect.gen({ self: this }, function* () {
      const isAny = this.isBegun ? false : yield* this.isAny
      if (isAny)
        yield* Effect.catch(this.begin, (error) =>
          Effect.logWarning("links cannot begin yet", { why: error.message })
        )
      yield* Effect.sleep(LOOK_MS)
    })
  )

  private get isAny(): Effect.Effect<boolean> {
    const { store, queue } = this.parts
    const waits = Effect.map(queue.list({ limit: 1 }), (works) => works.length > 0)
    const either = Effect.flatMap(store.isAny, (isAny) => (isAny ? Effect.succeed(true) : waits))
    return Effect.orElseSucceed(either, () => false)
  }

  private heard(events: ReadonlyArray<Event>): Effect.Effect<void, DriverError> {
    const of = (category: string) => events.filter(({ stream }) => categoryOf(stream) === category)
    const { worker, queue, agents, agentsCaughtUp } = this.parts
    return Effect.gen({ self: this }, function* () {
      // Whoever brings what came after that finds the link.
      yield* this.changed(of(LINK))
      const states = of(STATE)
      yield* this.touched(states)
      const healed = states
        .filter(({ type }) => HEALING.has(type))
        .map(({ stream }) => refOfStream(stream).agent)
      const registered = of(agents)
      if (registered.length > 0) yield* agentsCaughtUp(registered.at(-1)!.position)
      const awake = new Set([...registered.map(({ stream }) => idOf(stream)), ...healed])
      if (awake.size > 0) yield* queue.wake([...awake], STUCK)
      worker.wake()
    })
  }

  /** Links were made, or are others than they were. */
  private changed(events: ReadonlyArray<Event>): Effect.Effect<void, DriverError> {
    const last = events.at(-1)
    if (last === undefined) return Effect.void
    const { store, queue } = this.parts
    return Effect.gen({ self: this }, function* () {
      yield* store.caughtUp(last.position)
      const whole = new Set(events.filter(({ type }) => WHOLE.has(type)).map(({ stream }) => idOf(stream)))
      for (const link of yield* store.byIds([...new Set(events.map(({ stream }) => idOf(stream)))])) {
        if (link.status === "ended") yield* queue.forget(link.link)
        else if (whole.has(link.link)) {
          yield* queue.keep(link.link, waysOf(link))
          yield* this.put(link, waysOf(link))
        }
        if (link.status !== "ended") yield* queue.hold(link.link, link.status === "paused")
      }
    })
  }

  /** States have changed. */
  private touched(events: ReadonlyArray<Event>): Effect.Effect<void, DriverError> {
    const streams = [...new Set(events.map(({ stream }) => stream))]
    if (streams.length === 0) return Effect.void
    return Effect.flatMap(this.parts.store.touching(streams), (links) =>
      Effect.forEach(links, (link) => this.put(link, waysOfEvents(link, events)), { discard: true })
    )
  }

  private put(
    link: Link,
    ways: ReadonlyArray<readonly [source: string, target: string]>
  ): Effect.Effect<void, PostgresError> {
    const { queue } = this.parts
    const put = queue.put(link.link, ways, rankOf(link.priority))
    return link.status === "paused" ? Effect.andThen(put, queue.hold(link.link, true)) : put
  }
}

/**
 * What a link has to bring after some events. What a member has from the hub alone does not go back there, but what was decided between both
 * does: it may be what the member had.
 */
const waysOfEvents = (link: Link, events: ReadonlyArray<Event>) => {
  const hub = hubStream(link)
  const isOfHub = (event: Event): boolean =>
    StateSynced.is(event) && event.data.source.agent === link.hub && event.data.settled === 0
  const changed = new Set(events.filter((event) => !isOfHub(event)).map(({ stream }) => stream))
  return [
    ...link.members
      .filter((member) => member.gives && changed.has(streamOfMember(member)))
      .map((member) => wayIn(link, member)),
    ...(changed.has(hub)
      ? link.members.filter(({ takes }) => takes).map((member) => wayOut(link, member))
      : [])
  ]
}
