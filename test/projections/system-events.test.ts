import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import {
  asBadAs,
  SEVERITIES,
  type Severity,
  SYSTEM_EVENT,
  SYSTEM_LOG
} from "../../projections/system-events/events.ts"
import { type Event, open } from "../../src/index.ts"
import { collector } from "../support/eventually.ts"
import { scene } from "../projection/scene.ts"

const { db, start } = scene()

const MINUTE_MS = 60_000
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS)

const projected = async () => {
  const one = await start()
  return { one, events: await one.project(builtIn.system_events) }
}

interface Logged {
  readonly type: string
  readonly agent: string | undefined
  readonly severity: Severity
  readonly minutes: number
  readonly isCut: boolean
}

type Wanted = {
  readonly type: string | undefined
  readonly agent: string | undefined
  readonly severity: Severity | undefined
  readonly limit: number
}

describe("system events", () => {
  it("are kept for ever from WARNING on, and are telemetry below", async () => {
    const { one, events } = await projected()
    for (const severity of SEVERITIES) await one.run(events.log({ type: "t", severity }))
    await one.run(events.log({ type: "t" }))
    const severities = async (table: string) =>
      (
        await db.query<{ severity: string }>(
          `select data ->> 'severity' as severity from tidemark.${table} order by position`
        )
      ).map(({ severity }) => severity)
    expect(await severities("events")).toEqual(["WARNING", "ERROR", "CRITICAL"])
    expect(await severities("telemetry")).toEqual(["DEBUG", "INFO", "INFO"])
    expect(await one.run(events.list())).toHaveLength(6)
  })

  it("tell what happened, to whom, and when by either clock", async () => {
    const { one, events } = await projected()
    const occurredAt = ago(3)
    const { position } = await one.run(
      events.log({ type: "disk full", data: { free: [0] }, agent: "a-1", severity: "ERROR", occurredAt })
    )
    const plain = await one.run(events.log({ type: "woke" }))
    const [newest, older] = await one.run(events.list())
    expect(newest).toMatchObject({
      id: plain.position,
      type: "woke",
      data: null,
      agent: null,
      severity: "INFO",
      occurredAt: null
    })
    expect(newest!.timestamp).toEqual(newest!.recordedAt)
    expect(older).toMatchObject({
      id: position,
      type: "disk full",
      data: { free: [0] },
      agent: "a-1",
      severity: "ERROR",
      timestamp: occurredAt,
      occurredAt
    })
  })

  it("are counted by severity, in the last 24 hours or in the time asked for", async () => {
    const { one, events } = await projected()
    await one.run(events.log({ type: "t" }))
    await one.run(events.log({ type: "t", severity: "ERROR", occurredAt: ago(10) }))
    await one.run(events.log({ type: "t", severity: "ERROR", occurredAt: ago(25 * 60) }))
    const none = { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0, CRITICAL: 0 }
    expect(await one.run(events.counts())).toEqual({ ...none, INFO: 1, ERROR: 1 })
    expect(await one.run(events.counts({ since: ago(26 * 60) }))).toEqual({ ...none, INFO: 1, ERROR: 2 })
    const old = await one.run(events.counts({ since: ago(26 * 60), until: ago(60) }))
    expect(old).toEqual({ ...none, ERROR: 1 })
  })

  it("begin with since, and end before until", async () => {
    const { one, events } = await projected()
    const [first, second] = [ago(2), ago(1)]
    for (const occurredAt of [first, second]) await one.run(events.log({ type: "t", occurredAt }))
    const times = async (period: { readonly since?: Date; readonly until?: Date }) =>
      (await one.run(events.list(period))).map(({ timestamp }) => timestamp)
    expect(await times({ since: first, until: second })).toEqual([first])
    expect(await times({ since: second })).toEqual([second])
    expect(await times({ since: second, until: first })).toEqual([])
    expect(await one.run(events.counts({ since: first, until: second }))).toMatchObject({ INFO: 1 })
  })

  it("of which nothing is said any more, or nonsense, still say that something was", async () => {
    const { one, events } = await projected()
    await db.query("select tidemark.append_events('system_event-x', $1)", [
      '[{"type":"SystemEventLogged","data":{}},{"type":"SystemEventLogged","data":{"type":"odd","severity":"FATAL","occurredAt":"now"}}]'
    ])
    const [row] = await db.query<{ position: number }>(
      "select max(position)::integer as position from tidemark.events"
    )
    await one.reaches("system_events", row!.position)
    const told = await one.run(events.list())
    expect(told.map(({ type, severity, occurredAt }) => [type, severity, occurredAt])).toEqual([
      ["odd", "INFO", null],
      ["unknown", "INFO", null]
    ])
  })

  it("come live to who follows their categories, types and labels, whoever logs them", async () => {
    await using one = await open({ database: db.url })
    await using other = await open({ database: db.url })
    const all = collector<string>()
    const bad = collector<string>()
    const categories = [SYSTEM_EVENT, SYSTEM_LOG]
    const types = ["SystemEventLogged"]
    const labels = ["severity:ERROR", "severity:CRITICAL"]
    const typeOf = ({ data }: Event) => (data as { readonly type: string }).type
    await other.subscribe({ categories, types }, (event) => all.push(typeOf(event)))
    await other.subscribe({ categories, types, labels }, (event) => bad.push(typeOf(event)))
    await one.emit("system_event-x", { type: "SomethingElse" })
    await one.emit("agent-x", { type: "SystemEventLogged", data: { type: "elsewhere", severity: "ERROR" } })
    await one.systemEvents.log({ type: "a" })
    await one.systemEvents.log({ type: "b", agent: "x", severity: "ERROR" })
    await one.systemEvents.log({ type: "c", severity: "WARNING" })
    await one.systemEvents.log({ type: "d", severity: "CRITICAL" })
    expect(await all.reaches(4)).toEqual(["a", "b", "c", "d"])
    expect(await bad.reaches(2)).toEqual(["b", "d"])
  })
})

describe("a list of system events", () => {
  const logged = fc.record({
    type: fc.constantFrom("start", "stop"),
    agent: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
    severity: fc.constantFrom(...SEVERITIES),
    /** How long ago; few, so that several happen at once. */
    minutes: fc.integer({ min: 1, max: 4 }),
    isCut: fc.boolean()
  })
  const wanted = fc.record({
    type: fc.option(fc.constantFrom("start", "stop"), { nil: undefined }),
    agent: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
    severity: fc.option(fc.constantFrom(...SEVERITIES), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 4 })
  })

  it("has what is asked for, page by page, the newest first, live as rebuilt", async () => {
    const { one, events } = await projected()
    const now = Date.now()
    const told: Array<
      { readonly id: number; readonly at: number } & Pick<Logged, "type" | "agent" | "severity">
    > = []
    const log = async ({ type, agent, severity, minutes, isCut }: Logged) => {
      const occurredAt = new Date(now - minutes * MINUTE_MS)
      const said = { type, severity, ...(agent !== undefined && { agent }) }
      const { position } = await one.run(events.log({ ...said, occurredAt }))
      told.push({ id: position, at: occurredAt.getTime(), type, agent, severity })
      if (isCut) await one.reaches("system_events", position)
    }
    const matching = ({ type, agent, severity = "DEBUG" }: Wanted) =>
      told
        .filter(
          (event) =>
            (type === undefined || event.type === type) &&
            (agent === undefined || event.agent === agent) &&
            asBadAs(severity).includes(event.severity)
        )
        .toSorted((event, before) => before.at - event.at || before.id - event.id)
        .map(({ id }) => id)
    const listed = async ({ limit, ...asked }: Wanted) => {
      const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
      const ids: Array<number> = []
      for (;;) {
        const before = ids.at(-1)
        const page = await one.run(events.list({ ...given, limit, ...(before !== undefined && { before }) }))
        ids.push(...page.map(({ id }) => id))
        if (page.length < limit) return ids
      }
    }
    const property = fc.asyncProperty(
      fc.array(logged, { minLength: 1, maxLength: 8 }),
      fc.array(wanted, { minLength: 4, maxLength: 4 }),
      async (some, questions) => {
        for (const event of some) await log(event)
        for (const question of questions) expect(await listed(question)).toEqual(matching(question))
        await one.rebuild(builtIn.system_events, { verify: true, keep: 0 })
        for (const question of questions) expect(await listed(question)).toEqual(matching(question))
      }
    )
    await fc.assert(property, { numRuns: 8 })
  })

  it("is empty before an event that there is not", async () => {
    const { one, events } = await projected()
    const { position } = await one.run(events.log({ type: "t" }))
    expect(await one.run(events.list({ before: position + 1 }))).toEqual([])
  })

  it("counts what it lists", async () => {
    const { one, events } = await projected()
    for (const severity of SEVERITIES)
      for (let time = 0; time <= SEVERITIES.indexOf(severity); time++)
        await one.run(events.log({ type: "t", severity }))
    const counted = await one.run(events.counts())
    for (const severity of SEVERITIES) {
      const worse = asBadAs(severity).reduce((sum, one) => sum + counted[one], 0)
      expect(await one.run(events.list({ severity }))).toHaveLength(worse)
    }
  })
})
