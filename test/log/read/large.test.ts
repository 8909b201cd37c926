import { describe, expect, test } from "vitest"
import { startWorker, type Worker } from "../../support/process.ts"
import { testLog, upTo } from "../test-log.ts"

// Events of 1 MiB: all of them at once would take more memory than the readers of these tests are given.

const log = testLog()

const count = 210
const textBytes = 1_048_000
const mebibyte = 1024 * 1024

/** For what a reader keeps, in MiB: 23 of code, and five pages of 9 at most (received, ahead, handled, buffered, queued). */
const heap = 120

/** The heap, and what lies beside it: the pieces that rows come in. */
const mostGrowth = 200 * mebibyte

/** On a machine that has much else to do. */
const patience = { within: 150_000 }

interface Said {
  readonly versions: ReadonlyArray<number>
  readonly grownBy: number
}

const appendLarge = async (stream: string): Promise<void> => {
  const batch = 10
  for (let from = 1; from <= count; from += batch) {
    await log.db.query(
      `select from tidemark.append_events($1, (
         select jsonb_agg(jsonb_build_object('type', 'Large', 'data', jsonb_build_object('n', n, 'text', repeat('x', $2))))
         from generate_series($3::integer, $4) n))`,
      [stream, textBytes, from, from + batch - 1]
    )
    await log.db.query("select tidemark.wake()")
  }
}

const reader = (stream: string, way: string): Worker<Said | "follows"> =>
  startWorker("large-reader", {
    input: { database: log.db.url, stream, count, way },
    env: { NODE_OPTIONS: `--max-old-space-size=${heap}` }
  })

const judge = (said: Said | "follows"): void => {
  if (said === "follows") return expect.unreachable("it says what it read")
  expect(said.versions).toEqual(upTo(count))
  expect(said.grownBy).toBeLessThan(mostGrowth)
}

describe("events of 1 MiB are had whole and in order, in bounded memory:", { timeout: 200_000 }, () => {
  const written = "large-1"

  test("live", async () => {
    await using worker = reader(written, "live")
    await worker.says(1)
    await appendLarge(written)
    const [, said] = await worker.says(2, patience)
    judge(said!)
  })

  test.concurrent.each([
    ["of a stream", "read"],
    ["of the past of the log, by a filter", "replay"],
    ["of the log, by a subscriber", "subscribe"],
    ["of the log, by a filter and in a loop", "events"]
  ])("%s", async (_, way) => {
    await using worker = reader(written, way)
    const [said] = await worker.says(1, patience)
    judge(said!)
  })
})
