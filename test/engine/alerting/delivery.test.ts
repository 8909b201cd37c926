import { createHmac } from "node:crypto"
import { Context, Layer, ManagedRuntime } from "effect"
import { pino } from "pino"
import { afterEach, describe, expect, test } from "vitest"
import { Consumers } from "../../../src/consumer/consumers.ts"
import { ALERT_WEBHOOK, alertDelivery } from "../../../src/engine/alerting/delivery.ts"
import { logLayer } from "../../../src/engine/layers.ts"
import { loggerLayer } from "../../../src/engine/logger.ts"
import { EventLog } from "../../../src/log/event-log.ts"
import { testLog } from "../../log/test-log.ts"
import { until } from "../../support/eventually.ts"
import { receiver } from "./receiver.ts"

// Nobody judges these alerts, of which there is no rule.
const log = testLog({ alertCheckMs: 3_600_000 })

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const ATTEMPTS = 3
const RETRY = { attempts: ATTEMPTS, firstMs: 1, longestMs: 5 }

const ending: Array<() => Promise<void>> = []
afterEach(async () => {
  await Promise.all(ending.splice(0).map((end) => end()))
  await log.engine.subscription(ALERT_WEBHOOK).delete()
})

/** A log with the delivery of alerts alone, which tries again at once, and what it writes to the engine's log. */
const delivering = async (url: string) => {
  const lines: Array<string> = []
  const logger = pino({ level: "trace" }, { write: (line) => lines.push(line) })
  const runtime = ManagedRuntime.make(
    alertDelivery({ url, secret }, RETRY).pipe(
      Layer.provideMerge(Consumers.layer()),
      Layer.provideMerge(logLayer({ database: log.db.url }, {})),
      Layer.provideMerge(loggerLayer(logger))
    )
  )
  ending.push(() => runtime.dispose())
  const { emit } = Context.get(await runtime.context(), EventLog)
  const raise = async (rule = "r") => {
    const data = {
      subject: "a",
      severity: "ERROR",
      kind: "metric",
      value: 7,
      threshold: 1,
      since: "2026-01-31T12:00:00Z",
      summary: "too much",
      ruleVersion: 1
    }
    const appended = await runtime.runPromise(emit(`alert-${rule}`, { type: "AlertRaised", data }))
    return { ...appended.events[0]!, position: appended.position }
  }
  return { lines, raise }
}

const parked = () => log.engine.subscription(ALERT_WEBHOOK).parked()

describe("alerts by webhook", () => {
  test("come once the receiver takes them, with the same id each time, signed each time", async () => {
    await using to = await receiver(500, 503, 200)
    const { raise } = await delivering(to.url)
    const { id, position } = await raise()
    const came = await to.came.reaches(3)
    expect(came.map(({ headers }) => headers["webhook-id"])).toEqual([id, id, id])
    const [{ body, headers }] = came.slice(-1) as [(typeof came)[number]]
    const key = Buffer.from(secret.slice("whsec_".length), "base64")
    const text = `${id}.${headers["webhook-timestamp"] as string}.${body}`
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(text).digest("base64")}`)
    expect(JSON.parse(body)).toMatchObject({
      type: "alert.raised",
      data: { alert: id, rule: "r", position, subject: "a", severity: "ERROR", summary: "too much" }
    })
    expect(await parked()).toEqual([])
  })

  test("are parked when they keep failing, and later ones of the rule come all the same", async () => {
    await using to = await receiver(500)
    const { raise, lines } = await delivering(to.url)
    const { position } = await raise()
    await until(async () => (await parked()).length === 1)
    expect(await parked()).toMatchObject([{ position, stream: "alert-r", attempts: ATTEMPTS }])
    expect(to.came.items).toHaveLength(ATTEMPTS)
    to.answer(200)
    const later = await raise()
    await to.came.first(({ headers }) => headers["webhook-id"] === later.id)
    expect((await parked())[0]!.errors.at(-1)!.message).toContain("it answered 500")
    await log.engine.subscription(ALERT_WEBHOOK).retry("all")
    await until(async () => (await parked()).length === 0)
    const told = await until(() => lines.find((line) => line.includes("is parked")))
    expect(JSON.parse(told)).toMatchObject({ level: 50, rule: "r", position, subscription: ALERT_WEBHOOK })
    // Neither the place nor the secret stands anywhere.
    const kept = await log.db.query("select to_jsonb(one)::text as row from tidemark.held_events one")
    const events = await log.db.query("select to_jsonb(one)::text as row from tidemark.log_events one")
    expect(lines.join() + JSON.stringify([kept, events])).not.toMatch(/hush|whsec_|MfKQ9r8/)
  })

  test("wait for somebody who resumes them where the receiver is gone, and none is lost", async () => {
    await using to = await receiver(410)
    const { raise, lines } = await delivering(to.url)
    const first = await raise()
    const { status, resume } = log.engine.subscription(ALERT_WEBHOOK)
    await until(async () => (await status()).state === "paused")
    expect(lines.join()).toContain("paused until it is resumed")
    const second = await raise("other")
    to.answer(200)
    const before = to.came.items.length
    await resume()
    const came = await to.came.reaches(before + 2)
    expect(new Set(came.slice(before).map(({ headers }) => headers["webhook-id"]))).toEqual(
      new Set([first.id, second.id])
    )
  })
})
