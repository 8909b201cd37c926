import type { Engine } from "../../../src/index.ts"
import type { Rule } from "../../../src/state/merge/rule.ts"
import { type Failure, type Outcome, refusedAlike, toldAlike } from "./agreement.ts"
import type { Answer } from "./answer.ts"
import type { ModelMerge } from "./merges.ts"
import { ModelAgent } from "./model.ts"
import type { Version } from "./version.ts"

export interface ModelCheckpoint {
  readonly parts: ReadonlyArray<Version>
  isDropped: boolean
}

export const RULES: ReadonlyArray<Rule> = [
  { path: "/*/a", number: "counter" },
  { path: "/*/b", array: "set" },
  { path: "/shared/**", array: "sequence" }
]

/** In a word, to be counted. */
const wordOf = (answer: Answer): string => {
  if (answer.tag === "refused") return answer.why
  if (answer.tag === "merge") return answer.status
  return answer.changed?.length === 0 ? "unchanged" : "done"
}

/** Where a program runs: on two engines and on the model, which must agree on what comes of each step. */
export class Scene {
  readonly engines: ReadonlyArray<Engine>
  readonly agents: ReadonlyArray<ModelAgent>
  readonly checkpoints: Array<ModelCheckpoint> = []
  readonly merges: Array<ModelMerge> = []
  /** What the engines call commits, merges and checkpoints. */
  readonly ids = new Map<object, string>()
  /** The tokens of versions that were returned. */
  readonly tokens = new Map<Version, string>()
  /** How often a step of a kind came to what. */
  readonly outcomes = new Map<string, number>()

  private constructor(engines: ReadonlyArray<Engine>, agents: ReadonlyArray<ModelAgent>) {
    this.engines = engines
    this.agents = agents
  }

  /** Two agents, of which the second has rules. */
  static async open(engines: ReadonlyArray<Engine>, name: string): Promise<Scene> {
    const agents = [new ModelAgent(`${name}-1`), new ModelAgent(`${name}-2`, RULES)]
    await engines[0]!.defineState({ agent: agents[1]!.agent, rules: RULES })
    return new Scene(engines, agents)
  }

  /** Most often a merge that is pending; and one with conflicts, where these matter. */
  merge(nth: number, isConflicting = false): ModelMerge | undefined {
    const fit = this.merges.filter(
      ({ status, conflicts }) => status === "pending" && (!isConflicting || conflicts.length > 0)
    )
    const from = fit.length === 0 || nth % 12 === 0 ? this.merges : fit
    return from[nth % Math.max(1, from.length)]
  }

  /** What an engine returned, where it did what the model has; undefined where both refused, for the same reason. */
  async agree(
    kind: string,
    real: () => Promise<unknown>,
    model: () => Answer,
    at?: () => Version
  ): Promise<Outcome | undefined> {
    const outcome = await real().then(
      (value) => ({ value: (value ?? {}) as Outcome }),
      (error: unknown) => ({ error: error as Failure })
    )
    const wanted = model()
    const word = `${kind}: ${wordOf(wanted)}`
    this.outcomes.set(word, 1 + (this.outcomes.get(word) ?? 0))
    if ("error" in outcome) {
      refusedAlike(outcome.error, wanted)
      return undefined
    }
    const { value } = outcome
    toldAlike(value, wanted)
    if (value.token !== undefined && at !== undefined) this.tokens.set(at(), value.token)
    return value
  }
}
