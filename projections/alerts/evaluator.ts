import { Effect, Layer, Result } from "effect"
import { warningOnce } from "../../src/base/warn-once.ts"
import { EventLog } from "../../src/log/event-log.ts"
import { type LogError, VersionConflict } from "../../src/log/error.ts"
import type { NewEvent } from "../../src/log/event.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { Projections } from "../../src/projection/projections.ts"
import { alertRules } from "../alert-rules/alert-rules.ts"
import { asking } from "../asking.ts"
import { alerts } from "./alerts.ts"
import { findings } from "./conditions.ts"
import { AlertRaised, alertStream } from "./events.ts"
import type { Finding, JudgedRule } from "./finding.ts"
import { isActive, type Standing, verdicts } from "./judging.ts"

/** How often rules are judged, in ms, unless configured: so much later than its condition an alert is raised. */
const LOOK_EVERY_MS = 5_000

/** How many alerts of a rule are raised and cleared at a time; the others at the next look. */
const AT_ONCE = 500

/** How many rules say something at once. */
const RULES_AT_ONCE = 10

/** What is asked of the read models. */
interface Questions {
  readonly standings: (position: number) => Effect.Effect<ReadonlyArray<Standing>, PostgresError>
  readonly findings: (
    rules: ReadonlyArray<JudgedRule>
  ) => Effect.Effect<ReadonlyArray<Finding>, PostgresError>
}

type Findings = ReadonlyMap<string, ReadonlyMap<string, Finding>>

const byRule = (found: ReadonlyArray<Finding>): Findings => {
  const groups = new Map<string, Map<string, Finding>>()
  for (const finding of found) {
    const group = groups.get(finding.rule) ?? new Map<string, Finding>()
    groups.set(finding.rule, group.set(finding.subject, finding))
  }
  return groups
}

/** Those of each kind by themselves, so that what cannot be asked for one leaves the others alone; those that are off or gone ask nothing. */
const byKind = (standings: ReadonlyArray<Standing>): ReadonlyArray<ReadonlyArray<Standing>> => {
  const groups = new Map<string, Array<Standing>>()
  for (const standing of standings) {
    const kind = isActive(standing) ? standing.condition.kind : ""
    const group = groups.get(kind)
    if (group === undefined) groups.set(kind, [standing])
    else group.push(standing)
  }
  return [...groups.values()]
}

const NOTHING: ReadonlyMap<string, Finding> = new Map()

/** Says in the engine's log what was said in the log of events. */
const told = (rule: string, { type, data }: NewEvent): Effect.Effect<void> => {
  const line = { rule, ...(data as object) }
  return type === AlertRaised.type
    ? Effect.logWarning("alert raised", line)
    : Effect.logInfo("alert cleared", line)
}

/** Judges rules by what read models say, as long as this engine is the one that folds that of alerts. */
class Evaluator {
  private readonly questions: Questions
  private readonly emit: EventLog["Service"]["emit"]
  private readonly projections: Projections["Service"]
  /** How far the read models were when there was neither a rule nor an open alert. */
  private idleAt: string | undefined
  private readonly quietly = warningOnce("alert rules cannot be judged now")

  constructor(asked: Questions, log: EventLog["Service"], projections: Projections["Service"]) {
    this.questions = asked
    this.emit = log.emit
    this.projections = projections
  }

  /** A look. What fails is tried again at the next one. */
  readonly look: Effect.Effect<void> = Effect.suspend(() => {
    const standing = this.standing(alerts.name)
    const isOwn = standing !== undefined && !standing.follows && standing.state !== "stopped"
    const place = this.place()
    if (!isOwn || (place !== undefined && place === this.idleAt)) return Effect.void
    return Effect.asVoid(this.quietly(this.judgeAll(standing.position, place)))
  })

  private standing(name: string) {
    return this.projections.status().find((one) => one.name === name)
  }

  /** How far the read models of rules and alerts are; undefined where another engine folds one of them, which knows better. */
  private place(): string | undefined {
    const both = [this.standing(alertRules.name), this.standing(alerts.name)]
    return both.every((one) => one !== undefined && !one.follows)
      ? both.map((one) => one!.position).join(" ")
      : undefined
  }

  private readonly judgeAll = Effect.fnUntraced(
    { self: this },
    function* (
      position: number,
      place: string | undefined
    ): Effect.fn.Return<void, LogError | PostgresError> {
      const standings = yield* this.questions.standings(position)
      const looks = byKind(standings).map((some) => Effect.result(this.judgeSome(some)))
      const outcomes = yield* Effect.all(looks)
      this.idleAt = standings.length === 0 ? place : undefined
      const failed = outcomes.find((outcome) => Result.isFailure(outcome))
      if (failed !== undefined) return yield* Effect.fail(failed.failure)
    }
  )

  private readonly judgeSome = Effect.fnUntraced(
    { self: this },
    function* (standings: ReadonlyArray<Standing>): Effect.fn.Return<void, LogError | PostgresError> {
      const rules = standings.filter(isActive).map(({ rule, condition, open }) => ({
        rule,
        condition,
        open: open.map(({ subject }) => subject)
      }))
      const found = byRule(yield* this.questions.findings(rules))
      const judge = (one: Standing) => this.judge(one, found.get(one.rule) ?? NOTHING)
      yield* Effect.forEach(standings, judge, { concurrency: RULES_AT_ONCE, discard: true })
    }
  )

  /** Where anybody else has said something of its alerts meanwhile, another evaluator among them, the rule is judged again when that is folded. */
  private judge(standing: Standing, found: ReadonlyMap<string, Finding>): Effect.Effect<void, LogError> {
    const { rule, version } = standing
    const events = verdicts(standing, found).slice(0, AT_ONCE)
    if (events.length === 0) return Effect.void
    return this.emit(alertStream(rule), events, { expected: version }).pipe(
      Effect.andThen(Effect.forEach(events, (event) => told(rule, event), { discard: true })),
      Effect.catch((error) => (error.reason instanceof VersionConflict ? Effect.void : Effect.fail(error)))
    )
  }
}

/** Makes an evaluator's look: each judges all rules once. What fails is tried again at the next one. */
export const evaluatorLook = Effect.gen(function* () {
  const standings = asking(yield* Postgres)<Standing>("#projections/alerts/judged.sql")
  const questions = { standings, findings: yield* findings }
  return new Evaluator(questions, yield* EventLog, yield* Projections).look
})

/**
 * Raises and clears alerts as long as the engine is there. Of all engines the one does it that folds the read model of alerts; that of two which
 * both take themselves for that one only one is heard, the version of the stream of a rule's alerts sees to.
 */
export const evaluator = (
  everyMs = LOOK_EVERY_MS
): Layer.Layer<never, never, Postgres | EventLog | Projections> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const look = yield* evaluatorLook
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(everyMs), look)))
    })
  )
