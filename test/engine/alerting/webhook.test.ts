import { createHmac } from "node:crypto"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { secretProblem, signature } from "../../../src/engine/alerting/signature.ts"
import { post, urlProblem } from "../../../src/engine/alerting/webhook.ts"
import { inTime } from "../../support/eventually.ts"
import { receiver } from "./receiver.ts"

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

const send = (url: string) =>
  Effect.runPromise(Effect.result(post({ url, secret }, { id: "msg_1", body: '{"a":"ä"}' })))

/** What went wrong; undefined where nothing did. */
const failureOf = async (url: string) => {
  const result = await send(url)
  return result._tag === "Failure" ? result.failure : undefined
}

test("a signature is the one of the example of Standard Webhooks", () => {
  const signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, '{"test": 2432232314}')
  expect(signed).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
})

test("a webhook is one signed request, with the time and the id that is signed", async () => {
  await using to = await receiver(204)
  expect(await failureOf(to.url)).toBeUndefined()
  const [{ headers, body }] = to.came.items as [(typeof to.came.items)[number]]
  expect(body).toBe('{"a":"ä"}')
  const at = Number(headers["webhook-timestamp"])
  expect(Math.abs(Date.now() / 1_000 - at)).toBeLessThan(60)
  const key = Buffer.from(secret.slice("whsec_".length), "base64")
  const expected = createHmac("sha256", key).update(`msg_1.${at}.${body}`).digest("base64")
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "webhook-id": "msg_1",
    "webhook-signature": `v1,${expected}`
  })
})

describe("a webhook has failed", () => {
  test.each([301, 307, 400, 401, 410, 429, 500, 503])("where the receiver answers %i", async (status) => {
    await using to = await receiver(status)
    const failure = await failureOf(to.url)
    expect(failure).toMatchObject({ _tag: "WebhookFailed", status })
    expect(failure!.message).not.toMatch(/hush|whsec|127\.0\.0\.1/)
    // A redirection is not followed.
    expect(to.came.items).toHaveLength(1)
  })

  test("where nobody is there, and its message tells no secret", async () => {
    const { url } = await (async () => {
      await using gone = await receiver(200)
      return { url: gone.url }
    })()
    const failure = await failureOf(url)
    expect(failure!.message).toMatch(/no answer \(ECONNREFUSED\)/)
    expect(failure!.status).toBeUndefined()
    expect(JSON.stringify(failure) + failure!.message).not.toMatch(/hush|whsec/)
  })

  test("where the receiver does not answer in time", async () => {
    await using to = await receiver("silence")
    const result = await Effect.runPromise(
      Effect.result(post({ url: to.url, secret }, { id: "m", body: "{}" }, 50))
    )
    expect(result).toMatchObject({ failure: { detail: "no answer in 50 ms" } })
  })

  test("and is given up where whoever sends it is interrupted", async () => {
    await using to = await receiver("silence")
    const controller = new AbortController()
    const sending = Effect.runPromise(post({ url: to.url, secret }, { id: "m", body: "{}" }), {
      signal: controller.signal
    })
    await to.came.reaches(1)
    controller.abort()
    await expect(inTime(sending)).rejects.toThrow()
  })
})

test.each([
  ["", false],
  ["alerts.example.com", false],
  ["ftp://alerts.example.com", false],
  ["file:///etc/passwd", false],
  ["https://ada:hush@alerts.example.com", false],
  ["https://hush@alerts.example.com", false],
  ["http://localhost:8080/hook?token=hush", true],
  ["https://alerts.example.com", true]
])("%j is a place for webhooks: %s", (url, is) => {
  expect(urlProblem(url) === undefined).toBe(is)
  expect(urlProblem(url) ?? "").not.toContain("hush")
})

const base64 = (bytes: number): string => Buffer.alloc(bytes, "hush").toString("base64")

test.each([
  ["", false],
  ["hush", false],
  [base64(32), false],
  [`whsec_${base64(23)}`, false],
  [`whsec_${base64(65)}`, false],
  [`whsec_${base64(32)} `, false],
  [`whsec_${base64(24)}`, true],
  [`whsec_${base64(64)}`, true]
])("%j is a secret to sign with: %s", (text, is) => {
  expect(secretProblem(text) === undefined).toBe(is)
  expect(secretProblem(text) ?? "").not.toMatch(/hush|aHVz/)
})
