import { beforeAll, describe, expect, test } from "vitest"
import type { Event, ReadOptions } from "../../../src/index.ts"
import { eventsOf, testLog, upTo } from "../test-log.ts"

const log = testLog()
const stream = "order-read"

beforeAll(async () => {
  for (const n of upTo(10)) {
    await log.engine.emit(stream, { type: `Step${n}`, data: { n } })
    await log.engine.emit("order-other", { type: "Noise" })
  }
})

const versions = async (options?: ReadOptions, from = stream) =>
  (await eventsOf(log.engine, from, options)).map(({ version }) => version)

const down = (from: number, to: number) =>
  upTo(from)
    .slice(to - 1)
    .toReversed()

describe("reading a stream", () => {
  test.each<readonly [string, ReadOptions, ReadonlyArray<number>]>([
    ["gives every event in order", {}, upTo(10)],
    ["backwards gives every event from the last", { backwards: true }, down(10, 1)],
    ["may begin at a version", { from: 7 }, [7, 8, 9, 10]],
    ["may end at a version", { to: 3 }, [1, 2, 3]],
    ["may be of a window", { from: 4, to: 6 }, [4, 5, 6]],
    ["may be of a window backwards", { from: 4, to: 6, backwards: true }, [6, 5, 4]],
    ["may be limited", { limit: 3 }, [1, 2, 3]],
    ["may be limited backwards: the last ones", { limit: 3, backwards: true }, [10, 9, 8]],
    ["may be limited within a window", { from: 3, to: 9, limit: 2 }, [3, 4]],
    ["from beyond its head is empty", { from: 11 }, []],
    ["of an empty window is empty", { from: 5, to: 4 }, []],
    ["of no events is empty", { limit: 0 }, []],
    ["from 0 begins with the first", { from: 0, limit: 1 }, [1]],
    ["up to beyond its head ends with the last", { from: 10, to: Number.MAX_SAFE_INTEGER }, [10]]
  ])("%s", async (_, options, expected) => {
    expect(await versions(options)).toEqual(expected)
  })

  test("that does not exist is empty", async () => {
    expect(await versions({}, "order-unknown")).toEqual([])
    expect(await versions({ backwards: true }, "order-unknown")).toEqual([])
  })

  test("pages through more events than one query takes, both ways and up to a limit", async () => {
    const long = log.stream()
    await log.engine.emit(
      long,
      upTo(2_500).map(() => ({ type: "Counted" }))
    )
    expect(await versions({}, long)).toEqual(upTo(2_500))
    expect(await versions({ backwards: true }, long)).toEqual(down(2_500, 1))
    expect(await versions({ limit: 1_000 }, long)).toEqual(upTo(1_000))
    expect(await versions({ limit: 1_001, backwards: true }, long)).toEqual(down(2_500, 1_500))
    expect(await versions({ from: 999, to: 2_001 }, long)).toEqual(upTo(2_001).slice(998))
  })

  test("may be left early, and begun again", async () => {
    const seen: Array<Event> = []
    const reading = log.engine.read(stream)
    for await (const event of reading) {
      seen.push(event)
      if (seen.length === 3) break
    }
    expect(seen.map(({ version }) => version)).toEqual([1, 2, 3])
    const again: Array<number> = []
    for await (const event of reading) again.push(event.version)
    expect(again).toEqual(upTo(10))
  })

  test.each<readonly [string, string, ReadOptions]>([
    ["a stream without a category", "order", {}],
    ["a negative version", stream, { from: -1 }],
    ["a broken version", stream, { to: 1.5 }],
    ["a limit that is no number", stream, { limit: Number.NaN }]
  ])("is refused for %s", async (_, name, options) => {
    await expect(versions(options, name)).rejects.toMatchObject({ _tag: expect.stringMatching(/^Invalid/) })
  })
})
