import { AssertionError } from "node:assert"
import { describe, expect, test } from "vitest"
import { type Decider, recordedEvents, testDecider } from "../../src/testing.ts"
import type { Event, NewEvent } from "../../src/index.ts"

class Overdrawn extends Error {}

interface Account {
  readonly balance: number
  readonly seen: ReadonlyArray<Pick<Event, "version" | "position">>
}

const paid = (amount: number): NewEvent => ({ type: "Paid", data: { amount } })

const account: Decider<Account, number, ReadonlyArray<NewEvent>> = {
  initial: () => ({ balance: 10, seen: [] }),
  evolve: ({ balance, seen }, event) => ({
    balance: balance - (event.data as { amount: number }).amount,
    seen: [...seen, { version: event.version, position: event.position }]
  }),
  decide: (amount, { balance }) => {
    if (amount > balance) throw new Overdrawn(`there is no more than ${balance}`)
    return amount === 0 ? [] : [{ ...paid(amount), labels: [`left:${balance - amount}`] }]
  }
}

const spec = testDecider(account)

describe("a decider", () => {
  test("passes where it decides, decides nothing, or fails, as it should", () => {
    spec.given(paid(3)).when(7).then(paid(7))
    spec
      .given(paid(3), paid(3))
      .when(1)
      .then({ ...paid(1), labels: ["left:3"] })
    spec.given(paid(3)).when(0).thenNothing()
    spec.given(paid(3)).when(8).thenFails(Overdrawn)
    spec
      .given()
      .when(11)
      .thenFails((error) => (error as Error).message.endsWith("10"))
  })

  test.each([
    ["another event", () => spec.given().when(1).then(paid(2))],
    [
      "a label that it has not",
      () =>
        spec
          .given()
          .when(1)
          .then({ ...paid(1), labels: ["left:1"] })
    ],
    ["one more event", () => spec.given().when(1).then(paid(1), paid(1))],
    ["no event", () => spec.given().when(1).thenNothing()],
    ["a failure", () => spec.given().when(1).thenFails(Overdrawn)],
    ["another failure", () => spec.given().when(11).thenFails(RangeError)],
    [
      "a failure of which something else holds",
      () =>
        spec
          .given()
          .when(11)
          .thenFails(() => false)
    ]
  ])("does not pass where %s is expected", (_, look) => {
    expect(look).toThrow(AssertionError)
  })

  test("that is asynchronous is looked at asynchronously", async () => {
    const later = testDecider({
      ...account,
      decide: async (amount: number, of) => account.decide(amount, of)
    })
    await later.given().when(1).then(paid(1))
    await later.given().when(11).thenFails(Overdrawn)
    await expect(later.given().when(1).then(paid(2))).rejects.toThrow(AssertionError)
    await expect(later.given().when(1).thenFails(Overdrawn)).rejects.toThrow("decided: Paid")
  })
})

test("recorded events are numbered, and their data are as they come out of a log", () => {
  const at = new Date("2026-01-02T03:04:05Z")
  const events = recordedEvents([paid(1), { ...paid(2), occurredAt: at }, { type: "Closed" }], {
    stream: "a-1",
    after: 4
  })
  expect(events.map(({ version, position, stream }) => [version, position, stream])).toEqual([
    [5, 5, "a-1"],
    [6, 6, "a-1"],
    [7, 7, "a-1"]
  ])
  expect(events.map(({ data }) => data)).toEqual([
    { amount: 1 },
    { amount: 2, occurredAt: at.toISOString() },
    {}
  ])
})
