import { describe, expect, test } from "vitest"
import { collector, deferred, inTime, until, WaitedTooLong } from "./support/eventually.ts"

describe("until", () => {
  test("returns the first truthy answer", async () => {
    let asked = 0
    expect(await until(() => (++asked === 3 ? "third" : undefined))).toBe("third")
    expect(asked).toBe(3)
  })

  test("a probe that throws has not answered yet", async () => {
    let asked = 0
    const answer = await until(async () => {
      if (++asked < 3) throw new Error("not yet")
      return asked
    })
    expect(answer).toBe(3)
  })

  test("fails with what it waited for and the last answer", async () => {
    const failure = until(() => 0, { within: 30, what: "the count to grow" })
    await expect(failure).rejects.toThrow("waited 30 ms for the count to grow; the last answer was 0")
  })

  test("fails with the last error as its cause", async () => {
    const reason = new Error("still broken")
    const failure = until(() => Promise.reject(reason), { within: 30 })
    await expect(failure).rejects.toMatchObject({ name: "WaitedTooLong", cause: reason })
  })

  test("does not hang on a probe that never answers", async () => {
    await expect(until(() => deferred().promise, { within: 30 })).rejects.toThrow(WaitedTooLong)
  })
})

describe("inTime", () => {
  test("passes a value and a failure through", async () => {
    expect(await inTime(Promise.resolve(1))).toBe(1)
    await expect(inTime(Promise.reject(new Error("its own")))).rejects.toThrow("its own")
  })

  test("fails when the time is over", async () => {
    await expect(inTime(deferred().promise, { within: 10, what: "nothing" })).rejects.toThrow(
      "10 ms for nothing"
    )
  })
})

describe("a collector", () => {
  test("reaches a count whether the items come before or after the question", async () => {
    const { push, reaches } = collector<number>()
    push(1)
    expect(await reaches(1)).toEqual([1])
    const three = reaches(3)
    push(2)
    push(3)
    push(4)
    expect(await three).toEqual([1, 2, 3])
  })

  test("finds the first item that matches, even when it is undefined", async () => {
    const { push, first } = collector<number | undefined>()
    const found = first((item) => item === undefined || item > 2)
    push(1)
    push(undefined)
    push(3)
    expect(await found).toBeUndefined()
  })

  test("says how far it came when it waited too long", async () => {
    const { push, reaches } = collector<string>()
    push("only")
    await expect(reaches(2, { within: 20 })).rejects.toThrow("waited 20 ms for 2 items; seen so far: 1")
  })

  test("stops waiting when it ends, and still gives what it has", async () => {
    const { push, reaches, end } = collector<string>()
    push("only")
    const waiting = reaches(2)
    end(new Error("no more"))
    await expect(waiting).rejects.toThrow("no more")
    await expect(reaches(2)).rejects.toThrow("no more")
    expect(await reaches(1)).toEqual(["only"])
  })
})
