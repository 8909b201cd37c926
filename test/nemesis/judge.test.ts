import { describe, expect, test } from "vitest"
import { type Effect, type Evidence, type Handling, type Said, violations } from "./judge.ts"

// A checker that finds nothing proves nothing: each of its rules is broken here once.

const STREAM = "order-1"

const event = (version: number, position = version) => ({
  position,
  id: `id-${position}`,
  stream: STREAM,
  version,
  content: `content ${position}`
})

const handling = (version: number, at: number, more: Partial<Handling> = {}): Handling => ({
  position: version,
  stream: STREAM,
  version,
  partition: 0,
  epoch: 1,
  pid: 1,
  at,
  ...more
})

const handled = (one: Handling): ReadonlyArray<Said> => [
  { begins: one },
  { ends: { ...one, at: one.at + 1 } }
]

const emitted = (version: number): ReadonlyArray<Said> => {
  const { id, stream, content, position } = event(version)
  return [{ sent: [{ id, stream, content }] }, { acknowledged: [{ id, position, version }] }]
}

const effect = (version: number): Effect => ({ position: version, stream: STREAM, version })

/** Two events of a stream that were emitted, handled and had their effects. */
const sound: Evidence = {
  said: [...emitted(1), ...emitted(2), ...handled(handling(1, 10)), ...handled(handling(2, 20))],
  log: [event(1), event(2)],
  written: [effect(1), effect(2)],
  emitted: [effect(1), effect(2)],
  folded: [effect(1), effect(2)],
  totals: [{ stream: STREAM, events: 2, last: 2, sum: 3 }]
}

const broken: ReadonlyArray<readonly [what: string, rule: string, evidence: Evidence]> = [
  ["an acknowledged event that is not in the log", "I1", { ...sound, said: [...sound.said, ...emitted(3)] }],
  [
    "an event that was begun and never handled to its end",
    "N1",
    {
      ...sound,
      said: [...emitted(1), ...emitted(2), ...handled(handling(1, 10)), { begins: handling(2, 20) }]
    }
  ],
  [
    "an event that was handled and is not in the log",
    "N1",
    { ...sound, said: [...sound.said, ...handled(handling(9, 90, { stream: "order-9", version: 1 }))] }
  ],
  [
    "an event that was begun before the one before it was handled",
    "N2",
    {
      ...sound,
      said: [...emitted(1), ...emitted(2), ...handled(handling(2, 10)), ...handled(handling(1, 20))]
    }
  ],
  [
    "an event that was begun by who had lost its partition",
    "N3",
    {
      ...sound,
      said: [...sound.said, ...handled(handling(2, 30, { epoch: 2 })), ...handled(handling(2, 40))]
    }
  ],
  [
    "a second event that was begun by who had lost its partition in a pause",
    "N3",
    {
      ...sound,
      said: [
        ...sound.said,
        ...handled(handling(2, 30, { epoch: 2, pid: 2 })),
        { resumed: { pid: 1, at: 35 } },
        ...handled(handling(1, 40)),
        ...handled(handling(2, 50))
      ]
    }
  ],
  ["an effect that is missing", "N4", { ...sound, written: [effect(1)] }],
  ["an effect that is there twice", "N4", { ...sound, written: [effect(1), effect(2), effect(2)] }],
  [
    "an effect of an event that is not in the log",
    "N4",
    { ...sound, written: [effect(1), effect(2), effect(3)] }
  ],
  ["an emitted event that is missing", "N4", { ...sound, emitted: [effect(2)] }],
  ["effects out of order", "N5", { ...sound, written: [effect(2), effect(1)] }],
  ["emitted events out of order", "N5", { ...sound, emitted: [effect(2), effect(1)] }],
  ["an event that was folded twice", "N6", { ...sound, folded: [effect(1), effect(1), effect(2)] }],
  ["an event that was not folded", "N6", { ...sound, folded: [effect(2)] }],
  ["a total that is wrong", "N7", { ...sound, totals: [{ stream: STREAM, events: 3, last: 2, sum: 5 }] }],
  ["a total that is missing", "N7", { ...sound, totals: [] }],
  [
    "a total of nothing",
    "N7",
    { ...sound, totals: [...sound.totals, { stream: "order-9", events: 1, last: 1, sum: 9 }] }
  ]
]

describe("the checker", () => {
  test("finds nothing where everything is as it should be, also where events were handled twice", () => {
    expect(violations(sound)).toEqual([])
    const again = [
      ...sound.said,
      ...handled(handling(1, 30, { epoch: 2 })),
      ...handled(handling(2, 40, { epoch: 2 }))
    ]
    expect(violations({ ...sound, said: again })).toEqual([])
  })

  test("excuses what a process was about to begin when it was paused", () => {
    const said = [
      ...sound.said,
      ...handled(handling(2, 30, { epoch: 2, pid: 2 })),
      { resumed: { pid: 1, at: 35 } },
      ...handled(handling(2, 40))
    ]
    expect(violations({ ...sound, said })).toEqual([])
  })

  test.each(broken)("finds %s", (_, rule, evidence) => {
    const found = violations(evidence)
    expect(found.some((violation) => violation.startsWith(rule))).toBe(true)
  })
})
