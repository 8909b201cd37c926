import { describe, expect, test } from "vitest"
import { VersionConflict } from "../../../src/index.ts"
import type { ExpectedVersion } from "../../../src/index.ts"
import { eventsOf, testLog, traceOf } from "../test-log.ts"

const log = testLog()

const accepted: ReadonlyArray<readonly [string, number, ExpectedVersion, number]> = [
  ["any, to a missing stream", 0, "any", 1],
  ["any, to an existing stream", 2, "any", 3],
  ["none, to a missing stream", 0, "none", 1],
  ["exists, to an existing stream", 2, "exists", 3],
  ["version 0, to a missing stream", 0, 0, 1],
  ["the version it is at, to an existing stream", 2, 2, 3]
]

const refused: ReadonlyArray<readonly [string, number, ExpectedVersion]> = [
  ["none, to an existing stream", 2, "none"],
  ["exists, to a missing stream", 0, "exists"],
  ["version 0, to an existing stream", 2, 0],
  ["a version it has left behind", 2, 1],
  ["a version it has not reached", 2, 3],
  ["a version, to a missing stream", 0, 1],
  ["the largest safe version", 2, Number.MAX_SAFE_INTEGER]
]

const streamAt = async (version: number) => {
  const stream = log.stream()
  for (let count = 0; count < version; count += 1) await log.engine.emit(stream, { type: "Before" })
  return stream
}

describe("an append that expects", () => {
  test.each(accepted)("%s, is made", async (_, before, expected, after) => {
    const stream = await streamAt(before)
    const appended = await log.engine.emit(stream, { type: "Made" }, { expected })
    expect(appended).toMatchObject({ stream, version: after, events: [{ version: after }] })
    expect((await eventsOf(log.engine, stream)).map(({ version }) => version)).toHaveLength(after)
  })

  test.each(refused)("%s, is refused with what was expected and what is", async (_, before, expected) => {
    const stream = await streamAt(before)
    const failure = await log.engine.emit(stream, { type: "Refused" }, { expected }).catch((error) => error)
    expect(failure).toBeInstanceOf(VersionConflict)
    expect(failure).toMatchObject({ _tag: "VersionConflict", stream, expected, actual: before })
    expect(failure.message).toContain(`is at version ${before}, expected was ${expected}`)
    expect(await traceOf(log.db, stream)).toEqual({ events: before, heads: before === 0 ? 0 : 1 })
  })

  test("none, makes a stream that a refused append left no trace of", async () => {
    const stream = log.stream()
    await expect(log.engine.emit(stream, { type: "Refused" }, { expected: 3 })).rejects.toThrow(
      VersionConflict
    )
    await expect(log.engine.emit(stream, { type: "Made" }, { expected: "none" })).resolves.toMatchObject({
      version: 1
    })
  })

  test("a version of one stream, is judged by that stream only", async () => {
    const [quiet, busy] = [await streamAt(1), await streamAt(3)]
    await log.engine.emit(busy, { type: "Made" }, { expected: 3 })
    await expect(log.engine.emit(quiet, { type: "Made" }, { expected: 1 })).resolves.toMatchObject({
      version: 2
    })
  })
})
