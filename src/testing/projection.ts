import { Schema } from "effect"
import type { Engine, PromisedOperations } from "../engine/engine.ts"
import type { Part } from "../log/event.ts"
import type { ProjectionDefinition } from "../projection/definition.ts"
import { type Bound, type Operations, query } from "../projection/operation.ts"
import type { TestPostgres } from "./server.ts"

/** Rows of one of the read model's relations, as PostgreSQL's client gives them. */
export type RowsOf = <Row = Record<string, unknown>>(relation: string) => Promise<ReadonlyArray<Row>>

/** Looks at the read model, and throws where it is not what it should be. */
export type Look<Ops extends Operations> = (
  model: PromisedOperations<Bound<Ops>>,
  rows: RowsOf
) => Promise<unknown>

/** What has been emitted, and folded. */
export interface Folded<Ops extends Operations> {
  /** More events, which come once those before them have been folded. */
  readonly when: (...parts: ReadonlyArray<Part>) => Folded<Ops>
  /**
   * Looks at the read model three times: with the events folded in as few batches as they were given, each in a batch of its own, and all
   * of them by a rebuild. A fold that depends on which events come together, or on what it did before, does not pass.
   */
  readonly then: (look: Look<Ops>) => Promise<void>
}

const ROWS = "testRows"

/** The read model with one more question, about all rows of a relation. */
const withRows = <Ops extends Operations>(definition: ProjectionDefinition<Ops>) => ({
  ...definition,
  operations: {
    ...definition.operations,
    [ROWS]: query({
      name: `${definition.operationsOf ?? definition.name}.${ROWS}`,
      description: "All rows of a relation of this read model.",
      scope: "test",
      input: Schema.Struct({ relation: Schema.Literals(definition.relations) }),
      output: Schema.Array(Schema.Any),
      example: { relation: definition.relations[0]! },
      run: ({ relation }, context) => context.query({ text: `select * from :"schema"."${relation}"` })
    })
  }
})

/** How the events come to be folded. */
type Way = "in batches" | "one by one" | "by a rebuild"

interface Model<Ops extends Operations> {
  readonly operations: PromisedOperations<Bound<Ops>>
  readonly rows: RowsOf
}

const folded = async <Ops extends Operations>(
  engine: Engine,
  definition: ProjectionDefinition<Ops>,
  batches: ReadonlyArray<ReadonlyArray<Part>>
): Promise<Model<Ops>> => {
  const all = (await engine.project(withRows(definition))) as unknown as Record<
    string,
    (input: unknown) => Promise<ReadonlyArray<never>>
  >
  const rows: RowsOf = (relation) => all[ROWS]!({ relation })
  for (const batch of batches) {
    await engine.emitAll(batch)
    // Waits until they are folded.
    await rows(definition.relations[0]!)
  }
  return { operations: all as unknown as PromisedOperations<Bound<Ops>>, rows }
}

const oneByOne = (batches: ReadonlyArray<ReadonlyArray<Part>>): ReadonlyArray<ReadonlyArray<Part>> =>
  batches.flat().flatMap(({ stream, events }) => [events].flat().map((event) => [{ stream, events: event }]))

/** Says in which way it was folded that does not pass. */
const looked = async (way: Way, look: () => Promise<unknown>): Promise<void> => {
  try {
    await look()
  } catch (error) {
    if (error instanceof Error) error.message = `Folded ${way}: ${error.message}`
    throw error
  }
}

const lookedAt = async <Ops extends Operations>(
  postgres: TestPostgres,
  definition: ProjectionDefinition<Ops>,
  batches: ReadonlyArray<ReadonlyArray<Part>>,
  look: Look<Ops>
): Promise<void> => {
  await using engine = await postgres.open()
  const { operations, rows } = await folded(engine, definition, batches)
  await looked("in batches", () => look(operations, rows))
  await engine.rebuild(definition.name)
  await looked("by a rebuild", () => look(operations, rows))
  await using other = await postgres.open()
  const single = await folded(other, definition, oneByOne(batches))
  await looked("one by one", () => look(single.operations, single.rows))
}

/**
 * Tests a read model on a real server: `testProjection(postgres, tasks).given(…events).then(async (model, rows) => …)`, each time in a log of
 * its own. Needs no test runner: what `then` throws is thrown, and says how the events were folded.
 */
export const testProjection = <const Ops extends Operations>(
  postgres: TestPostgres,
  definition: ProjectionDefinition<Ops>
): { readonly given: (...parts: ReadonlyArray<Part>) => Folded<Ops> } => {
  const after = (batches: ReadonlyArray<ReadonlyArray<Part>>): Folded<Ops> => ({
    when: (...parts) => after([...batches, parts]),
    // oxlint-disable-next-line unicorn/no-thenable -- it is what such tests are written in
    then: (look) => lookedAt(postgres, definition, batches, look)
  })
  return { given: (...parts) => after(parts.length === 0 ? [] : [parts]) }
}
