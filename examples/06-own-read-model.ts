/** A read model of one's own: what it folds, its table, its operations. */
import { randomUUID } from "node:crypto"
import { Effect, Schema } from "effect"
import { entities, eventType, open, projection, query } from "tidemark"

const TaskOpened = eventType("TaskOpened", Schema.Struct({ title: Schema.String }))
const TaskClosed = eventType("TaskClosed", Schema.Struct({ by: Schema.String }))

interface TaskRow extends Record<string, unknown> {
  readonly task: string
  readonly title: string
  readonly closed_by: string | null
}

const Task = Schema.Struct({ task: Schema.String, title: Schema.String })

const tasks = projection({
  name: "tasks",
  version: 1,
  events: [TaskOpened, TaskClosed],
  tables: { text: 'create table :"tasks" (task text primary key, title text not null, closed_by text)' },
  relations: ["tasks"],
  model: entities<TaskRow>({
    table: "tasks",
    key: "task",
    keyOf: (event) => event.stream,
    fold: (row, event) => {
      if (TaskOpened.is(event)) return { task: event.stream, title: event.data.title, closed_by: null }
      return row !== undefined && TaskClosed.is(event) ? { ...row, closed_by: event.data.by } : row
    }
  }),
  operations: {
    open: query({
      name: "tasks.open",
      description: "The tasks of a project that nobody closed.",
      scope: "tasks:read",
      input: Schema.Struct({ project: Schema.String }),
      output: Schema.Array(Task),
      example: { project: "tide" },
      run: ({ project }, { query }) =>
        Effect.map(
          query<typeof Task.Type>(
            {
              text: `select task, title from :"schema".tasks where closed_by is null and task like $1 order by task`
            },
            [`task-${project}-%`]
          ),
          (rows) => [...rows]
        )
    })
  }
})

await using engine = await open()
const model = await engine.project(tasks)
const project = randomUUID().slice(0, 8)

await engine.emit(`task-${project}-1`, TaskOpened.make({ title: "read the tables" }))
await engine.emit(`task-${project}-2`, TaskOpened.make({ title: "write the summary" }))
await engine.emit(`task-${project}-1`, TaskClosed.make({ by: "reader-3" }))

// The query waits until the read model has folded what this engine emitted.
console.log(await model.open({ project }))

// A declared type is checked at emit.
await engine
  .emit(`task-${project}-3`, { type: "TaskOpened", data: { title: 7 } })
  .catch((error: unknown) => console.log("refused:", (error as Error).name))
