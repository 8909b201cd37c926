/**
 * For tests of what is built on Tidemark: deciders and read models by given, when and then, and a PostgreSQL to run them on.
 *
 * ```ts
 * import { testPostgres, testProjection } from "tidemark/testing"
 *
 * await using postgres = await testPostgres()
 * await testProjection(postgres, tasks)
 *   .given({ stream: "task-1", events: TaskOpened.make({ title: "read" }) })
 *   .then(async (model) => assert.equal((await model.open()).length, 1))
 * ```
 */
export { type Decider, type Failure, type Given, type Outcome, testDecider } from "./testing/decider.ts"
export { type Recorded, recordedEvents } from "./testing/events.ts"
export { type Folded, type Look, type RowsOf, testProjection } from "./testing/projection.ts"
export {
  type TestLogOptions,
  type TestPostgres,
  testPostgres,
  type TestPostgresOptions
} from "./testing/server.ts"
