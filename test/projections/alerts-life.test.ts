import { Stream } from "effect"
import { describe, expect, test } from "vitest"
import { builtIn } from "../../projections/index.ts"
import { foldRule, type RuleRow, ruleEntities } from "../../projections/alert-rules/fold.ts"
import { alertEntities, type AlertRow, foldAlert } from "../../projections/alerts/fold.ts"
import { uuid } from "../../src/base/uuid.ts"
import type { Event } from "../../src/log/event.ts"
import { withSchema } from "../../src/postgres/sql-file.ts"
import { readSql } from "../../src/projection/sql-source.ts"
import { reasonOf, scene } from "../projection/scene.ts"
import { random, seedFor } from "../support/random.ts"
import { eventsIn, type Judged, judged, typesOf } from "./alerts-scene.ts"

// What becomes of rules and alerts, whoever looks, however often, and whenever processes end.

const { db, start } = scene()

const critical = { kind: "system_event", severity: "CRITICAL" } as const

const cry = ({ one, systemEvents }: Judged, agent = "a") =>
  one.run(systemEvents.log({ type: "cry", severity: "CRITICAL", agent }))

const raisedOne = async () => {
  const all = await judged(start)
  await all.set({ rule: "cries", when: critical })
  await cry(all)
  const [raised] = await all.look()
  return { all, alert: raised!.id }
}

describe("rules", () => {
  test("are set as a whole, listed by name, and removed, with who and why", async () => {
    const { rules, one, set } = await judged(start)
    await set({
      rule: "b",
      when: { kind: "missed_beats" },
      by: "ada",
      reason: "new",
      description: "who is gone"
    })
    await set({ rule: "a", when: { kind: "error_rate", above: 0.1 }, severity: "ERROR" })
    await set({ rule: "c", when: { kind: "metric", metric: "m", threshold: 1 }, isEnabled: false })
    const found = await one.run(rules.rules())
    expect(found).toMatchObject([
      {
        rule: "a",
        when: { kind: "error_rate", above: 0.1, atLeast: 1, windowMs: 300_000 },
        severity: "ERROR"
      },
      {
        rule: "b",
        version: 1,
        when: { kind: "missed_beats", from: "late" },
        severity: "WARNING",
        isEnabled: true,
        description: "who is gone",
        setBy: "ada",
        reason: "new"
      },
      { rule: "c", when: { of: "avg", is: "above", forMinutes: 0 }, isEnabled: false, description: null }
    ])
    const page = await one.run(rules.rules({ limit: 1, after: "a" }))
    expect(page.map(({ rule }) => rule)).toEqual(["b"])
    await set({ rule: "b", when: { kind: "missed_beats", from: "lost" } })
    expect(await one.run(rules.rules({ rule: "b" }))).toMatchObject([
      { version: 2, when: { from: "lost" }, setBy: null, description: null, createdAt: found[1]!.createdAt }
    ])
    await one.run(rules.removeRule({ rule: "b", by: "ada" }))
    expect(await one.run(rules.rules({ rule: "b" }))).toEqual([])
    for (const rule of ["b", "never"]) {
      const reason = await reasonOf(one.run(rules.removeRule({ rule })))
      expect(reason).toMatchObject({ _tag: "NotFound", operation: "alerts.removeRule", ids: [rule] })
    }
  })

  test.each([
    ["removed", "rule_removed", ({ one, rules }: Judged) => one.run(rules.removeRule({ rule: "cries" }))],
    [
      "switched off",
      "rule_disabled",
      ({ set }: Judged) => set({ rule: "cries", when: critical, isEnabled: false })
    ],
    [
      "set to what is not so",
      "rule_changed",
      ({ set }: Judged) => set({ rule: "cries", when: { ...critical, atLeast: 9 } })
    ]
  ])("that are %s have their alerts cleared, and raise none", async (_, why, change) => {
    const { all, alert } = await raisedOne()
    await change(all)
    const said = await all.look()
    expect(said.slice(1)).toMatchObject([{ type: "AlertCleared", data: { alert, why } }])
    const reason = await reasonOf(all.one.run(all.alerts.acknowledge({ alert })))
    expect(reason).toMatchObject({ _tag: "NotAllowed", status: "cleared" })
    await cry(all)
    expect(await all.look()).toHaveLength(2)
  })

  test("that are set anew while their condition is met keep their alert", async () => {
    const { all, alert } = await raisedOne()
    await all.set({ rule: "cries", when: { ...critical, windowMs: 600_000 }, severity: "ERROR" })
    expect(await all.look()).toHaveLength(1)
    expect(await all.one.run(all.alerts.list({ status: "open" }))).toMatchObject([{ alert, ruleVersion: 1 }])
  })
})

describe("an alert", () => {
  test("is acknowledged once, while it is open", async () => {
    const { all, alert } = await raisedOne()
    const { alerts, one } = all
    await one.run(alerts.acknowledge({ alert: alert.toUpperCase(), by: "ada", note: "on it" }))
    const [seen] = await one.run(alerts.list({ rule: "cries" }))
    expect(seen).toMatchObject({ status: "open", acknowledgedBy: "ada", note: "on it" })
    expect(seen!.acknowledgedAt).toBeInstanceOf(Date)
    const again = await reasonOf(one.run(alerts.acknowledge({ alert })))
    expect(again).toMatchObject({ _tag: "NotAllowed", status: "acknowledged", allowed: [] })
    await one.run(all.rules.removeRule({ rule: "cries" }))
    const { lastedMs } = (await all.look()).at(-1)!.data as { lastedMs: number }
    expect(lastedMs).toBeGreaterThanOrEqual(0)
    const after = await reasonOf(one.run(alerts.acknowledge({ alert })))
    expect(after).toMatchObject({ _tag: "NotAllowed", status: "cleared" })
    const unknown = uuid()
    const never = await reasonOf(one.run(alerts.acknowledge({ alert: unknown })))
    expect(never).toMatchObject({ _tag: "NotFound", ids: [unknown] })
    expect(await one.run(alerts.list())).toMatchObject([
      {
        alert,
        status: "cleared",
        clearedWhy: "rule_removed",
        clearedValue: null,
        acknowledgedBy: "ada",
        lastedMs
      }
    ])
  })

  test("is found by status, rule, subject and severity, page by page, the newest first", async () => {
    const all = await judged(start)
    await all.set({ rule: "all", when: critical, severity: "CRITICAL" })
    for (const agent of ["a", "b"])
      await all.set({ rule: `of-${agent}`, when: { ...critical, agent }, severity: "INFO" })
    await cry(all, "a")
    await all.look()
    await cry(all, "b")
    await all.look()
    await all.one.run(all.rules.removeRule({ rule: "of-a" }))
    await all.look()
    const found = async (given: Parameters<typeof all.alerts.list>[0]) =>
      (await all.one.run(all.alerts.list(given))).map(({ rule }) => rule)
    const [newest, ...older] = await found({})
    expect([newest, older.toSorted()]).toEqual(["of-b", ["all", "of-a"]])
    expect(await found({ status: "cleared" })).toEqual(["of-a"])
    expect((await found({ status: "open" })).toSorted()).toEqual(["all", "of-b"])
    expect(await found({ severity: "ERROR" })).toEqual(["all"])
    expect(await found({ subject: "b" })).toEqual(["of-b"])
    expect(await found({ rule: "all" })).toEqual(["all"])
    const [{ id }] = (await all.one.run(all.alerts.list({ limit: 1 }))) as unknown as [{ id: number }]
    expect(await found({ before: id, limit: 1 })).toEqual(older.slice(0, 1))
  })
})

describe("those who judge", () => {
  test("raise and clear each alert once, however many there are, in however many looks", async () => {
    const EVALUATORS = 4
    const AGENTS = 20
    const all = await judged(start, EVALUATORS)
    await all.set({ rule: "silent", when: { kind: "missed_beats" } })
    const verdict = { intervalMs: 60_000, heard: 0, lastBeatAt: null, missed: 2 }
    const say = async (type: string, data: object) => {
      for (let nth = 0; nth < AGENTS; nth++) await all.one.emit(`health-${nth}`, { type, data })
    }
    for (let nth = 0; nth < AGENTS; nth++)
      await all.one.emit(`heartbeat-${nth}`, { type: "HeartbeatRecorded", data: {} })
    await say("AgentRanLate", verdict)
    await all.look()
    const raised = await all.look()
    expect(typesOf(raised)).toEqual(Array.from({ length: AGENTS }, () => "AlertRaised"))
    expect(new Set(raised.map(({ data }) => (data as { subject: string }).subject)).size).toBe(AGENTS)
    await say("AgentRecovered", { ...verdict, was: "late" })
    await all.look()
    const said = await all.look()
    expect(typesOf(said.slice(AGENTS))).toEqual(Array.from({ length: AGENTS }, () => "AlertCleared"))
  })

  test("go on where another process ended, and raise nothing twice", async () => {
    const { all, alert } = await raisedOne()
    await all.one.close()
    const next = await judged(start)
    expect(await next.look()).toHaveLength(1)
    await next.one.run(next.rules.removeRule({ rule: "cries" }))
    expect((await next.look())[1]).toMatchObject({ type: "AlertCleared", data: { alert } })
  })

  test("judge all kinds of rules that can be asked, whatever another one fails with", async () => {
    const all = await judged(start)
    await all.set({ rule: "cries", when: critical })
    await all.set({ rule: "silent", when: { kind: "missed_beats" } })
    await cry(all)
    await all.one.emit("heartbeat-x", { type: "HeartbeatRecorded", data: {} })
    const verdict = { intervalMs: 60_000, heard: 0, lastBeatAt: null, missed: 2 }
    await all.one.emit("health-x", { type: "AgentRanLate", data: verdict })
    await db.query("alter view tidemark.system_events rename to elsewhere")
    expect((await all.look()).map(({ stream }) => stream)).toEqual(["alert-silent"])
    await db.query("alter view tidemark.elsewhere rename to system_events")
    expect((await all.look()).map(({ stream }) => stream)).toEqual(["alert-silent", "alert-cries"])
  })

  test("leave out a rule of whose alerts the log has anything that is not folded yet", async () => {
    const { all, alert } = await raisedOne()
    await all.set({ rule: "other", when: critical })
    await all.one.reaches("alert_rules", await all.one.run(all.one.log.settled))
    const sql = withSchema(readSql("#projections/alerts/judged.sql"), "tidemark")
    const rulesAt = async (position: number) =>
      (await db.query<{ rule: string }>(sql, [position])).map(({ rule }) => rule)
    const [{ position }] = (await eventsIn(all.one, "alert")) as unknown as [{ position: number }]
    expect(await rulesAt(position - 1)).toEqual(["other"])
    expect(await rulesAt(position)).toEqual(["cries", "other"])
    expect(alert).not.toBe("")
  })
})

test("an alert that is cleared stays as it was, and only what is said in the stream of its rule counts", () => {
  const id = uuid()
  const event = (stream: string, position: number, type: string, data: object): Event => ({
    stream,
    position,
    id: position === 1 ? id : uuid(),
    version: position,
    type,
    data,
    labels: [],
    meta: { actor: `nr ${position}` },
    recordedAt: new Date(position),
    schemaVersion: 1
  })
  const raise = { severity: "ERROR", kind: "metric", value: 1, threshold: 1, since: "2026-01-31T12:00:00Z" }
  const clear = { alert: id, subject: "a", severity: "ERROR", why: "over", value: 0, lastedMs: 1 }
  const seen = { alert: id, subject: "a" }
  const row = [
    event("alert-r", 1, "AlertRaised", { ...raise, subject: "a", summary: "s", ruleVersion: 1 }),
    event("alert-other", 2, "AlertCleared", clear),
    event("alert-r", 3, "AlertAcknowledged", seen),
    event("alert-r", 4, "AlertAcknowledged", seen),
    event("alert-r", 5, "AlertCleared", clear),
    event("alert-r", 6, "AlertCleared", { ...clear, lastedMs: 2 })
  ].reduce<AlertRow | undefined>(foldAlert, undefined)
  expect(row).toMatchObject({
    status: "cleared",
    cleared_at: new Date(5),
    lasted_ms: 1,
    acknowledged_by: "nr 3",
    acknowledged_at: new Date(3)
  })
})

test("rules and alerts fold alike live, cut anywhere, rebuilt, and event by event in memory", async () => {
  const { chance, oneOf, between } = random(seedFor("alerts"))
  const one = await start()
  await one.project(builtIn.alerts)
  await one.project(builtIn.alert_rules)
  const names = ["a", "b"]
  const ids = [uuid(), uuid(), uuid(), uuid()]
  const set = () => ({
    type: "AlertRuleSet",
    data: {
      when: { kind: "missed_beats", from: oneOf(["late", "lost"]) },
      severity: oneOf(["INFO", "ERROR"]),
      isEnabled: chance(0.5)
    }
  })
  const raise = () => ({
    type: "AlertRaised",
    id: ids.length < 30 && chance(0.9) ? ids[ids.push(uuid()) - 1] : undefined,
    data: {
      subject: oneOf(["x", "y"]),
      severity: "ERROR",
      kind: "missed_beats",
      value: oneOf([null, 0.1, 7]),
      threshold: 1e-7,
      since: "2026-01-31T12:00:00Z",
      summary: "s",
      ruleVersion: between(1, 9)
    }
  })
  const ofAlert = () =>
    oneOf([
      {
        type: "AlertCleared",
        data: { alert: oneOf(ids), subject: "x", severity: "INFO", why: "over", value: 0.5, lastedMs: 12 }
      },
      { type: "AlertAcknowledged", data: { alert: oneOf(ids), subject: "x", note: "n" } }
    ])
  let last = 0
  const STEPS = 120
  for (let step = 0; step < STEPS; step++) {
    const rule = oneOf(names)
    if (chance(0.3))
      last = await one.emit(
        `alertrule-${rule}`,
        set(),
        oneOf([set(), { type: "AlertRuleRemoved", data: {} }])
      )
    else last = await one.emit(`alert-${rule}`, chance(0.5) ? raise() : ofAlert(), ofAlert())
    // Batches are cut here.
    if (chance(0.5)) await one.reaches("alerts", last)
  }
  const rules = new Map<string, RuleRow | undefined>()
  const alerts = new Map<string, AlertRow | undefined>()
  for (const event of await one.run(Stream.runCollect(one.log.replay()))) {
    const rule = ruleEntities.keyOf(event)
    if (rule !== undefined) rules.set(rule, foldRule(rules.get(rule), event))
    const alert = alertEntities.keyOf(event)
    if (alert !== undefined) alerts.set(alert, foldAlert(alerts.get(alert), event))
  }
  const compared = async (table: string, key: string, rows: ReadonlyMap<string, object | undefined>) => {
    const found = await db.query(`select to_jsonb(one) as row from tidemark.${table} one order by ${key}`)
    const kept = [...rows].flatMap(([, row]) => (row === undefined ? [] : [row])) as Array<
      Record<string, string>
    >
    const sorted = kept.toSorted((left, right) => (left[key]! < right[key]! ? -1 : 1))
    const dated = (row: object) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          /_at$|^since$/.test(name) && value !== null ? new Date(value as string).getTime() : value
        ])
      )
    expect(found.map(({ row }) => dated(row as object))).toEqual(sorted.map(dated))
    return found.length
  }
  await one.reaches("alerts", last)
  await one.reaches("alert_rules", last)
  expect(await compared("alerts", "alert_id", alerts)).toBeGreaterThan(3)
  await compared("alert_rules", "rule", rules)
  for (const definition of [builtIn.alerts, builtIn.alert_rules]) {
    const { verified } = await one.rebuild(definition, { verify: true })
    for (const { different, onlyLive, onlyRebuilt } of verified!.tables)
      expect([different, onlyLive, onlyRebuilt]).toEqual([0, 0, 0])
  }
})
