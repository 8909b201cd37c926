import { Context, Effect, Layer, Scope, Stream } from "effect"
import { isUuid, uuid } from "../../base/uuid.ts"
import { Consumers } from "../../consumer/consumers.ts"
import type { ConsumerError } from "../../consumer/error.ts"
import { EventLog } from "../../log/event-log.ts"
import { InvalidArgument, type LogError, logError, VersionConflict } from "../../log/error.ts"
import type { NewEvent } from "../../log/event.ts"
import { Postgres } from "../../postgres/postgres.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { updateState } from "../../state/change/changing.ts"
import { LinkEnded, stateError, UnknownLink } from "../../state/error.ts"
import { agentLabel } from "../../state/name.ts"
import { type ByWhom, metaOf, type StateFailure } from "../../state/parts.ts"
import { headOf } from "../../state/past/reading.ts"
import { unknownBranch } from "../../state/past/refs.ts"
import { States } from "../../state/states.ts"
import { type RetriedSynced, type RetriedSyncOptions, syncOrQueue } from "../queue/retrying.ts"
import { WorkQueue, type WorkList } from "../queue/queue.ts"
import { type QueuedWork, type QueueStanding, WORK_STATES } from "../queue/work.ts"
import { Worker } from "../queue/worker.ts"
import { AgentStanding } from "../standing.ts"
import type { Place } from "../sync.ts"
import { LinkDriver } from "./driver.ts"
import {
  LINK_EVENTS,
  type LinkMember,
  linkStream,
  StateLinkChanged,
  StateLinked,
  StateLinkPaused,
  StateLinkResumed,
  StateUnlinked
} from "./event.ts"
import { hubOf, type Link, linkAfter, streamOfMember } from "./link.ts"
import { Performer } from "./performing.ts"
import { LinkStore } from "./store.ts"
import { type LinkOptions, linkWanted, membersAt, membersProblem } from "./wanted.ts"

export type LinkFailure = StateFailure | ConsumerError

/** Others that are to share, and some that are not any more. */
export interface LinkChange extends ByWhom {
  /** They give and take as the others of a group, or of `to`, do. */
  readonly add?: ReadonlyArray<Place>
  readonly remove?: ReadonlyArray<Place>
}

/** A link as its stream says, and the version of that. */
interface Known {
  readonly link: Link
  readonly version: number
}

/** How many labels of members an event of a link has at most. */
const MOST_LABELS = 32

/** Standing synchronisations of agents' states, and the queue of what is still to be brought. */
export class Links extends Context.Service<
  Links,
  {
    /** Shares keys from now on. Fails with InvalidArgument, InvalidName, InvalidRules, UnknownBranch. */
    readonly make: (options: LinkOptions) => Effect.Effect<Link, LinkFailure>
    /** Nothing is brought until it goes on. Fails with UnknownLink or LinkEnded, as all of these do. */
    readonly pause: (link: string, by?: ByWhom) => Effect.Effect<void, StateFailure>
    readonly resume: (link: string, by?: ByWhom) => Effect.Effect<void, StateFailure>
    /** It is over; all members keep what they have. */
    readonly end: (link: string, by?: ByWhom) => Effect.Effect<void, StateFailure>
    /** Fails with InvalidArgument or UnknownBranch, too. */
    readonly change: (link: string, change: LinkChange) => Effect.Effect<Link, StateFailure>
    /** As `syncStates`; what fails is tried again, where that is wanted. */
    readonly sync: (options: RetriedSyncOptions) => Effect.Effect<RetriedSynced, StateFailure>
    /** What is still to be brought, what has waited longest first. */
    readonly work: (list?: WorkList) => Effect.Effect<ReadonlyArray<QueuedWork>, LogError | PostgresError>
    /** How much that is. */
    readonly standing: Effect.Effect<QueueStanding, PostgresError>
    /** What is parked is tried again, as if for the first time; how many. */
    readonly retry: (which: string) => Effect.Effect<number, LogError | PostgresError>
    /** What is parked is given up; how many. */
    readonly drop: (which: string) => Effect.Effect<number, LogError | PostgresError>
  }
>()("tidemark/sync/link/Links") {
  /** `works`: whether this engine does what is in the queue; others may in any case. */
  static readonly layer = (
    works: boolean
  ): Layer.Layer<Links, LogError, States | EventLog | Consumers | Postgres | LinkStore | AgentStanding> =>
    Layer.effect(Links, makeLinks(works))
}

const makeLinks = Effect.fnUntraced(function* (works: boolean) {
  const states = yield* States
  const log = yield* EventLog
  const store = yield* LinkStore
  const agents = yield* AgentStanding
  const scope: Scope.Scope = yield* Effect.scope
  const twice = log.types.declare(LINK_EVENTS)
  if (twice !== undefined)
    return yield* logError(
      new InvalidArgument({
        problem: `The type ${JSON.stringify(twice)} is declared twice: it is one of the links' own`
      })
    )
  const queue = new WorkQueue(yield* Postgres)
  const performer = new Performer(states, store, agents.stopped)
  const worker = new Worker(queue, performer.perform)
  const consumers = yield* Consumers
  const driver = new LinkDriver(
    { consumers, store, queue, worker, agents: agents.category, agentsCaughtUp: agents.caughtUp },
    scope
  )
  if (works) {
    yield* Effect.forkScoped(worker.run)
    yield* Effect.forkScoped(driver.watch)
  }

  const known = Effect.fnUntraced(function* (id: string): Effect.fn.Return<Known, StateFailure> {
    if (typeof id !== "string" || !isUuid(id)) return yield* stateError(new UnknownLink({ link: String(id) }))
    const events = yield* Stream.runCollect(log.read(linkStream(id)))
    const link = [...events].reduce<Link | undefined>(linkAfter, undefined)
    if (link === undefined) return yield* stateError(new UnknownLink({ link: id }))
    return { link, version: [...events].at(-1)!.version }
  })

  const append = (link: Pick<Link, "link" | "members">, event: NewEvent, expected: number, by: ByWhom) => {
    const labels = [...new Set(link.members.map(({ agent }) => agentLabel(agent)))].slice(0, MOST_LABELS)
    const options = { expected: expected === 0 ? ("none" as const) : expected, meta: metaOf(by) ?? {} }
    return log.emit(linkStream(link.link), { ...event, labels }, options)
  }

  /** Decides on what the stream says, anew where somebody else was faster; undefined where all is so already. */
  const decide = Effect.fnUntraced(function* (
    id: string,
    by: ByWhom,
    decision: (link: Link) => Effect.Effect<NewEvent | undefined, StateFailure>
  ): Effect.fn.Return<void, StateFailure> {
    for (;;) {
      const { link, version } = yield* known(id)
      if (link.status === "ended") return yield* stateError(new LinkEnded({ link: id }))
      const event = yield* decision(link)
      if (event === undefined) return
      const result = yield* Effect.result(append(link, event, version, by))
      if (result._tag === "Success") return
      if (!(result.failure.reason instanceof VersionConflict)) return yield* result.failure
    }
  })

  const there = Effect.fnUntraced(function* (
    members: ReadonlyArray<LinkMember>
  ): Effect.fn.Return<void, StateFailure> {
    for (const { agent, name } of members) {
      const scene = yield* states.scene(agent, { branch: name })
      const head = yield* headOf(scene)
      if (head.version === 0) return yield* unknownBranch(scene.name)
    }
  })

  const make: Links["Service"]["make"] = Effect.fnUntraced(function* (options): Effect.fn.Return<
    Link,
    LinkFailure
  > {
    const wanted = yield* linkWanted(states, options)
    yield* there(wanted.members)
    const id = uuid()
    const hub = hubOf(id)
    const link: Link = { link: id, hub, status: "active", ...wanted }
    const { actor, reason, meta } = options
    const by: ByWhom = {
      ...(actor === undefined ? {} : { actor }),
      ...(reason === undefined ? {} : { reason }),
      ...(meta === undefined ? {} : { meta })
    }
    yield* driver.begin
    yield* updateState(yield* states.scene(hub), {}, by)
    const { rules, ...more } = wanted
    const said = rules.map((rule) => JSON.parse(JSON.stringify(rule)) as Record<string, never>)
    yield* append(link, StateLinked.make({ hub, ...more, rules: said }), 0, by)
    return link
  })

  const change: Links["Service"]["change"] = Effect.fnUntraced(function* (
    id,
    { add = [], remove = [], ...by }
  ): Effect.fn.Return<Link, StateFailure> {
    const removed = yield* membersAt(states, remove, { gives: true, takes: true, leads: true })
    const streams = new Set(removed.map(streamOfMember))
    yield* decide(
      id,
      by,
      Effect.fnUntraced(function* (link): Effect.fn.Return<NewEvent | undefined, StateFailure> {
        const { gives, takes, leads } = link.members.at(-1)!
        const added = yield* membersAt(states, add, { gives, takes, leads })
        const stranger = removed.find((one) =>
          link.members.every((member) => streamOfMember(member) !== streamOfMember(one))
        )
        const members = [...link.members.filter((member) => !streams.has(streamOfMember(member))), ...added]
        const problem =
          stranger === undefined
            ? membersProblem(members)
            : `${JSON.stringify(stranger.agent)} is no member of the link: leave it out of \`remove\``
        if (problem !== undefined) return yield* logError(new InvalidArgument({ problem }))
        yield* there(added)
        return added.length + removed.length === 0 ? undefined : StateLinkChanged.make({ members })
      })
    )
    return (yield* known(id)).link
  })

  const retried = (which: string) =>
    Effect.tap(
      workOf(which, (work) => queue.retry(work)),
      () => Effect.sync(() => worker.wake())
    )

  return Links.of({
    make,
    change,
    pause: (id, by = {}) =>
      decide(id, by, ({ status }) =>
        Effect.succeed(status === "paused" ? undefined : StateLinkPaused.make({}))
      ),
    resume: (id, by = {}) =>
      decide(id, by, ({ status }) =>
        Effect.succeed(status === "active" ? undefined : StateLinkResumed.make({}))
      ),
    end: (id, by = {}) => decide(id, by, () => Effect.succeed(StateUnlinked.make({}))),
    work: (list = {}) => {
      const problem = listProblem(list)
      return problem === undefined
        ? queue.list(list)
        : Effect.fail(logError(new InvalidArgument({ problem })))
    },
    standing: queue.standing,
    retry: retried,
    drop: (which) => workOf(which, (work) => Effect.map(queue.drop(work), (rows) => rows.length)),
    sync: (options) => syncOrQueue(states, queue, options, { stopped: agents.stopped })
  })
})

const MOST_LISTED = 1_000

/** Why such a list cannot be given, or undefined. */
const listProblem = ({ link, state, limit }: WorkList): string | undefined => {
  if (link !== undefined && !isUuid(String(link)))
    return `There is no link ${JSON.stringify(link)}: give its id`
  if (state !== undefined && !WORK_STATES.includes(state))
    return `Work is in no state ${JSON.stringify(state)}: give ${WORK_STATES.join(", ")}`
  return limit === undefined || (Number.isSafeInteger(limit) && limit > 0 && limit <= MOST_LISTED)
    ? undefined
    : `The limit is ${limit}: give a whole number from 1 to ${MOST_LISTED}`
}

/** One by its id, or all. */
const workOf = <A>(
  which: string,
  act: (work: string | undefined) => Effect.Effect<A, PostgresError>
): Effect.Effect<A, LogError | PostgresError> => {
  if (which === "all") return act(undefined)
  if (typeof which === "string" && isUuid(which)) return act(which)
  const problem = `${JSON.stringify(which)} is no work of the queue: give its id, or "all"`
  return Effect.fail(logError(new InvalidArgument({ problem })))
}
