import { expect } from "vitest"
import type { ReplayOptions } from "../../../src/index.ts"
import type { TestDatabase } from "../../support/database.ts"
import { startWorker } from "../../support/process.ts"

const mebibyte = 1024 * 1024

/** For what a replaying process keeps, in MiB: far less than the events that it goes through. */
const HEAP = 64
const MOST_GROWTH = 8 * mebibyte

const EVENTS_PER_INSERT = 250_000

/** Fills an empty log with whole streams, through the table itself. */
export const fill = async (db: TestDatabase, events: number): Promise<void> => {
  for (let first = 0; first < events; first += EVENTS_PER_INSERT)
    await db.query(
      `insert into tidemark.events (id, stream, version, type, data, meta)
       select gen_random_uuid(), 'long-' || n / 100, n % 100 + 1, 'StepTaken',
         jsonb_build_object('step', n, 'tool', 'search', 'output', repeat('x', 200)),
         jsonb_build_object('actor', 'a' || n % 10)
       from generate_series($1::integer, $2::integer) n`,
      [first, Math.min(events, first + EVENTS_PER_INSERT) - 1]
    )
}

/** A process of its own, with a small heap, gets so many events, and no more memory for many than for few. */
export const expectBounded = async (
  db: TestDatabase,
  options: ReplayOptions,
  count: number,
  within = 60_000
): Promise<number> => {
  await using worker = startWorker<{ count: number; isInOrder: boolean; grownBy: number; ms: number }>(
    "replayer",
    {
      input: { database: db.url, options },
      env: { NODE_OPTIONS: `--max-old-space-size=${HEAP} --expose-gc` }
    }
  )
  const [said] = await worker.says(1, { within })
  expect(said).toMatchObject({ count, isInOrder: true })
  expect(said!.grownBy).toBeLessThan(MOST_GROWTH)
  return said!.ms
}
