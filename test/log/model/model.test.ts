import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Event } from "../../../src/index.ts"
import { until } from "../../support/eventually.ts"
import { eventsOf, testLog } from "../test-log.ts"
import { type Answer, type Append, ModelLog } from "./model.ts"
import { appendOf, inWords, program, send } from "./programs.ts"

// Random programs against the log as its rules say it is. A failure prints the seed and path to run it again with.

const log = testLog()

let runs = 0

const followed = async (from: number) => {
  const events: Array<Event> = []
  const subscription = await log.engine.subscribe({ from }, (event) => events.push(event))
  return {
    events,
    all: async () => {
      const { position } = await log.engine.emit("end-1", { type: "End" })
      await until(() => subscription.position >= position)
      await subscription.stop()
      return events.filter(({ type }) => type !== "End")
    }
  }
}

const words = ({ recorded }: ModelLog) =>
  recorded.map(({ id, stream, version, type, n }) => JSON.stringify([stream, version, id, type, n]))

type Answered = Answer & { readonly positions?: ReadonlyArray<number> }

const same = (a: Answered, b: Answered) => JSON.stringify(plain(a)) === JSON.stringify(plain(b))

const plain = ({ tag, ...facts }: Answer & { readonly positions?: unknown }): unknown => {
  const { positions: _, ...rest } = facts as { positions?: unknown }
  return { tag, ...rest }
}

test("one append after the other, the log does what the model does", async () => {
  await fc.assert(
    fc.asyncProperty(program(15), async (steps) => {
      const run = (runs += 1)
      const model = new ModelLog()
      const following = await followed(await log.engine.settled())
      for (const step of steps) {
        const append = appendOf(step, run)
        expect(plain(await send(log.engine, append))).toEqual(plain(model.append(append)))
      }
      expect((await following.all()).map(inWords)).toEqual(words(model))
    }),
    { numRuns: 60 }
  )
})

describe("all at once,", () => {
  /** Whether the answers and the log can be had by making the appends one after the other, in the order of the log. */
  const explained = (made: ReadonlyArray<readonly [Append, Answered]>, events: ReadonlyArray<Event>) => {
    const first = ({ positions }: Answered) => positions?.[0] ?? Number.POSITIVE_INFINITY
    const size = (append: Append) => append.flatMap((part) => part.events).length
    const pending = made
      .filter(([, answer]) => answer.tag === "appended")
      .toSorted(([a, x], [b, y]) => first(x) - first(y) || size(b) - size(a))
    const model = new ModelLog()
    while (pending.length > 0) {
      // The same append may have been sent several times, and only one of them need have expected the right thing.
      const [, next] = pending[0]!
      const candidates = pending.filter(([, answer]) => first(answer) === first(next))
      const fits = candidates.find(([append, answer]) => same(model.append(append), answer))
      expect(fits, `one of ${JSON.stringify(candidates)} to be what the log did next`).toBeDefined()
      pending.splice(pending.indexOf(fits!), 1)
    }
    expect(events.map(inWords)).toEqual(words(model))
    return model
  }

  test("appends are atomic and linear, and refusals are true at some moment", async () => {
    await fc.assert(
      fc.asyncProperty(program(30), fc.integer({ min: 1, max: 2 }), async (steps, engines) => {
        const run = (runs += 1)
        const following = await followed(await log.engine.settled())
        const others = engines === 2 ? [await log.open()] : []
        const all = [log.engine, ...others]
        const made = await Promise.all(
          steps.map(async (step, nth) => {
            const append = appendOf(step, run)
            return [append, await send(all[nth % all.length]!, append)] as const
          })
        )
        await Promise.all(others.map((one) => one.close()))
        const events = await following.all()
        const model = explained(made, events)
        for (const [append, answer] of made) {
          if (answer.tag === "conflict") {
            const part = append.find(({ stream }) => stream === answer.stream)!
            expect(answer.actual).toBeLessThanOrEqual(model.version(answer.stream))
            expect(part.expected).not.toBe("any")
            expect(
              part.expected === "none"
                ? answer.actual > 0
                : part.expected === "exists"
                  ? answer.actual === 0
                  : answer.actual !== part.expected
            ).toBe(true)
          }
          if (answer.tag === "duplicate") {
            // Only an id that is in the log by the end, or stands twice, makes a duplicate.
            const ids = append.flatMap((part) => part.events.map(({ id }) => id))
            const there = new Set(events.map(({ id }) => id))
            expect(new Set(ids).size < ids.length || ids.some((id) => there.has(id))).toBe(true)
          }
        }
      }),
      { numRuns: 40 }
    )
  })

  test("each stream has versions 1 to n, read as it was delivered", async () => {
    await fc.assert(
      fc.asyncProperty(program(20), async (steps) => {
        const run = (runs += 1)
        const following = await followed(await log.engine.settled())
        await Promise.all(steps.map((step) => send(log.engine, appendOf(step, run))))
        const events = await following.all()
        const positions = events.map(({ position }) => position)
        expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b))
        for (const stream of new Set(events.map((event) => event.stream))) {
          const own = events.filter((event) => event.stream === stream)
          expect(own.map(({ version }) => version)).toEqual(own.map((_, nth) => nth + 1))
          expect(await eventsOf(log.engine, stream)).toEqual(own)
        }
      }),
      { numRuns: 20 }
    )
  })
})

test("the model answers as the rules say", () => {
  const model = new ModelLog()
  const append: Append = [{ stream: "a-1", expected: "none", events: [{ id: "x", type: "T", n: 1 }] }]
  expect(model.append(append)).toEqual({ tag: "appended", versions: [[1]] })
  expect(model.append(append)).toEqual({ tag: "appended", versions: [[1]] })
  expect(model.append([{ ...append[0]!, events: [{ id: "x", type: "T", n: 2 }] }])).toEqual({
    tag: "duplicate"
  })
  expect(model.append([{ ...append[0]!, events: [{ id: "y", type: "T", n: 2 }] }])).toEqual({
    tag: "conflict",
    stream: "a-1",
    actual: 1
  })
})
