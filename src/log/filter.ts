import { encodeJson } from "../base/json.ts"
import { InvalidArgument, type InvalidName } from "./error.ts"
import type { Event } from "./event.ts"
import { categoryOf, categoryProblem, idOf, labelProblem, streamProblem, typeProblem } from "./name.ts"

/** Which events are wanted: those that match every field given; within a field, any of its values. */
export interface Filter {
  readonly streams?: ReadonlyArray<string>
  readonly categories?: ReadonlyArray<string>
  readonly types?: ReadonlyArray<string>
  readonly labels?: ReadonlyArray<string>
  /** What concerns an agent: streams of that id in any category, events it is the actor of, and events labelled `agent:<id>`. */
  readonly agent?: string
}

/** The filter's fields as the query takes them, null where not given. */
export type FilterColumns = [
  streams: ReadonlyArray<string> | null,
  categories: ReadonlyArray<string> | null,
  types: ReadonlyArray<string> | null,
  labels: ReadonlyArray<string> | null,
  agent: string | null
]

export const NO_FILTER: Filter = {}

export const filterColumns = (filter: Filter): FilterColumns => [
  filter.streams ?? null,
  filter.categories ?? null,
  filter.types ?? null,
  filter.labels ?? null,
  filter.agent ?? null
]

/** Whether it leaves anything out. */
export const isFilter = (filter: Filter): boolean =>
  Object.values(filter).some((field) => field !== undefined)

/** Why a filter can match nothing, or undefined. */
export const filterProblem = (filter: Filter): InvalidName | InvalidArgument | undefined => {
  const fields = [
    ["streams", filter.streams, streamProblem],
    ["categories", filter.categories, categoryProblem],
    ["types", filter.types, typeProblem],
    ["labels", filter.labels, labelProblem]
  ] as const
  for (const [field, values, problem] of fields) {
    if (values === undefined) continue
    if (values.length === 0)
      return new InvalidArgument({
        problem: `The filter's ${field} are empty: leave the field out, or name some`
      })
    for (const value of values) {
      const wrong = problem(value)
      if (wrong !== undefined) return wrong
    }
  }
  return agentProblem(filter.agent)
}

/** An agent is named in streams, in labels and as an actor, which is any text: that which PostgreSQL can hold. */
const agentProblem = (agent: string | undefined): InvalidArgument | undefined =>
  agent === undefined || (typeof agent === "string" && agent !== "" && "text" in encodeJson(agent))
    ? undefined
    : new InvalidArgument({ problem: `The filter's agent ${JSON.stringify(agent)} is no agent's id` })

/** The test that the query makes, in memory. */
export const matcher = (filter: Filter): ((event: Event) => boolean) => {
  const tests: Array<(event: Event) => boolean> = []
  const { agent } = filter
  if (filter.streams !== undefined) {
    const streams = new Set(filter.streams)
    tests.push((event) => streams.has(event.stream))
  }
  if (filter.categories !== undefined) {
    const categories = new Set(filter.categories)
    tests.push((event) => categories.has(categoryOf(event.stream)))
  }
  if (filter.types !== undefined) {
    const types = new Set(filter.types)
    tests.push((event) => types.has(event.type))
  }
  if (filter.labels !== undefined) {
    const labels = new Set(filter.labels)
    tests.push((event) => event.labels.some((label) => labels.has(label)))
  }
  if (agent !== undefined) {
    const label = `agent:${agent}`
    tests.push(
      (event) => idOf(event.stream) === agent || event.meta.actor === agent || event.labels.includes(label)
    )
  }
  return (event) => tests.every((test) => test(event))
}
