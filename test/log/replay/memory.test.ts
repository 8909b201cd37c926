import { beforeAll, describe, test } from "vitest"
import type { ReplayOptions } from "../../../src/index.ts"
import { testLog } from "../test-log.ts"
import { expectBounded, fill } from "./long-log.ts"

const log = testLog()

const EVENTS = 100_000

beforeAll(() => fill(log.db, EVENTS))

describe("a long log is replayed whole, in order and in bounded memory:", () => {
  test.each<readonly [string, ReplayOptions, number]>([
    ["all of it", {}, EVENTS],
    ["by a time", { since: "2020-01-01" }, EVENTS],
    ["by an agent, every tenth", { agent: "a7" }, EVENTS / 10]
  ])("%s", async (_, options, count) => {
    await expectBounded(log.db, options, count)
  })
})
