import { describe, expect, test } from "vitest"
import type { Engine } from "../../../src/index.ts"
import { collector, until } from "../../support/eventually.ts"
import { openSession, type Session, testLog } from "../test-log.ts"

// What the rules are for: each scene is played once as the log is, where nothing is missed, and once with the rule taken
// out of the schema, where an event is. Without the second half nobody would know whether the first can fail.

const log = testLog()

interface Scene {
  readonly engine: Engine
  readonly session: () => Promise<Session>
}

/** Plays a scene in a database of its own, and returns what a subscriber from the start heard when all was over. */
const played = async (
  change: ReadonlyArray<string>,
  play: (scene: Scene) => Promise<void>
): Promise<ReadonlyArray<string>> => {
  const url = await log.db.fresh()
  const engine = await log.open({ database: url })
  const opened: Array<Session> = []
  const session = async () => {
    const one = await openSession(url)
    opened.push(one)
    return one
  }
  const admin = await session()
  const heard = collector<string>()
  const subscription = await engine.subscribe({ from: "start" }, ({ type }) => heard.push(type))
  await engine.emit("order-0", { type: "Begin" })
  await heard.reaches(1)
  for (const statement of change) await admin.query(statement)
  await play({ engine, session })
  // Where a rule is broken, an end may be missed as well; or all of it, by an engine that looks again and finds the log unsound.
  const ended = until(async () => {
    await engine.emit("order-0", { type: "End" })
    return heard.first((type) => type === "End", { within: 200 })
  })
  await (change.length === 0 ? ended : ended.catch(() => undefined))
  await subscription.stop()
  await Promise.all(opened.map((one) => one.close()))
  const end = heard.items.indexOf("End")
  return heard.items.slice(1, end === -1 ? undefined : end)
}

const insert = (type: string, position = "nextval('log_position')") =>
  `insert into events (position, id, stream, version, type, data)
    values (${position}, gen_random_uuid(), 'raw-${type}', 1, '${type}', '{}')`

describe("S1: an insert in plain SQL, that another overtakes,", () => {
  const insertIn =
    (statement: string) =>
    async ({ engine, session }: Scene) => {
      const slow = await session()
      await slow.query("begin")
      await slow.query(statement)
      const overtaking = collector<string>()
      const watching = await engine.subscribe({ from: "start", streams: ["order-1"] }, ({ type }) =>
        overtaking.push(type)
      )
      await engine.emit("order-1", { type: "Fast" })
      // With the lock the tail stands; without it, it delivers and is past.
      await overtaking.reaches(1, { within: 300 }).catch(() => {})
      await slow.query("commit")
      await watching.stop()
    }

  test.each([
    ["with values", insert("Slow")],
    [
      "with select",
      `insert into events (id, stream, version, type, data) select gen_random_uuid(), 'raw-Slow', 1, 'Slow', '{}'`
    ],
    ["in a CTE", `with one as (${insert("Slow")} returning position) select * from one`],
    [
      "through the default position",
      "insert into events (id, stream, version, type, data) values (gen_random_uuid(), 'raw-Slow', 1, 'Slow', '{}')"
    ],
    ["straight into a partition of telemetry", insert("Slow").replace("events", "telemetry_0")],
    ["into telemetry", insert("Slow").replace("events", "telemetry")]
  ])("is not missed: %s", async (_, statement) => {
    expect(await played([], insertIn(statement))).toEqual(["Slow", "Fast"])
  })

  test("is missed without the trigger", async () => {
    const change = ["drop trigger lock_before_position on events"]
    expect(await played(change, insertIn(insert("Slow")))).toEqual(["Fast"])
  })

  test("is missed in a partition without a trigger of its own", async () => {
    const change = ["drop trigger lock_before_position on telemetry_0"]
    expect(await played(change, insertIn(insert("Slow").replace("events", "telemetry_0")))).toEqual(["Fast"])
  })
})

describe("S2: a session that appends a second time", () => {
  const twice = async ({ engine, session }: Scene) => {
    const one = await session()
    const append = (type: string) =>
      one.query("select append_events($1, jsonb_build_array(jsonb_build_object('type', $2::text)))", [
        `raw-${type}`,
        type
      ])
    await append("First")
    const watching = collector<string>()
    const subscription = await engine.subscribe({ from: "start", streams: ["order-1"] }, ({ type }) =>
      watching.push(type)
    )
    await engine.emit("order-1", { type: "Between" })
    await watching.reaches(1, { within: 300 }).catch(() => {})
    await append("Second")
    await subscription.stop()
  }

  test("is heard of, in the order of commits", async () => {
    expect(await played([], twice)).toEqual(["First", "Between", "Second"])
  })

  test("is missed or out of order where the sequence hands out numbers in blocks", async () => {
    const heard = await played(["alter sequence log_position cache 10"], twice)
    expect(heard).not.toEqual(["First", "Between", "Second"])
  })
})

describe("S5: a page that is settled and read", () => {
  const overtaken = async (
    read: (session: Session) => Promise<ReadonlyArray<{ readonly type?: string }>>
  ) => {
    const url = await log.db.fresh()
    const [slow, fast, reader] = [await openSession(url), await openSession(url), await openSession(url)]
    await slow.query("begin")
    await slow.query("select append_events('a-1', '[{\"type\": \"Slow\"}]')")
    await fast.query("select append_events('a-2', '[{\"type\": \"Fast\"}]')")
    const reading = read(reader)
    await slow.query("select pg_sleep(0.05)")
    await slow.query("commit")
    const types = (await reading).map(({ type }) => type)
    await Promise.all([slow, fast, reader].map((one) => one.close()))
    return types
  }

  test("in two statements has the append that it waited for", async () => {
    expect(
      await overtaken((reader) => reader.query("select type from read_log(0, 100, '5 seconds')"))
    ).toEqual(["Slow", "Fast"])
  })

  test("in one statement has not: the statement's snapshot is older than what it waited for", async () => {
    const atOnce =
      "select type from log_events where position <= (select await_settled('5 seconds')) order by position"
    expect(await overtaken((reader) => reader.query(atOnce))).toEqual(["Fast"])
  })
})

describe("S4: a reader whose snapshot does not move", () => {
  test("misses the append that it waited for, which is why the log refuses it", async () => {
    const url = await log.db.fresh()
    const [slow, reader] = [await openSession(url), await openSession(url)]
    await slow.query("begin")
    await slow.query("select append_events('a-1', '[{\"type\": \"Slow\"}]')")
    await reader.query("select append_events('a-2', '[{\"type\": \"Fast\"}]')")
    await reader.query("begin isolation level repeatable read")
    const seen = () => reader.query("select type from log_events order by position")
    expect(await seen()).toEqual([{ type: "Fast" }])
    await slow.query("commit")
    // Nobody holds any more, and the re-read shows what the first read showed.
    expect(await reader.query("select from log_holders()")).toEqual([])
    expect(await seen()).toEqual([{ type: "Fast" }])
    await expect(reader.query("select await_settled()")).rejects.toMatchObject({ code: "TM003" })
    await Promise.all([slow, reader].map((one) => one.close()))
  })
})
