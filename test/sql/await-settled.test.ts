import { afterEach, describe, expect, test } from "vitest"
import { inTime, until } from "../support/eventually.ts"
import { type Session, testLog, upTo } from "../log/test-log.ts"

// Rules S3 and C2 in SQL: whom read_log() and settle() wait for, and what settle() may write down for standbys to trust.

const log = testLog()

afterEach(async () => {
  const left = await log.db.query<{ gid: string }>(
    "select gid from pg_prepared_xacts where database = current_database()"
  )
  for (const { gid } of left) await log.db.query(`rollback prepared '${gid}'`)
})

const positionOf = async (sql: string, params: ReadonlyArray<unknown> = []): Promise<number> =>
  Number((await log.db.query<{ at: string }>(sql, params))[0]!.at)

const settledAt = () => positionOf("select tidemark.settled_position() as at")
const settle = (patience: string) => positionOf("select tidemark.settle($1::interval) as at", [patience])
const typesAfter = async (after: number, patience: string) =>
  (
    await log.db.query<{ type: string }>("select type from tidemark.read_log($1, 100, $2::interval)", [
      after,
      patience
    ])
  ).map(({ type }) => type)

const appendIn = (session: Session, type: string) =>
  session.query("select append_events($1, jsonb_build_array(jsonb_build_object('type', $2::text)))", [
    log.stream(),
    type
  ])

/** An append under way, and one after it that was committed. */
const slowAndFast = async () => {
  await log.db.query("select tidemark.settle()")
  const before = await settledAt()
  const slow = await log.session()
  await slow.query("begin")
  await appendIn(slow, "Slow")
  const fast = await log.engine.emit(log.stream(), { type: "Fast" })
  return { before, slow, fast: fast.position, gid: `${log.db.name}_${fast.position}` }
}

const somebodySettles = () =>
  until(
    async () =>
      (
        await log.db.query(
          `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()
             and query ~ 'tidemark.(read_log|settle)'`
        )
      ).length > 0,
    { what: "a function to wait for the append under way" }
  )

/** Long enough for the function to be seen waiting and the other to be prepared; then what it says is not yet settled. */
const SHORT = "2 seconds"
const LONG = "20 seconds"

const ways = [
  ["committed", "commit prepared", ["Slow", "Fast"]],
  ["rolled back", "rollback prepared", ["Fast"]]
] as const

describe("a transaction that was prepared before", () => {
  test("is not settled past, by either function, and nothing is written down", async () => {
    const { before, slow, gid } = await slowAndFast()
    await slow.query(`prepare transaction '${gid}'`)
    expect(await typesAfter(before, "50 ms")).toEqual([])
    expect(await settle("50 ms")).toBe(before)
    expect(await settledAt()).toBe(before)
  })

  test.each(ways)("is waited for until it is %s", async (_, end, expected) => {
    const { before, slow, gid, fast } = await slowAndFast()
    await slow.query(`prepare transaction '${gid}'`)
    const reading = typesAfter(before, LONG)
    await somebodySettles()
    await log.db.query(`${end} '${gid}'`)
    expect(await inTime(reading)).toEqual(expected)
    expect(await settle(LONG)).toBe(fast)
  })
})

describe("a transaction that is prepared while it is waited for", () => {
  test("is not settled past, by either function, and nothing is written down", async () => {
    for (const ask of [
      async (before: number) => (await settle(SHORT)) - before,
      async (before: number) => (await typesAfter(before, SHORT)).length
    ]) {
      const { before, slow, gid } = await slowAndFast()
      const asked = ask(before)
      await somebodySettles()
      await slow.query(`prepare transaction '${gid}'`)
      expect(await asked).toBe(0)
      expect(await settledAt()).toBe(before)
      await log.db.query(`rollback prepared '${gid}'`)
    }
  })

  test.each(ways)("is waited for until it is %s", async (_, end, expected) => {
    const { before, slow, gid } = await slowAndFast()
    const reading = typesAfter(before, LONG)
    await somebodySettles()
    await slow.query(`prepare transaction '${gid}'`)
    await log.db.query(`${end} '${gid}'`)
    expect(await inTime(reading)).toEqual(expected)
  })
})

// A server that prepares a transaction may go on listing it under its backend's number, as PostgreSQL 15 to 18 do until they are
// restarted, or list it as -1/xid at once: what follows holds for either.
describe("a transaction that is prepared while it is waited for, and listed under another name from then on,", () => {
  test("is waited for to its end", async () => {
    const looks = [["3/5"], ["3/5"], ...times(30, ["-1/700"])]
    const answer = await played(looks)
    expect(answer.settled).toBe(true)
    expect(answer.looks).toBeGreaterThan(looks.length)
  })

  test("is not settled past where it does not end in time", async () => {
    expect(await played([["3/5"], ...times(2_000, ["-1/700"])], "50 ms")).toMatchObject({ settled: false })
  })

  test("is no reason to wait for one that is prepared later still", async () => {
    const looks = [["3/5"], ["3/5"], [], ["-1/700"], ["-1/700", "-1/701"], ["-1/701"], ["-1/701"], ["-1/701"]]
    expect(await played(looks)).toEqual({ settled: true, looks: 6 })
  })
})

/** How often the function looks at the holders where nobody holds: at first, then at each of two sets, and once more for those prepared. */
const LOOKS_AT_NOBODY = 4

/**
 * What await_settled makes of what it is shown, look by look, in a transaction that puts a play in the place of log_holders and is
 * rolled back: no test can hold a backend in the middle of its commit. After the last look nobody holds.
 */
const played = async (looks: ReadonlyArray<ReadonlyArray<string>>, patience = "20 seconds") => {
  const session = await log.session()
  await session.query("begin")
  // Rolled back with the rest, so that no engine can write down meanwhile that it is settled.
  await appendIn(session, "Ahead")
  await session.query("create temporary sequence look")
  await session.query("create temporary table shown (nth bigint, holder text)")
  await session.query(
    `insert into shown select look.nth, holder.name
     from jsonb_array_elements($1::jsonb) with ordinality as look (holders, nth), jsonb_array_elements_text(look.holders) as holder (name)`,
    [JSON.stringify(looks)]
  )
  await session.query(
    `create or replace function log_holders(out holder text, out pid integer) returns setof record language plpgsql as $$
     declare _nth bigint := nextval('look');
     begin return query select shown.holder, null::integer from shown where nth = _nth; end $$`
  )
  const [answer] = await session.query<{ settled: boolean; looks: number }>(
    `select at = (select max(position) from log_events) as settled, currval('look')::integer as looks
     from (select await_settled($1::interval) as at offset 0) asked`,
    [patience]
  )
  await session.query("rollback")
  return answer!
}

const times = <A>(count: number, one: A) => upTo(count).map(() => one)

describe("a backend in the second phase of its commit", () => {
  test("is waited for as long as it is listed without a number", async () => {
    const looks = [["3/5"], ["3/5"], ...times(30, ["3/0"])]
    const answer = await played(looks)
    expect(answer.settled).toBe(true)
    expect(answer.looks).toBeGreaterThan(looks.length)
  })

  test("is not settled past where it does not end in time", async () => {
    expect(await played([["3/5"], ...times(2_000, ["3/0"])], "50 ms")).toMatchObject({ settled: false })
  })

  test("is no reason to wait where another backend was waited for", async () => {
    const answer = await played([["3/5"], ...times(30, ["13/0"])])
    expect(answer).toEqual({ settled: true, looks: LOOKS_AT_NOBODY })
  })
})

describe("still_held", () => {
  const held = async (before: ReadonlyArray<string>, now: ReadonlyArray<string>) => {
    const session = await log.session()
    await session.query("begin")
    await session.query("create temporary table shown as select unnest($1::text[]) as holder", [now])
    await session.query(
      `create or replace function log_holders(out holder text, out pid integer) returns setof record language plpgsql as $$
       begin return query select shown.holder, null::integer from shown; end $$`
    )
    const [row] = await session.query<{ held: boolean }>("select still_held($1::text[]) as held", [before])
    await session.query("rollback")
    return row!.held
  }

  test.each([
    [["3/5"], ["3/5"], true],
    [["3/5", "4/9"], ["4/9"], true],
    [["3/5"], [], false],
    [["3/5"], ["3/6"], false],
    [["3/5"], ["13/5", "3/51", "5/3"], false],
    [["3/5"], ["3/0"], true],
    [["4/9", "3/5"], ["3/0", "7/1"], true],
    [["3/5"], ["4/0", "13/0", "30/0"], false],
    [["-1/700"], ["-1/700"], true],
    [["-1/700"], ["-1/701"], false],
    [[], ["3/5", "3/0", "-1/700"], false]
  ])("of %j, where %j are listed, is %s", async (before, now, expected) => {
    expect(await held(before, now)).toBe(expected)
  })
})
