import { Deferred, Effect, Fiber } from "effect"
import { describe, expect, test } from "vitest"
import { Gatherer } from "../../src/base/gatherer.ts"

// Callers share questions, and nobody waits for another one's sake more than for the question that is under way.

const run = Effect.runPromise

/** One whose questions are answered when that is said, each with what was wanted, twice. */
const gathering = () => {
  const asked: Array<ReadonlyArray<number>> = []
  const answers: Array<Deferred.Deferred<void, string>> = []
  const gatherer = new Gatherer((wanted: ReadonlyArray<number>) => {
    const answer = Deferred.makeUnsafe<void, string>()
    asked.push(wanted)
    answers.push(answer)
    return Effect.as(
      Deferred.await(answer),
      wanted.map((one) => one * 2)
    )
  })
  const all = (wanted: ReadonlyArray<number>) =>
    Effect.runFork(Effect.forEach(wanted, (one) => gatherer.one(one), { concurrency: "unbounded" }))
  return { asked, answers, all }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("a gatherer", () => {
  test("asks one question for those of one turn, and gives each its own answer", async () => {
    const { asked, answers, all } = gathering()
    const found = all([1, 2, 3])
    await turn()
    expect(asked).toEqual([[1, 2, 3]])
    await run(Deferred.succeed(answers[0]!, undefined))
    expect(await run(Fiber.join(found))).toEqual([2, 4, 6])
  })

  test("gathers while two are under way, and asks when one of them is answered", async () => {
    const { asked, answers, all } = gathering()
    const found = []
    for (const one of [1, 2, 3, 4]) {
      found.push(all([one]))
      await turn()
    }
    expect(asked).toEqual([[1], [2]])
    await run(Deferred.succeed(answers[1]!, undefined))
    await turn()
    expect(asked).toEqual([[1], [2], [3, 4]])
    for (const answer of answers) await run(Deferred.succeed(answer, undefined))
    expect(await Promise.all(found.map((one) => run(Fiber.join(one))))).toEqual([[2], [4], [6], [8]])
  })

  test("tells all that a question was for what it failed with, and answers the next", async () => {
    const { asked, answers, all } = gathering()
    const failed = [all([1]), all([2])]
    await turn()
    await run(Deferred.fail(answers[0]!, "gone"))
    for (const one of failed) expect(await run(Effect.flip(Fiber.join(one)))).toBe("gone")
    const found = all([3])
    await turn()
    await run(Deferred.succeed(answers[1]!, undefined))
    expect(await run(Fiber.join(found))).toEqual([6])
    expect(asked).toEqual([[1, 2], [3]])
  })

  test("does not ask for whom has given up, and goes on for the others", async () => {
    const { asked, answers, all } = gathering()
    const one = all([1])
    const other = all([2])
    await run(Fiber.interrupt(one))
    await turn()
    expect(asked).toEqual([[2]])
    const late = all([3])
    await turn()
    await run(Fiber.interrupt(late))
    for (const answer of answers) await run(Deferred.succeed(answer, undefined))
    expect(await run(Fiber.join(other))).toEqual([4])
  })
})
