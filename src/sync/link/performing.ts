import { Effect } from "effect"
import type { States } from "../../state/states.ts"
import { MAIN } from "../../state/name.ts"
import { DONE, type Outcome, type Work } from "../queue/work.ts"
import { type Course, type SyncedTarget, type SyncOptions, syncStates } from "../sync.ts"
import type { LinkMember } from "./event.ts"
import { hubStream, type Link, type LinkStrategy, streamOfMember } from "./link.ts"
import type { LinkStore } from "./store.ts"

/** How many links are worked on at once. */
const LINKS_AT_ONCE = 4

/** Errors by which something cannot be done until a state, or its agent, has changed. */
export const STUCK: ReadonlyArray<string> = ["AgentStopped", "UnknownBranch", "StateCorrupt"]

const HELD: Outcome = { kind: "held" }

const AWAY: Outcome = { kind: "away" }

/** The server does not answer, only reads, or is far behind: that is the fault of nobody who is linked. */
const AWAY_ERRORS: ReadonlySet<string> = new Set([
  "Busy",
  "ConnectionLost",
  "Contention",
  "LockTimeout",
  "OutcomeUnknown",
  "ProjectionBehind",
  "ReadOnly",
  "StatementTimeout",
  "Unavailable",
  "Unreachable"
])

const outcomeOf = (reason: Error, isTarget: boolean): Outcome => {
  if (AWAY_ERRORS.has(reason.name)) return AWAY
  const failure = { error: reason.name, message: reason.message }
  return STUCK.includes(reason.name) ? { kind: "stuck", failure } : { kind: "failed", failure, isTarget }
}

const outcomeOfTarget = ({ error }: SyncedTarget): Outcome =>
  error === undefined ? DONE : outcomeOf(error, true)

/** The strategy as it is for the hub, where that is the source. */
const mirrored = (strategy: LinkStrategy): LinkStrategy => {
  if (strategy === "merge") return "merge"
  return strategy === "source_wins" ? "target_wins" : "source_wins"
}

/** Does what is in the queue. */
export class Performer {
  private readonly states: States["Service"]
  private readonly store: LinkStore["Service"]
  private readonly stopped: NonNullable<Course["stopped"]>

  constructor(
    states: States["Service"],
    store: LinkStore["Service"],
    stopped: NonNullable<Course["stopped"]>
  ) {
    this.states = states
    this.store = store
    this.stopped = stopped
  }

  /** What has become of each, by its id. */
  readonly perform = (works: ReadonlyArray<Work>): Effect.Effect<ReadonlyMap<string, Outcome>> =>
    Effect.gen({ self: this }, function* () {
      const outcomes = new Map<string, Outcome>()
      const ids = [...new Set(works.flatMap(({ link }) => (link === undefined ? [] : [link])))]
      const found = ids.length === 0 ? [] : yield* this.store.byIds(ids)
      const links = new Map(found.map((link) => [link.link, link] as const))
      yield* Effect.forEach(
        ids,
        (id) =>
          this.link(
            links.get(id),
            works.filter(({ link }) => link === id),
            outcomes
          ),
        {
          concurrency: LINKS_AT_ONCE
        }
      )
      const single = works.filter(({ link }) => link === undefined)
      yield* Effect.forEach(single, (work) => this.single(work, outcomes), { concurrency: LINKS_AT_ONCE })
      return outcomes
    }).pipe(Effect.catch(() => Effect.succeed(new Map(works.map(({ work }) => [work, AWAY] as const)))))

  /** What members have goes into the hub first: so it goes out with the rest. */
  private link(
    link: Link | undefined,
    works: ReadonlyArray<Work>,
    outcomes: Map<string, Outcome>
  ): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      if (link?.status === "ended") return
      if (link?.status !== "active") {
        // One that is not known is of a log that this read model has not come to yet.
        for (const { work } of works) outcomes.set(work, link === undefined ? AWAY : HELD)
        return
      }
      const hub = hubStream(link)
      const memberOf = (stream: string) => link.members.find((member) => streamOfMember(member) === stream)
      for (const work of works) {
        const member = work.target === hub ? memberOf(work.source) : undefined
        if (member?.gives === true) yield* this.bringIn(link, member, work, outcomes)
      }
      const out = works.flatMap((work) => {
        const member = work.source === hub ? memberOf(work.target) : undefined
        return member?.takes === true ? [{ work, member }] : []
      })
      for (const leads of [true, false]) {
        for (const gives of [true, false]) {
          const alike = out.filter(({ member }) => member.leads === leads && member.gives === gives)
          if (alike.length > 0) yield* this.bringOut(link, alike, outcomes)
        }
      }
    })
  }

  private bringIn(
    link: Link,
    member: LinkMember,
    { work }: Work,
    outcomes: Map<string, Outcome>
  ): Effect.Effect<void> {
    const from = { agent: member.agent, branch: member.name }
    const options = {
      ...howOf(link, member, true),
      from,
      to: [{ agent: link.hub, branch: MAIN }]
    }
    return this.sync(options, { link: link.link }, [work], outcomes)
  }

  /** All of these members give, or none does; and the same side wins in all. */
  private bringOut(
    link: Link,
    to: ReadonlyArray<{ readonly work: Work; readonly member: LinkMember }>,
    outcomes: Map<string, Outcome>
  ): Effect.Effect<void> {
    const [{ member }] = to as readonly [(typeof to)[number]]
    const options = {
      ...howOf(link, member, false),
      from: { agent: link.hub, branch: MAIN },
      to: to.map(({ member: { agent, name } }) => ({ agent, branch: name }))
    }
    // The same conflict is there the other way round, and told there.
    const course = { link: link.link, isQuiet: member.gives }
    return this.sync(
      options,
      course,
      to.map(({ work }) => work.work),
      outcomes
    )
  }

  private single({ work, options }: Work, outcomes: Map<string, Outcome>): Effect.Effect<void> {
    return this.sync(options as SyncOptions, {}, [work], outcomes)
  }

  /** Each target is what the work in its place was to be brought into. */
  private sync(
    options: SyncOptions,
    course: Course,
    works: ReadonlyArray<string>,
    outcomes: Map<string, Outcome>
  ): Effect.Effect<void> {
    const failed = (reason: Error): Effect.Effect<void> =>
      Effect.sync(() => {
        for (const work of works) outcomes.set(work, outcomeOf(reason, false))
      })
    return syncStates(this.states, options, { ...course, stopped: this.stopped }).pipe(
      Effect.matchEffect({
        onSuccess: ({ targets }) =>
          Effect.sync(() => {
            for (const [at, target] of targets.entries()) outcomes.set(works[at]!, outcomeOfTarget(target))
          }),
        onFailure: ({ reason }) => failed(reason)
      }),
      // What nobody expected keeps the rest of the queue from nothing.
      Effect.catchDefect((thrown) => failed(thrown instanceof Error ? thrown : new Error(String(thrown))))
    )
  }
}

/** How a link is brought between a member and the hub, one way or the other. */
const howOf = ({ hub, keys, tiers, rules, strategy }: Link, { leads }: LinkMember, isIn: boolean) => {
  // Who wins does not depend on which way it goes.
  const turned = (one: LinkStrategy): LinkStrategy => (leads === isIn ? one : mirrored(one))
  return {
    keys,
    tiers,
    rules: rules.map((rule) =>
      rule.strategy === undefined ? rule : { ...rule, strategy: turned(rule.strategy) as "source_wins" }
    ),
    strategy: turned(strategy),
    actor: hub,
    reason: "a link"
  }
}
