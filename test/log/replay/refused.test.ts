import { beforeAll, describe, expect, test } from "vitest"
import { encodeToken } from "../../../src/base/token.ts"
import type { ReplayOptions } from "../../../src/index.ts"
import { testLog } from "../test-log.ts"
import { replayed } from "./replayed.ts"

const log = testLog()

beforeAll(async () => {
  for (const type of ["One", "Two", "Three"]) await log.engine.emit("order-1", { type })
})

describe("a replay is refused", () => {
  const refused = (options: unknown) => replayed(log.engine, options as ReplayOptions)

  test.each<readonly [string, unknown, string, string]>([
    ["a stream that is none", { streams: ["order"] }, "InvalidName", "malformed"],
    ["an empty list", { types: [] }, "InvalidArgument", "leave the field out"],
    [
      "an option that is misspelt",
      { stream: ["order-1"] },
      "InvalidArgument",
      'no option "stream": give some of from'
    ],
    ["options that are none", null, "InvalidArgument", "takes an object"],
    ["from now", { from: "now" }, "InvalidArgument", 'give "start"'],
    ["from a Date", { from: new Date() }, "InvalidArgument", 'give "start"'],
    ["to the start", { to: "start" }, "InvalidArgument", "give a position or a token"],
    ["to nothing", { to: null }, "InvalidArgument", "give a position or a token"],
    ["a position that is none", { from: 1.5 }, "InvalidArgument", "no position"],
    ["a position below 0", { to: -1 }, "InvalidArgument", "no position"],
    ["a token that is none", { to: "yesterday" }, "InvalidArgument", "no token"],
    ["from behind to", { from: 3, to: 2 }, "InvalidArgument", "give an earlier from"],
    ["a time without a zone", { since: "2026-01-01T10:00" }, "InvalidArgument", "since is"],
    ["a day that is none", { until: "2026-02-30" }, "InvalidArgument", "until is"],
    ["an hour that is none", { until: "2026-02-03T25:00Z" }, "InvalidArgument", "until is"],
    ["a number as a time", { since: 1_700_000_000 }, "InvalidArgument", "give ISO text"],
    ["a Date that holds none", { since: new Date(Number.NaN) }, "InvalidArgument", "no time"],
    [
      "since behind until",
      { since: "2026-02-02", until: "2026-02-01" },
      "InvalidArgument",
      "not before until"
    ],
    [
      "no time at all in between",
      { since: "2026-02-02", until: "2026-02-02" },
      "InvalidArgument",
      "not before until"
    ],
    ["an empty correlation", { correlation: "" }, "InvalidArgument", "The correlation"],
    [
      "a correlation that no event can carry",
      { correlation: "\u0000" },
      "InvalidArgument",
      "The correlation"
    ],
    ["an agent that is none", { agent: 7 }, "InvalidArgument", "no agent's id"],
    ["a position that is not reached", { from: 1e9 }, "LogRewound", "beyond the head"],
    ["an end that is not reached", { to: 1e9 }, "LogRewound", "beyond the head"]
  ])("for %s, and says what to give", async (_, options, tag, words) => {
    const asked = refused(options)
    await expect(asked).rejects.toMatchObject({ _tag: tag })
    await expect(asked).rejects.toThrow(words)
  })

  test("for a token of another log, as its beginning and as its end", async () => {
    const token = encodeToken({ log: "00000000-0000-4000-8000-000000000000", epoch: 1, position: 1 })
    for (const options of [{ from: token }, { to: token }])
      await expect(refused(options)).rejects.toMatchObject({ _tag: "LogRewound" })
  })
})
