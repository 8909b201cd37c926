import { Effect } from "effect"
import { InvalidArgument, type LogError, logError } from "../log/error.ts"
import type { EventLog } from "../log/event-log.ts"
import { type Filter, filterProblem } from "../log/filter.ts"
import type { From } from "../log/resume.ts"
import type { PostgresError } from "../postgres/error.ts"
import { type ConsumerError, consumerError, NotParked, UnknownSubscription } from "./error.ts"
import type { Attempted, HeldEvent } from "./held.ts"
import { canonical, nameProblem, partitionsProblem } from "./options.ts"
import type { Ask, Register } from "./register.ts"
import type { DurableStatus } from "./status.ts"

/** What every verb may fail with. */
export type ControlFailure = ConsumerError | LogError | PostgresError

export interface HeldOptions {
  /** Default: `parked`. */
  readonly states?: ReadonlyArray<HeldEvent["state"]>
  /** Those after a position; for the next page. */
  readonly after?: number
  /** 100 by default, 1 000 at most. */
  readonly limit?: number
}

export interface DropOptions {
  /** Why the event is given up; kept in the log. */
  readonly reason: string
  /** Who does it. */
  readonly actor?: string
}

/** The category of the streams in which is written down what was done to a subscription. */
const CATEGORY = "subscription"
/** The type of event that says that a parked event was given up. */
export const EVENT_DROPPED = "EventDropped"

/** How many parked events are dropped in one transaction. */
const DROPPED_AT_ONCE = 500

const DEFAULT_HELD = 100
const MOST_HELD = 1_000
const STATES: ReadonlyArray<HeldEvent["state"]> = ["retrying", "waiting", "parked"]

interface HeldRow {
  readonly position: string
  readonly id: string | null
  readonly partition: number
  readonly stream: string
  readonly version: string | null
  readonly type: string
  readonly state: HeldEvent["state"]
  readonly attempts: number
  readonly errors: ReadonlyArray<Attempted>
  readonly due_at: Date | null
  readonly held_at: Date
}

const heldEvent = (row: HeldRow): HeldEvent => ({
  position: Number(row.position),
  id: row.id ?? undefined,
  partition: row.partition,
  stream: row.stream,
  version: row.version === null ? undefined : Number(row.version),
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  errors: row.errors,
  dueAt: row.due_at ?? undefined,
  heldAt: row.held_at
})

interface DroppedRow {
  readonly position: string
  readonly id: string | null
  readonly stream: string
  readonly type: string
  readonly attempts: number
}

const invalid = (problem: string): Effect.Effect<never, LogError> =>
  Effect.fail(logError(new InvalidArgument({ problem })))

/** Which parked events: one, by its position, or all. */
type Which = number | "all"

/** What can be done to one subscription, from any engine, whoever works on it. */
export interface Control {
  readonly name: string
  /** Fails with UnknownSubscription. */
  readonly status: Effect.Effect<DurableStatus, ControlFailure>
  /**
   * Nothing more is handed to handlers until it is resumed, as soon as their engines know, which takes them 2 s at the longest;
   * what a handler is at is handed over again then.
   */
  readonly pause: Effect.Effect<void, ControlFailure>
  /** Goes on where it was paused, and in partitions that stopped. */
  readonly resume: Effect.Effect<void, ControlFailure>
  /** Every partition goes on from there, back or forth; what is held beyond that is forgotten and comes again. */
  readonly rewind: (to: From) => Effect.Effect<void, ControlFailure>
  /** It is gone, with its place and what it holds. Engines that work on it end with SubscriptionDeleted. */
  readonly delete: Effect.Effect<void, ControlFailure>
  /**
   * Another filter, from where each partition is; engines with the old one end with SubscriptionChanged, those that own nothing
   * when they claim something. Another number of partitions, once all have come to where the furthest is: one that stopped holds
   * that up until it is resumed, and beyond there nothing is handled meanwhile.
   */
  readonly change: (to: {
    readonly filter?: Filter
    readonly partitions?: number
  }) => Effect.Effect<void, ControlFailure>
  /** The events that it could not handle, with what was thrown, in order of position. */
  readonly held: (options?: HeldOptions) => Effect.Effect<ReadonlyArray<HeldEvent>, ControlFailure>
  /** Parked events are handed over again, as if for the first time; how many. Fails with NotParked where one is named that is not. */
  readonly retry: (which: Which) => Effect.Effect<number, ControlFailure>
  /**
   * Parked events are given up, and an EventDropped in stream `subscription-<name>` says which and why, in the same transaction;
   * how many. Fails as `retry` does.
   */
  readonly drop: (which: Which, options: DropOptions) => Effect.Effect<number, ControlFailure>
}

export interface ControlParts {
  readonly register: Register
  readonly log: EventLog["Service"]
  /** Has all engines look. */
  readonly tell: Effect.Effect<void>
  readonly status: (name: string) => Effect.Effect<ReadonlyArray<DurableStatus>, PostgresError>
}

/** What can be done to a subscription of a name, whether or not it is there. */
export const controlOf = (name: string, { register, log, tell, status }: ControlParts): Control => {
  const known = Effect.suspend(() => {
    const problem = nameProblem(name)
    return problem === undefined ? Effect.void : invalid(problem)
  })
  const verb = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E | LogError> =>
    Effect.andThen(known, Effect.tap(work, tell))
  const change = <A, E>(work: (ask: Ask) => Effect.Effect<A, E>) => verb(register.change(name, work))
  const unknown = Effect.fail(consumerError(new UnknownSubscription({ subscription: name })))

  const isThere = Effect.flatMap(register.load(name), (row) =>
    row === undefined ? unknown : Effect.succeed(row)
  )

  /** Where it can be gone on from, by what it wants. */
  const resolved = (to: From) => Effect.flatMap(register.load(name), (row) => log.resolve(to, row?.filter))

  const someParked = (which: Which, found: number): Effect.Effect<number, ConsumerError> =>
    which !== "all" && found === 0
      ? Effect.fail(consumerError(new NotParked({ subscription: name, position: which })))
      : Effect.succeed(found)

  const checked = (which: Which): Effect.Effect<number | null, LogError> => {
    if (which === "all") return Effect.succeed(null)
    return Number.isSafeInteger(which) && which >= 0
      ? Effect.succeed(which)
      : invalid(`${String(which)} is no position: give that of a parked event, or "all"`)
  }

  return {
    name,
    status: Effect.flatMap(Effect.andThen(known, status(name)), ([one]) =>
      one === undefined ? unknown : Effect.succeed(one)
    ),
    pause: Effect.asVoid(change((ask) => ask("pause_subscription", [name]))),
    resume: Effect.asVoid(change((ask) => ask("resume_subscription", [name]))),
    rewind: (to) =>
      Effect.flatMap(resolved(to), (position) =>
        change((ask) =>
          Effect.asVoid(
            Effect.andThen(ask("rewind_subscription", [name, position]), ask("deal_subscription", [name]))
          )
        )
      ),
    delete: Effect.asVoid(change((ask) => ask("delete_subscription", [name]))),
    change: ({ filter, partitions }) =>
      Effect.gen(function* () {
        const wrong = filter === undefined ? undefined : filterProblem(filter)
        if (wrong !== undefined) return yield* logError(wrong)
        const problem = partitions === undefined ? undefined : partitionsProblem(partitions)
        if (problem !== undefined) return yield* invalid(problem)
        return yield* change((ask) =>
          Effect.gen(function* () {
            if (filter !== undefined) {
              const { streams, categories, types, labels, agent } = filter
              const text = JSON.stringify(canonical({ streams, categories, types, labels, agent }))
              yield* ask("refilter_subscription", [name, text])
            }
            if (partitions !== undefined) {
              yield* ask("repartition_subscription", [name, partitions])
              yield* ask("deal_subscription", [name])
            }
          })
        )
      }),
    held: ({ states = ["parked"], after = 0, limit = DEFAULT_HELD } = {}) =>
      Effect.gen(function* () {
        yield* known
        const odd = (states as ReadonlyArray<string>).find(
          (state) => !(STATES as ReadonlyArray<string>).includes(state)
        )
        if (odd !== undefined)
          return yield* invalid(`There is no state ${JSON.stringify(odd)}: give ${STATES.join(", ")}`)
        yield* isThere
        const most = Math.min(limit, MOST_HELD)
        const { rows } = yield* register.ask<HeldRow>("list_held", [name, states, after, most])
        return rows.map(heldEvent)
      }),
    retry: (which) =>
      Effect.flatMap(checked(which), (position) =>
        verb(
          Effect.flatMap(isThere, () =>
            Effect.flatMap(register.ask("retry_held", [name, position]), ({ count }) =>
              someParked(which, count)
            )
          )
        )
      ),
    drop: (which, { reason, actor }) =>
      Effect.gen(function* () {
        const position = yield* checked(which)
        if (typeof reason !== "string" || reason.trim() === "")
          return yield* invalid("A parked event is dropped without a reason: give one in words")
        const meta = { reason, ...(actor === undefined ? {} : { actor }) }
        const dropSome = log.transaction((tx) =>
          Effect.gen(function* () {
            const ask = register.asking(tx)
            const rows = yield* ask<DroppedRow>("drop_held", [name, position, DROPPED_AT_ONCE])
            const events = rows.map((row) => ({
              type: EVENT_DROPPED,
              data: { ...row, subscription: name, position: Number(row.position), reason }
            }))
            if (events.length > 0) yield* tx.emit(`${CATEGORY}-${name}`, events, { meta })
            return rows.length
          })
        )
        yield* known
        yield* isThere
        let dropped = 0
        // Others may have been faster with some of them, so that fewer than there were to be is no sign of the end.
        let isMore = true
        while (isMore) {
          const some = yield* verb(dropSome)
          dropped += some
          isMore = which === "all" && some > 0
        }
        yield* someParked(which, dropped)
        return dropped
      })
  }
}
