import { expect, test } from "vitest"
import { testLog } from "../../log/test-log.ts"
import { until } from "../../support/eventually.ts"
import { receiver } from "./receiver.ts"

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const log = testLog({ alertCheckMs: 20 })

test("engines that are told where to deliver alerts: each comes from one of them, again where it was not taken", async () => {
  await using to = await receiver(503, 200)
  const options = { alertWebhookUrl: to.url, alertWebhookSecret: secret }
  const { alerts, systemEvents } = await log.open(options)
  await log.open(options)
  await alerts.setRule({ rule: "cries", when: { kind: "system_event", severity: "CRITICAL" } })
  await systemEvents.log({ type: "cry", severity: "CRITICAL" })
  const { alert } = await until(async () => (await alerts.list({ status: "open" }))[0])
  await alerts.removeRule({ rule: "cries" })
  const came = await to.came.reaches(3)
  const said = new Map(
    came.map(({ headers, body }) => [headers["webhook-id"], JSON.parse(body) as { data: object }])
  )
  expect([...said.values()]).toHaveLength(2)
  expect([...said.values()]).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        type: "alert.raised",
        data: expect.objectContaining({ alert, rule: "cries", kind: "system_event", subject: "fleet" })
      }),
      expect.objectContaining({
        type: "alert.cleared",
        data: expect.objectContaining({ alert, rule: "cries", why: "rule_removed" })
      })
    ])
  )
  expect(await log.engine.subscription("alert-webhook").parked()).toEqual([])
})
