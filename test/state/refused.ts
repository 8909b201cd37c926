import { expect, test } from "vitest"
import type { EngineState } from "../../src/state.ts"
import type { TestLog } from "../log/test-log.ts"

/** What is asked, what it is refused with, and what that says. */
export type Row = readonly [
  what: string,
  ask: () => Promise<unknown>,
  error: new (...given: never) => Error,
  message: RegExp
]

/** Tests that each row is refused so, and that nothing is written by that: not to these states, nor anywhere in the log. */
export const rowsRefused =
  (log: TestLog, states: () => ReadonlyArray<EngineState>) =>
  (rows: ReadonlyArray<Row>): void =>
    test.each(rows)("%s", async (_, ask, error, message) => {
      const written = async () => [
        await Promise.all(states().map((state) => state.read())),
        await log.db.query("select count(*) from tidemark.log_events")
      ]
      const before = await written()
      const thrown = await ask().then(
        (value) => ({ value }),
        (refusal: unknown) => refusal
      )
      expect(thrown).toBeInstanceOf(error)
      expect((thrown as Error).message).toMatch(message)
      expect(await written()).toEqual(before)
    })
