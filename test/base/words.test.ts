import { expect, test } from "vitest"
import { count, list, seconds } from "../../src/base/words.ts"

test.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c"], "a, b and c"],
  [["a", "b", "c", "d", "e"], "a, b, c, d and e"],
  [["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"]
])("%j are listed as %j", (names, said) => {
  expect(list(names)).toBe(said)
})

test("one is one, and others are more", () => {
  expect([0, 1, 2].map((many) => count(many, "event", "events"))).toEqual(["0 events", "1 event", "2 events"])
})

test.each([
  [0, "0.0 s"],
  [1_449, "1.4 s"],
  [9_949, "9.9 s"],
  [10_000, "10 s"],
  [75_400, "75 s"]
])("%d ms are %s", (ms, said) => {
  expect(seconds(ms)).toBe(said)
})
