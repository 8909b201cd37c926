import { Effect } from "effect"
import { expect, test } from "vitest"
import { LogRewound, Unavailable } from "../../../src/log/error.ts"
import { checkPosition, judgePosition, StandbyBehind } from "../../../src/log/resume.ts"
import { SettledRecord } from "../../../src/log/settled-record.ts"
import { OwnWrites } from "../../../src/projection/own-writes.ts"
import { AccessDenied, PostgresError } from "../../../src/postgres/error.ts"
import type { Request } from "../../../src/log/request.ts"

// Rules S7 and S10 on servers that lag or were replaced, without such servers.

const server = (answers: ReadonlyArray<unknown>) => {
  let asked = 0
  const query = () =>
    Effect.suspend(() => {
      const answer = answers[Math.min(asked++, answers.length - 1)]
      return answer instanceof PostgresError
        ? Effect.fail(answer)
        : Effect.succeed({ rows: [answer], count: 1 })
    })
  return { postgres: { schema: "tidemark", query } as never, asked: () => asked }
}

const point = (head: number, standby: boolean, safeUpTo: string | null = null) => ({
  head: String(head),
  safe_up_to: safeUpTo,
  standby
})

test("a position beyond the head is LogRewound on a primary, and only ahead of a standby that lags", async () => {
  const judged = (answer: unknown) => Effect.runPromise(judgePosition(server([answer]).postgres, 9, 1))
  expect(await judged(point(8, false))).toBeInstanceOf(LogRewound)
  expect(await judged(point(8, true))).toEqual(new StandbyBehind(8))
  expect(await judged(point(8, true, "7"))).toBeInstanceOf(LogRewound)
  expect(await judged(point(9, true))).toBeUndefined()
})

test("a standby is waited for, and in the end the failure says how far it was", async () => {
  const catching = server([point(8, true), point(9, true)])
  expect(await Effect.runPromise(checkPosition(catching.postgres, 9, 1))).toBe(9)
  expect(catching.asked()).toBe(2)
  const stuck = Effect.flip(checkPosition(server([point(8, true)]).postgres, 9, 1, 0))
  const error = await Effect.runPromise(stuck)
  expect(error.reason).toBeInstanceOf(Unavailable)
  expect(error.message).toContain("has replayed the log up to 8")
})

const write = (record: SettledRecord, settled: number) =>
  Effect.runPromise(
    Effect.gen(function* () {
      yield* record.writeIfDue(settled)
      yield* Effect.sleep(0)
    })
  )

test("the settled position counts as written down only where it was, and not in another epoch", async () => {
  const record = new SettledRecord(server([{ recorded: false }, { recorded: true }]).postgres)
  await write(record, 5)
  expect(record.isBehind(5)).toBe(true)
  record.forget()
  await write(record, 5)
  expect(record.isBehind(5)).toBe(false)
  record.forget()
  expect(record.isBehind(5)).toBe(true)
})

test("a role that may not write it down leaves it to others", async () => {
  const refused = new PostgresError({ reason: new AccessDenied({ detail: "no" }) })
  const record = new SettledRecord(server([refused]).postgres)
  await write(record, 5)
  expect(record.isBehind(5)).toBe(false)
})

test("what was written in another epoch is waited for no more", () => {
  let epoch = 1
  const writes = new OwnWrites(() => epoch)
  const request = { parts: [{ rows: [{ type: "T" }] }] } as unknown as Request
  writes.note(7, [request])
  expect(writes.of(["T"])).toBe(7)
  epoch = 2
  expect(writes.of(["T"])).toBe(0)
})
