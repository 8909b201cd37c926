import { Schema } from "effect"
import { clause } from "../../base/clause.ts"

/** Something in the environment, in a file or in code cannot be taken for a setting. Names each, never the value of a secret. */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()("InvalidConfiguration", {
  /** What is wrong with which variable, or which setting of which file. */
  problems: Schema.Array(Schema.Struct({ where: Schema.String, problem: Schema.String }))
}) {
  override get message(): string {
    const told = this.problems.map(({ where, problem }) => `${where} ${clause(problem)}`)
    return `The configuration cannot be used: ${told.join("; ")}. See docs/configuration.md, which lists all settings.`
  }
}

export type Problem = InvalidConfiguration["problems"][number]
