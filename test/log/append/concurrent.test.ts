import { describe, expect, test } from "vitest"
import { VersionConflict } from "../../../src/index.ts"
import { eventsOf, testLog, upTo } from "../test-log.ts"

const log = testLog()

const callers = 20

const outcomes = async (attempts: ReadonlyArray<Promise<unknown>>) => {
  const all = await Promise.allSettled(attempts)
  const lost = all.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []))
  return { won: all.length - lost.length, lost }
}

describe("of callers who append to one stream at once", () => {
  test("all succeed who expect any version, with versions 1 to n", async () => {
    const stream = log.stream()
    const other = await log.open()
    const appended = await Promise.all(
      upTo(callers).map((n) => (n % 2 === 0 ? log.engine : other).emit(stream, { type: "Said", data: { n } }))
    )
    expect(appended.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(upTo(callers))
    expect((await eventsOf(log.engine, stream)).map(({ version }) => version)).toEqual(upTo(callers))
  })

  test.each([
    ["in one engine", false],
    ["in two engines", true]
  ])("exactly one wins who expect the same version, %s", async (_, apart) => {
    const stream = log.stream()
    const other = apart ? await log.open() : log.engine
    await log.engine.emit(stream, { type: "Begun" })
    const { won, lost } = await outcomes(
      upTo(callers).map((n) =>
        (n % 2 === 0 ? log.engine : other).emit(stream, { type: "Said" }, { expected: 1 })
      )
    )
    expect(won).toBe(1)
    for (const failure of lost) {
      expect(failure).toBeInstanceOf(VersionConflict)
      expect(failure).toMatchObject({ stream, expected: 1, actual: 2 })
    }
  })

  test.each([
    ["in one engine", false],
    ["in two engines", true]
  ])("exactly one wins who expect the stream to be new, %s", async (_, apart) => {
    const stream = log.stream()
    const other = apart ? await log.open() : log.engine
    const { won, lost } = await outcomes(
      upTo(callers).map((n) =>
        (n % 2 === 0 ? log.engine : other).emit(stream, { type: "Made" }, { expected: "none" })
      )
    )
    expect(won).toBe(1)
    expect(lost.every((failure) => failure instanceof VersionConflict)).toBe(true)
    expect(await eventsOf(log.engine, stream)).toHaveLength(1)
  })

  test("each gets its event in when it reads again after every conflict", async () => {
    const stream = log.stream()
    const insist = async (n: number): Promise<void> => {
      for (;;) {
        const expected = (await eventsOf(log.engine, stream, { backwards: true, limit: 1 }))[0]?.version ?? 0
        try {
          await log.engine.emit(stream, { type: "Said", data: { n } }, { expected })
          return
        } catch (error) {
          if (!(error instanceof VersionConflict)) throw error
        }
      }
    }
    await Promise.all(upTo(8).map(insist))
    const said = (await eventsOf(log.engine, stream)).map(({ data }) => (data as { n: number }).n)
    expect(said.toSorted((a, b) => a - b)).toEqual(upTo(8))
  })

  test("one who saw it come back to what it was is refused all the same", async () => {
    // A to B and back to A: the state is as it was, the version is not.
    const stream = log.stream()
    await log.engine.emit(stream, { type: "BecameA" })
    await log.engine.emit(stream, [{ type: "BecameB" }, { type: "BecameA" }], { expected: 1 })
    await expect(log.engine.emit(stream, { type: "BecameC" }, { expected: 1 })).rejects.toMatchObject({
      _tag: "VersionConflict",
      expected: 1,
      actual: 3
    })
  })
})
