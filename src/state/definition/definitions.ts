import { Effect, Schema } from "effect"
import { isSameJson, type Json, type JsonObject, type MaybeJson } from "../../base/json-value.ts"
import type { EventLog } from "../../log/event-log.ts"
import { isSameOrigin, type LogIdentity, type Origin } from "../../log/identity.ts"
import { InvalidArgument, type LogError, logError, VersionConflict } from "../../log/error.ts"
import type { Part } from "../../log/event.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { InvalidRules, type StateError, stateError } from "../error.ts"
import { StateDefined } from "../event.ts"
import { Given } from "../change/given.ts"
import { branchName } from "../branch/loader.ts"
import type { Rule } from "../merge/rule.ts"
import { rulesProblem } from "../merge/rule-problem.ts"
import { definitionStream, MAIN } from "../name.ts"
import { type Check, checksOf, templateProblem, type TierSchemas } from "./checks.ts"
import { type ConflictPolicy, policyProblem } from "./conflict-policy.ts"
import { ALL, scopeOf } from "./scope.ts"
import type { StateStore } from "../store.ts"
import { isTier, type KeyId, type StateValues, type Tier, TIERS } from "../tier.ts"

/** What the states of agents look like, and how changes of them are merged. */
export interface StateDefinition {
  /** … of all agents of a type; of all agents there are where neither this nor `agent` is given. */
  readonly agentType?: string
  /** … of one agent. */
  readonly agent?: string
  /** What a tier has to be; checked by every update, merge and restore of this engine. */
  readonly tiers?: TierSchemas
  /** What the state of a new agent of this type begins with; only with `agentType`. The tiers that it has are what `tiers` declares. */
  readonly template?: { readonly [T in Tier]?: JsonObject }
  /** By paths, how changes of both sides become one. Those of an agent go before those of its type, and those before those of all. */
  readonly rules?: ReadonlyArray<Rule>
  /** What becomes of conflicts that stay open for too long; the nearest definition that says so counts. Default: they wait for ever. */
  readonly conflicts?: ConflictPolicy
  /** Rules that resolutions were remembered as: they stay as they are where this is left out; [] forgets them. */
  readonly remembered?: ReadonlyArray<Rule>
}

/** What a definition has come to. */
export interface Defined {
  readonly scope: string
  /** Of the definition: grows by every change of it. */
  readonly version: number
}

interface DefinedData {
  readonly rules: ReadonlyArray<Rule>
  readonly remembered?: ReadonlyArray<Rule>
  readonly conflicts?: ConflictPolicy
  readonly template?: JsonObject
  readonly schema?: JsonObject
}

/** A definition as it was last seen in its stream. */
interface Seen {
  readonly data: DefinedData
  readonly version: number
  readonly origin: Origin
}

export type DefinitionFailure = StateError | LogError | PostgresError

/** The definitions of states: in the log, for all to merge by; and their schemas, as this engine has them in code. */
export class Definitions {
  private readonly log: EventLog["Service"]
  private readonly store: StateStore["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly seen = new Map<string, Seen>()
  private readonly checks = new Map<string, Partial<Record<Tier, Check>>>()
  private readonly templates = new Map<string, ReadonlyMap<KeyId, MaybeJson>>()

  constructor(log: EventLog["Service"], store: StateStore["Service"], identity: LogIdentity["Service"]) {
    this.log = log
    this.store = store
    this.identity = identity
  }

  /** Whether this engine has to look at what a state is, before it is written. */
  get hasChecks(): boolean {
    return this.checks.size > 0
  }

  /** Takes a definition on, and writes it down where it differs from the one that is there. */
  readonly define = Effect.fnUntraced(
    { self: this },
    function* (definition: StateDefinition): Effect.fn.Return<Defined, DefinitionFailure> {
      const { agentType, agent, tiers = {}, template, rules = [], conflicts, remembered } = definition
      const scope = yield* scopeOf(definition)
      const problem = rulesProblem(rules) ?? rulesProblem(remembered ?? [])
      if (problem !== undefined) return yield* stateError(new InvalidRules({ problem }))
      const unknown = Object.keys(tiers).find((tier) => !isTier(tier))
      if (unknown !== undefined) {
        const detail = `There is no tier ${JSON.stringify(unknown)}: a state has ${TIERS.join(", ")}`
        return yield* logError(new InvalidArgument({ problem: detail }))
      }
      const unsound = policyProblem(conflicts)
      if (unsound !== undefined) return yield* logError(new InvalidArgument({ problem: unsound }))
      const values = new Given(branchName(agent ?? agentType ?? ALL, MAIN)).update(template ?? {})
      if (values instanceof Error) return yield* stateError(values)
      const checks = checksOf(tiers)
      const unfit = templateProblem(template ?? {}, values, checks)
      if (unfit !== undefined) return yield* logError(new InvalidArgument({ problem: unfit }))
      const data: DefinedData = {
        rules,
        ...(conflicts === undefined ? {} : { conflicts }),
        ...(template === undefined ? {} : { template: JSON.parse(JSON.stringify(template)) as JsonObject }),
        ...(Object.keys(tiers).length === 0 ? {} : { schema: schemaOf(tiers) })
      }
      // What was remembered is nobody's code: it outlives whoever declares the rest anew.
      const version = yield* this.write(scope, (before) => ({
        ...data,
        ...rememberedOf(remembered ?? before?.remembered ?? [])
      }))
      if (agentType !== undefined) this.templates.set(agentType, values)
      this.checks.set(scope, checks)
      return { scope, version }
    }
  )

  /** What the state of a new agent of a type begins with. */
  template(agentType: string | undefined): Effect.Effect<ReadonlyMap<KeyId, MaybeJson>, DefinitionFailure> {
    if (agentType === undefined) return Effect.succeed(new Map())
    const known = this.templates.get(agentType)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.flatMap(this.load([`type:${agentType}`]), ([found]) => {
      const values = new Given(branchName(agentType, MAIN)).update(found?.template ?? {})
      if (values instanceof Error) return Effect.fail(stateError(values))
      this.templates.set(agentType, values)
      return Effect.succeed(values)
    })
  }

  /** The rules for merges of an agent's state: the more special ones last. */
  rules(agent: string, agentType: string | undefined): Effect.Effect<ReadonlyArray<Rule>, DefinitionFailure> {
    const scopes = [ALL, ...(agentType === undefined ? [] : [`type:${agentType}`]), `agent:${agent}`]
    return Effect.map(this.load(scopes), (found) =>
      found.flatMap((one) => [...(one?.rules ?? []), ...(one?.remembered ?? [])])
    )
  }

  /** What adds a rule to those that are remembered, in place of the one of its path; nothing where it is there. */
  readonly remembering = Effect.fnUntraced(
    { self: this },
    function* (scope: string, rule: Rule): Effect.fn.Return<ReadonlyArray<Part>, PostgresError> {
      const stream = definitionStream(scope)
      const last = (yield* this.store.lasts([stream])).get(stream)
      const { rules = [], ...before } = (last?.data ?? {}) as Partial<DefinedData>
      const others = (before.remembered ?? []).filter(({ path }) => path !== rule.path)
      const data: DefinedData = { rules, ...before, remembered: [...others, rule] }
      if (last !== undefined && isSameJson(last.data as Json, data as unknown as Json)) return []
      return [
        { stream, events: [StateDefined.make(data as never)], expected: last?.version ?? ("none" as const) }
      ]
    }
  )

  /** The tiers of which a schema says what they have to be, for an agent. */
  checkedTiers(agent: string, agentType: string | undefined): ReadonlyArray<Tier> {
    const tiers = this.checksFor(agent, agentType).flatMap(
      (checks) => Object.keys(checks) as ReadonlyArray<Tier>
    )
    return [...new Set(tiers)]
  }

  /** What is wrong with the tiers of a state, for an agent: the first thing in each. */
  problems(
    agent: string,
    agentType: string | undefined,
    values: Partial<StateValues>
  ): ReadonlyArray<{ readonly tier: Tier; readonly problem: string }> {
    return this.checksFor(agent, agentType).flatMap((checks) =>
      TIERS.flatMap((tier) => {
        const value = values[tier]
        const problem = value === undefined ? undefined : checks[tier]?.(value)
        return problem === undefined ? [] : [{ tier, problem }]
      })
    )
  }

  private checksFor(agent: string, agentType: string | undefined) {
    const scopes = [ALL, ...(agentType === undefined ? [] : [`type:${agentType}`]), `agent:${agent}`]
    return scopes.flatMap((scope) => this.checks.get(scope) ?? [])
  }

  private load(
    scopes: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyArray<DefinedData | undefined>, PostgresError> {
    return Effect.forEach(scopes, (scope) => this.current(definitionStream(scope)), {
      concurrency: "unbounded"
    })
  }

  /** A definition as it is in the log just now: only what came since it was last seen is read. */
  private readonly current = Effect.fnUntraced({ self: this }, function* (stream: string): Effect.fn.Return<
    DefinedData | undefined,
    PostgresError
  > {
    const origin = this.identity.current()
    const known = this.seen.get(stream)
    const seen = known !== undefined && isSameOrigin(known.origin, origin) ? known : undefined
    const { head, events } = yield* this.store.tail(stream, seen?.version ?? 0)
    const last = events.at(-1)
    if (last === undefined) return head === seen?.version ? seen.data : undefined
    const data = last.data as DefinedData
    this.seen.set(stream, { data, version: last.version, origin })
    return data
  })

  /** Several engines may do this at once; the same definition is written once. */
  private readonly write = Effect.fnUntraced(
    { self: this },
    function* (
      scope: string,
      after: (before: DefinedData | undefined) => DefinedData
    ): Effect.fn.Return<number, DefinitionFailure> {
      const stream = definitionStream(scope)
      for (;;) {
        const last = (yield* this.store.lasts([stream])).get(stream)
        const data = after(last?.data as DefinedData | undefined)
        if (last !== undefined && isSameJson(last.data as Json, data as unknown as Json)) return last.version
        const event = StateDefined.make(data as never)
        const result = yield* Effect.result(
          this.log.emit(stream, event, { expected: last?.version ?? "none" })
        )
        if (result._tag === "Success") return result.success.version
        if (!(result.failure.reason instanceof VersionConflict)) return yield* result.failure
      }
    }
  )
}

const rememberedOf = (rules: ReadonlyArray<Rule>): Pick<DefinedData, "remembered"> =>
  rules.length === 0 ? {} : { remembered: rules }

/** For those who read the log: what the schemas say, as JSON Schema. */
const schemaOf = (tiers: TierSchemas): JsonObject =>
  Object.fromEntries(
    Object.entries(tiers).map(([tier, schema]) => [
      tier,
      JSON.parse(JSON.stringify(Schema.toJsonSchemaDocument(schema))) as Json
    ])
  )
