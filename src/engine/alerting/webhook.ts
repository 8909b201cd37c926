import { Effect, Schema } from "effect"
import { clause } from "../../base/clause.ts"
import { signature } from "./signature.ts"

/** How long a receiver may take to answer, in ms. */
const TIMEOUT_MS = 10_000

const MS_PER_SECOND = 1_000

/** Where webhooks go, and what they are signed with. Both are secrets. */
export interface Destination {
  readonly url: string
  readonly secret: string
}

export interface Message {
  /** The same for each attempt, so that a receiver knows what it has already. */
  readonly id: string
  readonly body: string
}

/** Why a text is no place for webhooks, without telling it; undefined where it is one. */
export const urlProblem = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) return "is no http or https URL"
  return url.username === "" && url.password === ""
    ? undefined
    : "has a user or a password in it: leave them out"
}

/** A receiver has not taken a webhook. Its message does not tell where that was. */
export class WebhookFailed extends Schema.TaggedError<WebhookFailed>()("WebhookFailed", {
  /** Left out where there was no answer. */
  status: Schema.optionalKey(Schema.Int),
  detail: Schema.String
}) {
  override get message(): string {
    return `The receiver of webhooks has not taken this: ${clause(this.detail)}. See its log, and alertWebhookUrl.`
  }
}

/** What is known of a request without an answer: no message of the client, which may have the URL in it. */
const silence = (thrown: unknown, timeoutMs: number): WebhookFailed => {
  const { name, cause } = thrown as Error
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : name
  const detail = name === "TimeoutError" ? `no answer in ${timeoutMs} ms` : `no answer (${code})`
  return new WebhookFailed({ detail })
}

/**
 * Sends a message once, signed. Fails where the receiver does not answer with 2xx within 10 000 ms, or what is given; a redirection is not followed: whoever is
 * behind it was not configured.
 */
export const post = Effect.fnUntraced(function* (
  { url, secret }: Destination,
  { id, body }: Message,
  timeoutMs = TIMEOUT_MS
): Effect.fn.Return<void, WebhookFailed> {
  const at = Math.floor(Date.now() / MS_PER_SECOND)
  const headers = {
    "content-type": "application/json",
    "user-agent": "tidemark",
    "webhook-id": id,
    "webhook-timestamp": String(at),
    "webhook-signature": signature(secret, id, at, body)
  }
  const { status } = yield* Effect.tryPromise({
    try: async (interrupted) => {
      const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)])
      const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal })
      await response.body?.cancel()
      return response
    },
    catch: (thrown) => silence(thrown, timeoutMs)
  })
  if (status < 200 || status > 299)
    return yield* new WebhookFailed({ status, detail: `it answered ${status}` })
})
