import { Context, Effect, Logger } from "effect"
import { describe, expect, test } from "vitest"
import { Consumers, EventLog, layer } from "../../src/effect.ts"
import { collector } from "../support/eventually.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

class Desk extends Context.Service<Desk, { readonly put: (note: string) => void }>()("test/Desk") {}

const inEngine = <A, E>(program: Effect.Effect<A, E, Consumers | EventLog>): Promise<A> =>
  Effect.runPromise(
    program.pipe(
      Effect.provide(layer({ database: db.url, logger: false })),
      Effect.provide(Logger.layer([]))
    ) as Effect.Effect<A, E>
  )

describe("a durable subscription of the Effect face", () => {
  test("runs the effect that its handler returns, with what its subscriber provides, before the next event comes", async () => {
    const notes = collector<string>()
    await inEngine(
      Effect.scoped(
        Effect.gen(function* () {
          const log = yield* EventLog
          const consumers = yield* Consumers
          yield* Effect.provideService(
            consumers.subscribe({ name: "effects", categories: ["effect"] }, ({ version }) =>
              Effect.gen(function* () {
                const desk = yield* Desk
                desk.put(`begin ${version}`)
                yield* Effect.sleep(version === 1 ? 20 : 0)
                desk.put(`end ${version}`)
              })
            ),
            Desk,
            { put: notes.push }
          )
          yield* log.emit("effect-1", [{ type: "A" }, { type: "B" }])
          yield* Effect.promise(() => notes.reaches(4))
        })
      )
    )
    expect(notes.items).toEqual(["begin 1", "end 1", "begin 2", "end 2"])
  })

  test("commits what the effect does with its transaction, and emits as caused by its event, also after a wait", async () => {
    const causes = collector<unknown>()
    const ids = await inEngine(
      Effect.scoped(
        Effect.gen(function* () {
          const log = yield* EventLog
          const consumers = yield* Consumers
          yield* log.subscribe({ types: ["Answered"] }, ({ meta }) => causes.push(meta.causationId))
          yield* consumers.subscribe(
            { name: "answers", types: ["Asked"], transactional: true },
            (event, { tx }) =>
              Effect.gen(function* () {
                yield* tx.query("create table if not exists answers (id uuid)")
                yield* Effect.sleep(5)
                yield* tx.query("insert into answers values ($1)", [event.id])
                yield* tx.emit("answer-1", { type: "Answered" })
              })
          )
          const { events } = yield* log.emit("question-1", [{ type: "Asked" }, { type: "Asked" }])
          yield* Effect.promise(() => causes.reaches(2))
          return events.map(({ id }) => id)
        })
      )
    )
    expect(causes.items).toEqual(ids)
    expect((await db.query<{ id: string }>("select id from answers")).map(({ id }) => id)).toEqual(ids)
  })

  test("interrupts an effect that nobody waits for any more", async () => {
    const ended = collector<string>()
    await inEngine(
      Effect.scoped(
        Effect.gen(function* () {
          const log = yield* EventLog
          const consumers = yield* Consumers
          const subscription = yield* consumers.subscribe(
            { name: "hangs", types: ["Hung"], timeoutMs: 30, retry: { attempts: 1 } },
            () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => ended.push("interrupted")))
          )
          yield* log.emit("hung-1", { type: "Hung" })
          yield* Effect.promise(() => ended.reaches(1))
          yield* Effect.promise(subscription.stop)
          const [held] = yield* consumers.control("hangs").held()
          ended.push(held!.state)
        })
      )
    )
    expect(ended.items).toEqual(["interrupted", "parked"])
  })
})
