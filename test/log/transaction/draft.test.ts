import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Draft } from "../../../src/log/draft.ts"
import { VersionConflict } from "../../../src/log/error.ts"
import type { ExpectedVersion } from "../../../src/log/event.ts"
import type { Request } from "../../../src/log/request.ts"

// What a transaction emits in several steps is appended in one: what each step expects is brought back to the beginning.

interface Step {
  readonly stream: string
  readonly expected: ExpectedVersion
  readonly events: number
}

let made = 0

const request = ({ stream, expected, events }: Step): Request => ({
  events,
  bytes: events,
  ownIds: false,
  parts: [
    {
      stream,
      expected,
      rows: Array.from({ length: events }, () => {
        made += 1
        return { id: `${made}`, stream, type: "T", data: "{}", labels: [], meta: "{}", schemaVersion: 1 }
      })
    }
  ]
})

/** The draft's verdict, as the expected version of its stream's first part, or the conflict. */
const drafted = (...steps: ReadonlyArray<readonly [ExpectedVersion, number]>) => {
  const draft = new Draft()
  for (const [expected, events] of steps) {
    const conflict = draft.add(request({ stream: "s", expected, events }))
    if (conflict instanceof VersionConflict) return { expected: conflict.expected, actual: conflict.actual }
  }
  return draft.take().parts[0]?.expected
}

describe("what a stream is expected to be before a draft", () => {
  test.each<readonly [string, ReadonlyArray<readonly [ExpectedVersion, number]>, ExpectedVersion]>([
    ["is what the only emit says", [["exists", 1]], "exists"],
    [
      "stays what the first says when the next says any",
      [
        ["none", 1],
        ["any", 2]
      ],
      "none"
    ],
    [
      "stays what the first says when the next only wants it to exist, which it then does",
      [
        ["any", 1],
        ["exists", 1]
      ],
      "any"
    ],
    [
      "is none when a new stream is expected to be at what the draft adds",
      [
        ["none", 2],
        [2, 1]
      ],
      "none"
    ],
    [
      "is a version when a later one names what it is by then",
      [
        ["any", 2],
        [5, 1]
      ],
      3
    ],
    [
      "is a version when it must exist and a later one names it",
      [
        ["exists", 2],
        [3, 1]
      ],
      1
    ],
    [
      "is none's version when any is followed by what the draft alone adds",
      [
        ["any", 2],
        [2, 1]
      ],
      0
    ],
    [
      "stays the version that all agree on",
      [
        [4, 1],
        [5, 2],
        [7, 1]
      ],
      4
    ]
  ])("%s", (_, steps, expected) => {
    expect(drafted(...steps)).toBe(expected)
  })

  test.each<
    readonly [
      string,
      ReadonlyArray<readonly [ExpectedVersion, number]>,
      { expected: ExpectedVersion; actual: number }
    ]
  >([
    [
      "none after an emit to the same stream",
      [
        ["any", 2],
        ["none", 1]
      ],
      { expected: "none", actual: 2 }
    ],
    [
      "a version that a new stream cannot have",
      [
        ["none", 2],
        [3, 1]
      ],
      { expected: 3, actual: 2 }
    ],
    [
      "a version below what the draft adds",
      [
        ["any", 3],
        [2, 1]
      ],
      { expected: 2, actual: 3 }
    ],
    [
      "a version of a stream that must exist which leaves it nothing before",
      [
        ["exists", 2],
        [2, 1]
      ],
      { expected: 2, actual: 2 }
    ],
    [
      "another version than the first named",
      [
        [4, 2],
        [5, 1]
      ],
      { expected: 5, actual: 6 }
    ]
  ])("cannot be %s", (_, steps, conflict) => {
    expect(drafted(...steps)).toEqual(conflict)
  })
})

test("a draft that was taken begins anew", () => {
  const draft = new Draft()
  draft.add(request({ stream: "s", expected: "none", events: 2 }))
  expect(draft.take().events).toBe(2)
  expect(draft.isEmpty).toBe(true)
  expect(draft.take()).toMatchObject({ parts: [], events: 0 })
  expect(draft.add(request({ stream: "s", expected: 2, events: 1 }))).toBeUndefined()
  expect(draft.take().parts[0]?.expected).toBe(2)
})

test("a draft accepts and refuses for every version before it just what one emit after the other would", () => {
  const expected = fc.oneof(fc.constantFrom<ExpectedVersion>("any", "none", "exists"), fc.nat(6))
  const step = fc.record({
    stream: fc.constantFrom("a", "b"),
    expected,
    events: fc.integer({ min: 1, max: 3 })
  })
  const holds = (wanted: ExpectedVersion, version: number) =>
    wanted === "any" ||
    (wanted === "none" ? version === 0 : wanted === "exists" ? version > 0 : version === wanted)

  const oneByOne = (steps: ReadonlyArray<Step>, before: Record<string, number>) => {
    const versions = { ...before }
    return steps.every(({ stream, expected, events }) => {
      const met = holds(expected, versions[stream]!)
      versions[stream]! += events
      return met
    })
  }
  const atOnce = (steps: ReadonlyArray<Step>, before: Record<string, number>) => {
    const draft = new Draft()
    if (steps.some((one) => draft.add(request(one)) !== undefined)) return false
    return draft.take().parts.every((part) => holds(part.expected, before[part.stream]!))
  }

  const version = fc.nat(6)
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), version, version, (steps, a, b) => {
      expect(atOnce(steps, { a, b })).toBe(oneByOne(steps, { a, b }))
    }),
    { numRuns: 2_000 }
  )
})

test("a draft keeps every event, in the order in which they were emitted", () => {
  const step = fc.record({
    stream: fc.constantFrom("a", "b", "c"),
    expected: fc.constant<ExpectedVersion>("any"),
    events: fc.integer({ min: 1, max: 3 })
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const requests = steps.map(request)
      const draft = new Draft()
      for (const one of requests) draft.add(one)
      const { parts, events } = draft.take()
      const ids = (all: ReadonlyArray<Request["parts"][number]>) =>
        all.flatMap(({ rows }) => rows.map(({ id }) => id))
      expect(ids(parts)).toEqual(ids(requests.flatMap((one) => one.parts)))
      expect(events).toBe(ids(parts).length)
    })
  )
})
