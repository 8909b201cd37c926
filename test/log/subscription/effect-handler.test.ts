import { Context, Effect, Scope } from "effect"
import pino from "pino"
import { describe, expect, test } from "vitest"
import { EventLog, layer } from "../../../src/effect.ts"
import { open } from "../../../src/index.ts"
import { testDatabase } from "../../support/database.ts"
import { collector } from "../../support/eventually.ts"

const db = testDatabase()

/** Something that only the subscriber's context provides. */
class Desk extends Context.Service<Desk, { readonly put: (note: string) => void }>()("test/Desk") {}

const inEngine = <A>(program: Effect.Effect<A, unknown, EventLog | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.provide(program, layer({ database: db.url, logger: false }))))

describe("a handler that returns an effect", () => {
  test("is run for each event before the next comes, with what its subscriber provides", async () => {
    const notes = collector<string>()
    await inEngine(
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* Effect.provideService(
          log.subscribe({ streams: ["effect-1"] }, ({ version }) =>
            Effect.gen(function* () {
              const desk = yield* Desk
              desk.put(`begin ${version}`)
              yield* Effect.sleep(version === 1 ? 20 : 0)
              desk.put(`end ${version}`)
            })
          ),
          Desk,
          { put: (note) => notes.push(note) }
        )
        yield* log.emit("effect-1", [{ type: "A" }, { type: "B" }])
        yield* Effect.promise(() => notes.reaches(4))
      })
    )
    expect(notes.items).toEqual(["begin 1", "end 1", "begin 2", "end 2"])
  })

  test("emits as caused by its event, also after it has waited", async () => {
    const seen = collector<{ readonly type: string; readonly cause: unknown }>()
    await inEngine(
      Effect.gen(function* () {
        const log = yield* EventLog
        yield* log.subscribe({ streams: ["effect-2"], types: ["Asked"] }, (event) =>
          Effect.andThen(Effect.sleep(5), log.emit("effect-2", { type: "Answered", data: { to: event.id } }))
        )
        yield* log.subscribe({ streams: ["effect-2"], types: ["Answered"] }, ({ type, meta, data }) => {
          seen.push({ type, cause: meta.causationId === (data as { to: string }).to })
        })
        yield* log.emit("effect-2", { type: "Asked" })
        yield* Effect.promise(() => seen.reaches(1))
      })
    )
    expect(seen.items).toEqual([{ type: "Answered", cause: true }])
  })

  test("that fails stops its subscription before the event, in the promise face too", async () => {
    await using engine = await open({ database: db.url, logger: false })
    const subscription = await engine.subscribe({ streams: ["effect-3"] }, () => Effect.fail("no"))
    const { position } = await engine.emit("effect-3", { type: "A" })
    await expect(subscription.done).rejects.toMatchObject({ _tag: "HandlerFailed", position })
    expect(subscription.position).toBeLessThan(position)
  })
})

describe("a subscription that fails", () => {
  test("is reported with position and type, and without what the handler said", async () => {
    const lines: Array<string> = []
    const logger = pino({ level: "error" }, { write: (line: string) => void lines.push(line) })
    await using engine = await open({ database: db.url, logger })
    const subscription = await engine.subscribe({ streams: ["effect-4"] }, () => {
      throw new Error("the password is tide")
    })
    const { position } = await engine.emit("effect-4", { type: "Secret" })
    await expect(subscription.done).rejects.toThrow("password")
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { msg: "A subscription failed", error: "HandlerFailed", position, type: "Secret" }
    ])
    expect(lines.join()).not.toContain("password")
  })
})
