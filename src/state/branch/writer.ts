import { Deferred, Effect, Exit, type Scope } from "effect"
import type { EventLog } from "../../log/event-log.ts"
import { InvalidEvent, LogError, VersionConflict } from "../../log/error.ts"
import type { Meta, NewEvent, Placed } from "../../log/event.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../../projection/error.ts"
import { BranchDraft } from "./draft.ts"
import type { BranchState } from "./branch-state.ts"
import { StateCorrupt, StateError, stateError } from "../error.ts"
import type { LoadFailure } from "./loader.ts"
import { agentLabel } from "../name.ts"
import { type Selection, unionOf } from "../store.ts"

/** Why a branch was not written. */
export type WriteFailure = StateError | LogError | PostgresError | ProjectionError

/** What a job has come to, on a draft that it has changed accordingly. */
export interface Plan<A> {
  readonly events: ReadonlyArray<NewEvent>
  /** What its caller is told once they are in the log. */
  readonly told: (placed: ReadonlyArray<Placed>, branch: number) => A
}

/** Something to be done to a branch as it is at the moment. Planned anew where that turns out to be another one. */
export interface Job<A> {
  /** The keys that it looks at. */
  readonly selection: Selection
  /** Only what it fails with on a branch that was looked at just now is told. */
  readonly plan: (draft: BranchDraft) => Effect.Effect<Plan<A>, WriteFailure>
  /** Who does it, and why; for each of its events. */
  readonly meta: Meta | undefined
}

interface Queued {
  readonly job: Job<unknown>
  readonly deferred: Deferred.Deferred<unknown, WriteFailure>
}

interface Planned extends Queued {
  readonly plan: Plan<unknown>
}

/** How the branch is read, for those who write it. */
export interface BranchAccess {
  readonly stream: string
  readonly agent: string
  readonly branch: string
  /** The branch, with these keys; `isFresh`, as it is in the log just now. */
  readonly known: (selection: Selection, isFresh: boolean) => Effect.Effect<BranchState, LoadFailure>
  /** The same in a transaction that has locked the branch, so that nobody else writes it. */
  readonly locked: <A>(
    selection: Selection,
    use: (
      state: BranchState,
      append: (
        events: ReadonlyArray<NewEvent>
      ) => Effect.Effect<ReadonlyArray<Placed>, LogError | PostgresError>
    ) => Effect.Effect<A, LogError | LoadFailure>
  ) => Effect.Effect<A, LogError | LoadFailure>
  /** What was known of it may be wrong. */
  readonly forget: () => void
}

/** How often a round is tried while others write the same branch, before it locks them out: they all get through in turn. */
const OPTIMISTIC_TRIES = 3

/** How many jobs are appended together. */
const MOST_JOBS = 100

/**
 * Writes one branch for all callers of this engine. What comes while an append is under way is worked out together and appended as
 * one, each in the state that the ones before it leave; where another process was faster, it is worked out anew.
 */
export class BranchWriter {
  private readonly log: EventLog["Service"]
  private readonly access: BranchAccess
  private readonly scope: Scope.Scope
  private queue: Array<Queued> = []
  private isAtWork = false

  constructor(log: EventLog["Service"], access: BranchAccess, scope: Scope.Scope) {
    this.log = log
    this.access = access
    this.scope = scope
  }

  get isIdle(): boolean {
    return !this.isAtWork
  }

  submit<A>(job: Job<A>): Effect.Effect<A, WriteFailure> {
    return Effect.suspend(() => {
      const deferred = Deferred.makeUnsafe<unknown, WriteFailure>()
      this.queue.push({ job, deferred })
      const waiting = Deferred.await(deferred) as Effect.Effect<A, WriteFailure>
      if (this.isAtWork) return waiting
      this.isAtWork = true
      // Whoever gives up waiting does not end the others' work.
      return Effect.andThen(Effect.forkIn(this.work, this.scope, { startImmediately: true }), waiting)
    })
  }

  private readonly work: Effect.Effect<void> = Effect.suspend(() =>
    Effect.ensuring(
      Effect.whileLoop({
        while: () => this.queue.length > 0,
        body: () => this.round(this.queue.splice(0, MOST_JOBS)),
        step: () => undefined
      }),
      Effect.suspend(() => {
        this.isAtWork = false
        const left = this.queue
        this.queue = []
        return Effect.forEach(left, ({ deferred }) => Deferred.interrupt(deferred), { discard: true })
      })
    )
  )

  private round(jobs: ReadonlyArray<Queued>): Effect.Effect<void> {
    const ended = Effect.onExit(this.tries(jobs), (exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : Effect.forEach(jobs, ({ deferred }) => Deferred.failCause(deferred, exit.cause as never), {
            discard: true
          })
    )
    return Effect.exit(ended).pipe(Effect.asVoid)
  }

  private readonly tries = Effect.fnUntraced(
    { self: this },
    function* (jobs: ReadonlyArray<Queued>): Effect.fn.Return<void, WriteFailure> {
      let left = jobs
      for (let tries = 0; tries < OPTIMISTIC_TRIES; tries++) {
        const planned = yield* this.optimistic(left, tries > 0)
        if (planned === undefined) return
        left = planned
      }
      yield* this.lockedRound(left)
    }
  )

  /** Those that have to be tried anew, since another process was faster; undefined where there are none. */
  private readonly optimistic = Effect.fnUntraced(
    { self: this },
    function* (
      jobs: ReadonlyArray<Queued>,
      isFresh: boolean
    ): Effect.fn.Return<ReadonlyArray<Queued> | undefined, WriteFailure> {
      const selection = unionOf(jobs.map(({ job }) => job.selection))
      const state = yield* this.access.known(selection, isFresh)
      const { version } = state
      const draft = new BranchDraft(state)
      const { planned, refused, draft: last } = yield* this.plan(draft, jobs)
      const events = eventsOf(planned, this.access.agent)
      if (events.length === 0) {
        // What was known may be old: what it says no to, or takes to be so already, the branch itself may not.
        if (!isFresh) return jobs
        yield* this.refuse(refused)
        yield* this.tell(planned, [], state.id)
        return undefined
      }
      const expected = version === 0 ? "none" : version
      const result = yield* Effect.result(this.log.emit(this.access.stream, events, { expected }))
      if (result._tag === "Success") {
        const { events: placed } = result.success
        const id = accepted(state, last, events, placed)
        yield* this.tell(planned, placed, id)
        return yield* this.again(refused)
      }
      const { reason } = result.failure
      if (reason instanceof VersionConflict) return jobs
      if (reason instanceof InvalidEvent && jobs.length > 1) {
        // One of them is too large, or no JSON: each is seen to by itself.
        for (const one of jobs) yield* this.round([one])
        return undefined
      }
      this.access.forget()
      yield* Effect.forEach(planned, ({ deferred }) => Deferred.fail(deferred, result.failure))
      return yield* this.again(refused)
    }
  )

  /** Nobody else writes the branch until this is done. */
  private readonly lockedRound = Effect.fnUntraced(
    { self: this },
    function* (jobs: ReadonlyArray<Queued>): Effect.fn.Return<void, WriteFailure> {
      const selection = unionOf(jobs.map(({ job }) => job.selection))
      const done = this.access.locked(selection, (state, append) =>
        Effect.gen({ self: this }, function* () {
          const { planned, refused } = yield* this.plan(new BranchDraft(state), jobs)
          const events = eventsOf(planned, this.access.agent)
          const placed = events.length === 0 ? [] : yield* append(events)
          return { planned, refused, placed, id: idOf(state, placed) }
        })
      )
      const { planned, refused, placed, id } = yield* done
      yield* this.tell(planned, placed, id)
      if (placed.length === 0) yield* this.refuse(refused)
      else yield* this.again(refused)
    }
  )

  /**
   * What was refused beside changes of others, which were not in the log then, is looked at once more: whether these came to be there or
   * not, it is told of what is there, and who did it.
   */
  private again(refused: ReadonlyArray<readonly [Queued, WriteFailure]>): Effect.Effect<undefined> {
    const jobs = refused.map(([job]) => job)
    return Effect.as(jobs.length === 0 ? Effect.void : this.round(jobs), undefined)
  }

  /** Works out one job after the other; one that cannot be done leaves the others as they are. */
  private readonly plan = Effect.fnUntraced(
    { self: this },
    function* (
      from: BranchDraft,
      jobs: ReadonlyArray<Queued>
    ): Effect.fn.Return<{
      readonly planned: ReadonlyArray<Planned>
      readonly refused: ReadonlyArray<readonly [Queued, WriteFailure]>
      readonly draft: BranchDraft
    }> {
      let draft = from
      const planned: Array<Planned> = []
      const refused: Array<readonly [Queued, WriteFailure]> = []
      for (const queued of jobs) {
        const next = draft.fork()
        const result = yield* Effect.result(
          Effect.andThen(
            this.sound(from.state),
            Effect.suspend(() => queued.job.plan(next))
          )
        )
        if (result._tag === "Success") {
          planned.push({ ...queued, plan: result.success })
          draft = next
        } else refused.push([queued, result.failure])
      }
      return { planned, refused, draft }
    }
  )

  private sound({ fault, isLive }: BranchState): Effect.Effect<void, StateError> {
    if (fault === undefined || !isLive) return Effect.void
    const { agent, branch } = this.access
    const { version, position, good: lastGood, detail } = fault
    return Effect.fail(stateError(new StateCorrupt({ agent, branch, version, position, lastGood, detail })))
  }

  private refuse(refused: ReadonlyArray<readonly [Queued, WriteFailure]>): Effect.Effect<void> {
    return Effect.forEach(refused, ([{ deferred }, failure]) => Deferred.fail(deferred, failure), {
      discard: true
    })
  }

  private tell(
    planned: ReadonlyArray<Planned>,
    placed: ReadonlyArray<Placed>,
    branch: number
  ): Effect.Effect<void> {
    let at = 0
    return Effect.forEach(
      planned,
      ({ plan, deferred }) => {
        const own = placed.slice(at, at + plan.events.length)
        at += plan.events.length
        return Deferred.succeed(deferred, plan.told(own, branch))
      },
      { discard: true }
    )
  }
}

/** A branch that was not there begins with the first event of those that were appended. */
const idOf = (state: BranchState, placed: ReadonlyArray<Placed>): number =>
  state.isLive ? state.id : (placed[0]?.position ?? 0)

/** A draft is in the log; its branch's number. */
const accepted = (
  state: BranchState,
  draft: BranchDraft,
  events: ReadonlyArray<NewEvent>,
  placed: ReadonlyArray<Placed>
): number => {
  const id = idOf(state, placed)
  const { version, position } = placed.at(-1)!
  // Somebody who read on has seen it already.
  if (version <= state.version) return id
  if (!state.isLive && draft.isLive) {
    state.begin(id, placed[0]!.version)
    state.agentType = draft.agentType
  }
  state.accept({ keys: draft.keys, hash: draft.hash }, { version, position })
  for (const [at, { type, data }] of events.entries()) state.meetings.follow(type, data, placed[at]!.version)
  state.isLive = draft.isLive
  state.session = draft.session
  return id
}

const eventsOf = (planned: ReadonlyArray<Planned>, agent: string): ReadonlyArray<NewEvent> =>
  planned.flatMap(({ plan, job: { meta } }) =>
    plan.events.map((event) => ({
      ...event,
      labels: [agentLabel(agent), ...(event.labels ?? [])],
      ...(meta === undefined ? {} : { meta })
    }))
  )
