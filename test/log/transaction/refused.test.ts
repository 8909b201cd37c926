import { beforeAll, describe, expect, test } from "vitest"
import { InvalidData, Rejected, type Tx, UniqueViolation } from "../../../src/index.ts"
import { testLog, traceOf } from "../test-log.ts"

// What the server does not take of a caller's own statements comes back by class, and says what to do.

const log = testLog()

beforeAll(() =>
  log.db.query(`create table account (
    name text primary key check (length(name) < 10),
    balance integer not null
  )`)
)

const refusals = [
  [
    "a key that is there already",
    "insert into public.account values ('taken', 1)",
    UniqueViolation,
    "take another key"
  ],
  ["a value that is none of its type", "select 'many'::integer", InvalidData, "give a value"],
  [
    "a null where none may be",
    "insert into public.account values ('empty', null)",
    InvalidData,
    "give a value"
  ],
  [
    "what a check refuses",
    "insert into public.account values ('far too long', 1)",
    InvalidData,
    "give a value"
  ],
  ["a table that is not there", "select from public.nowhere", Rejected, "mend what it names"]
] as const

describe("a statement of a caller's transaction", () => {
  beforeAll(() => log.db.query("insert into public.account values ('taken', 0)"))

  test.each(refusals)("with %s rejects by class, and nothing is kept", async (_, sql, refused, advice) => {
    const stream = log.stream()
    const body = async (tx: Tx): Promise<void> => {
      tx.emit(stream, { type: "Opened" })
      await tx.query("insert into public.account values ('first', 1)")
      await tx.query(sql)
    }
    const thrown: unknown = await log.engine.transaction(body).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(refused)
    expect((thrown as Error).message).toContain(`Nothing of the statement was done; ${advice}`)
    expect(await traceOf(log.db, stream)).toEqual({ events: 0, heads: 0 })
    expect(await log.db.query("select name from public.account")).toEqual([{ name: "taken" }])
  })
})
