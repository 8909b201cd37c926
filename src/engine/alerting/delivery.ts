import { Effect, Layer, Schedule } from "effect"
import { ALERT, AlertCleared, AlertRaised } from "../../../projections/alerts/events.ts"
import { Consumers } from "../../consumer/consumers.ts"
import type { HeldEvent } from "../../consumer/held.ts"
import type { RetryOptions } from "../../consumer/options.ts"
import type { Event } from "../../log/event.ts"
import { idOf } from "../../log/name.ts"
import { type Destination, type Message, post, type WebhookFailed } from "./webhook.ts"

/** The durable subscription that delivers alerts. */
export const ALERT_WEBHOOK = "alert-webhook"

/**
 * For a quarter of an hour, on average. Later alerts of a rule do not wait for one that cannot be delivered: somebody is to hear of
 * them.
 */
const RETRY = { attempts: 12, firstMs: 1_000, longestMs: 600_000, others: "pass" } as const

/** How often it is tried to subscribe, in ms, where the server or a role does not let it. */
const AGAIN_MS = 30_000

/** The receiver wants no more, for good. */
const GONE = 410

const TYPES: Readonly<Record<string, string>> = {
  [AlertRaised.type]: "alert.raised",
  [AlertCleared.type]: "alert.cleared"
}

/** What a receiver gets of an alert that was raised or cleared. */
export const messageOf = ({ id, stream, type, position, recordedAt, data }: Event): Message => {
  const alert = type === AlertRaised.type ? { alert: id } : {}
  const body = {
    type: TYPES[type],
    timestamp: recordedAt.toISOString(),
    data: { ...alert, ...(data as object), rule: idOf(stream), position }
  }
  return { id, body: JSON.stringify(body) }
}

/** One that is gone gets nothing more until somebody resumes the subscription; what it did not take is tried again then. */
const orPaused = (pause: Effect.Effect<void, unknown>) => (failure: WebhookFailed) => {
  const paused = Effect.andThen(
    Effect.ignore(pause),
    Effect.logError("the receiver of alerts is gone: their delivery is paused until it is resumed", {
      subscription: ALERT_WEBHOOK
    })
  )
  return Effect.andThen(failure.status === GONE ? paused : Effect.void, Effect.fail(failure))
}

const parked = ({ stream, position, errors }: HeldEvent) =>
  Effect.logError("an alert could not be delivered, and is parked", {
    subscription: ALERT_WEBHOOK,
    rule: idOf(stream),
    position,
    error: errors.at(-1)?.message
  })

/**
 * Delivers alerts by webhook as long as the engine is there, shared with all others that do: each that is raised or cleared from the first such
 * engine on, at least once. What cannot be delivered is tried again, then parked.
 */
export const alertDelivery = (
  to: Destination,
  retry: Pick<RetryOptions, "attempts" | "firstMs" | "longestMs"> = {}
): Layer.Layer<never, never, Consumers> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const consumers = yield* Consumers
      const run = Effect.runPromiseWith(yield* Effect.context<never>())
      const { pause } = consumers.control(ALERT_WEBHOOK)
      const options = {
        name: ALERT_WEBHOOK,
        categories: [ALERT],
        types: [AlertRaised.type, AlertCleared.type],
        retry: { ...RETRY, ...retry },
        onParked: (held: HeldEvent) => void run(parked(held))
      }
      const subscribe = consumers.subscribe(options, (event) =>
        Effect.catch(post(to, messageOf(event)), orPaused(pause))
      )
      // The log is there without it: an engine that cannot subscribe yet opens all the same.
      const later = Effect.forkScoped(
        Effect.retry(Effect.andThen(Effect.sleep(AGAIN_MS), subscribe), Schedule.spaced(0))
      )
      yield* Effect.catch(Effect.asVoid(subscribe), (cause) =>
        Effect.andThen(Effect.logWarning("alerts cannot be delivered now", { cause }), Effect.asVoid(later))
      )
    })
  )
