import { describe, expect, test } from "vitest"
import { History, type Seen } from "./support/history.ts"

const event = (position: number, version = position, stream = "order-1"): Seen => ({
  position,
  id: `id-${position}`,
  stream,
  version,
  content: `content ${position}`
})

const sound = () => {
  const history = new History()
  const log = [event(1), event(2), event(5, 3)]
  history.sent([log[0]!, log[1]!])
  history.acknowledged([log[0]!, log[1]!])
  history.sent([log[2]!])
  const read = history.reads("reader")
  return { history, log, read }
}

describe("a history of what writers and readers saw", () => {
  test("has nothing to say where all is well", () => {
    const { history, log, read } = sound()
    log.forEach(read)
    expect(history.violations(log)).toEqual([])
    expect(history).toMatchObject({ acknowledgedEvents: 2, unanswered: 1 })
  })

  test("notices an acknowledged event that is not in the log", () => {
    const { history, log } = sound()
    expect(history.violations([log[0]!])).toContain("I1: id-2 was acknowledged at 2 and is not in the log")
  })

  test("notices an append of which only a part is there", () => {
    const { history, log, read } = sound()
    log.slice(1).forEach(read)
    expect(history.violations(log.slice(1))).toContain(
      "I2: 1 of the 2 events of one append are in the log (id-1)"
    )
  })

  test("notices a retry that was given another place", () => {
    const { history, log, read } = sound()
    log.forEach(read)
    history.acknowledged([event(1), event(3)])
    expect(history.violations(log)).toHaveLength(1)
    history.acknowledged([event(1)])
    expect(history.violations(log)).toHaveLength(2)
  })

  test("notices a refused append that is there all the same", () => {
    const { history, log, read } = sound()
    log.forEach(read)
    history.refused("id-5")
    expect(history.violations(log)).toEqual([
      "I2: id-5 is in the log, and its caller was told that it is not"
    ])
  })

  test("notices changed content, in the log and at the reader", () => {
    const { history, log, read } = sound()
    const changed = { ...log[0]!, content: "something else" }
    log.forEach(read)
    expect(history.violations([changed, log[1]!, log[2]!])).toHaveLength(2)
  })

  test("notices an id that is there twice, and a hole in a stream", () => {
    const { history, log, read } = sound()
    const more = [...log, { ...event(7, 5), id: "id-5" }]
    more.forEach(read)
    expect(history.violations(more)).toEqual(
      expect.arrayContaining([
        "I2: id-5 is in the log twice, again at 7",
        "I3: order-1 goes from version 3 to 5 at position 7"
      ])
    )
  })

  test("notices what a reader was never given, given twice, given out of order, or given out of nowhere", () => {
    const { history, log, read } = sound()
    for (const one of [log[0]!, log[2]!, log[1]!, log[1]!, event(9)]) read(one)
    expect(history.violations(log)).toEqual([
      "I4: reader was given 2 after 5",
      "I4: reader was given 2 after 5",
      "I5: reader was given 9, which is not in the log"
    ])
    const other = history.reads("other", 1)
    other(log[1]!)
    expect(history.violations(log)).toContain("I5: other was never given 5 (order-1)")
  })

  test("tells the first few of many and how many there are", () => {
    const history = new History()
    history.reads("reader")
    const log = Array.from({ length: 20 }, (_, at) => event(at + 1))
    expect(history.violations(log)).toHaveLength(6)
    expect(history.violations(log).at(-1)).toBe("I5: and 15 more")
  })
})
