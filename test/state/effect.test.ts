import { Effect, Logger } from "effect"
import { describe, expect, test } from "vitest"
import { agentState, layer, States } from "../../src/effect.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

const inEngine = <A, E>(program: Effect.Effect<A, E, States>): Promise<A> =>
  Effect.runPromise(
    program.pipe(
      Effect.provide(layer({ database: db.url, logger: false })),
      Effect.provide(Logger.layer([]))
    ) as Effect.Effect<A, E>
  )

const stateOf = (agent: string, branch = "main") =>
  Effect.map(States, (states) => agentState(states.scene(agent, { branch })))

describe("a state of the Effect face", () => {
  test("is written, branched, merged and restored", async () => {
    const read = await inEngine(
      Effect.gen(function* () {
        const [main, other] = [yield* stateOf("done"), yield* stateOf("done", "other")]
        yield* main.update({ shared: { plan: "x", goal: "x" } }, { actor: "a" })
        const { checkpoint } = yield* main.checkpoint()
        yield* main.branch("other")
        yield* other.update({ shared: { plan: "theirs" } })
        yield* main.update({ shared: { plan: "mine", goal: "y" } })
        const { merge, status, conflicts } = yield* main.merge("other")
        expect([status, conflicts.map(({ path }) => path)]).toEqual(["pending", ["/shared/plan"]])
        const states = yield* States
        yield* states.resolve(merge, "/shared/plan", { use: "theirs" })
        yield* states.finish(merge)
        const merged = yield* main.read()
        yield* main.restore(checkpoint)
        return [merged.shared, (yield* main.read()).shared]
      })
    )
    expect(read).toEqual([
      { plan: "theirs", goal: "y" },
      { plan: "x", goal: "x" }
    ])
  })

  test("fails by its types: each reason is caught by its name, and the others stay", async () => {
    const found = await inEngine(
      Effect.gen(function* () {
        const [main, gone] = [yield* stateOf("failing"), yield* stateOf("failing", "gone")]
        yield* main.update({ local: { n: 1 } })
        const { token } = yield* main.read()
        yield* main.update({ local: { n: 2 } }, { actor: "ann", reason: "was wrong" })
        const late = main.update({ local: { n: 3 } }, { base: token })
        const conflict = yield* Effect.catchReason(late, "StateError", "StateConflict", ({ conflicts }) =>
          Effect.succeed(conflicts)
        )
        const branch = yield* Effect.catchReason(gone.read(), "StateError", "UnknownBranch", (reason) =>
          Effect.succeed(reason.branch)
        )
        const others = yield* Effect.flip(
          Effect.catchReason(gone.read(), "StateError", "StateConflict", () => Effect.succeed("caught"))
        )
        const name = yield* Effect.flip((yield* stateOf("two words")).read())
        const refused = yield* Effect.flip(main.patch([{ op: "test", path: "/local/n", value: 7 }]))
        return [
          conflict,
          branch,
          ...[others, name, refused].map(({ _tag, ...error }) => [_tag, reasonOf(error)])
        ]
      })
    )
    expect(found).toEqual([
      [
        expect.objectContaining({
          path: "/local/n",
          kind: "modify_modify",
          base: 1,
          ours: 2,
          theirs: 3,
          oursBy: "ann",
          oursBecause: "was wrong"
        })
      ],
      "gone",
      ["StateError", "UnknownBranch"],
      ["LogError", "InvalidName"],
      ["StateError", "PatchRefused"]
    ])
  })

  test("does nothing until it is run, and as often as it is run", async () => {
    const [before, after] = await inEngine(
      Effect.gen(function* () {
        const state = yield* stateOf("run")
        const push = state.patch([{ op: "add", path: "/local/list/-", value: 1 }])
        yield* state.update({ local: { list: [] } })
        const before = yield* state.read()
        yield* Effect.all([push, push, push], { concurrency: "unbounded" })
        return [before, yield* state.read()]
      })
    )
    expect([before!.local, after!.local]).toEqual([{ list: [] }, { list: [1, 1, 1] }])
  })
})

const reasonOf = (error: object): string =>
  (error as { readonly reason: { readonly _tag: string } }).reason._tag
