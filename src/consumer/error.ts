import { Schema } from "effect"
import { clause } from "../base/clause.ts"

/** A subscription of this name is there already, and wants other events than those asked for. */
export class SubscriptionChanged extends Schema.TaggedError<SubscriptionChanged>()("SubscriptionChanged", {
  subscription: Schema.String,
  /** The filters as JSON. */
  found: Schema.String,
  given: Schema.String
}) {
  override get message(): string {
    return `Subscription ${JSON.stringify(this.subscription)} is there with the filter ${this.found}, and this one wants ${this.given}. Nothing is handled here; change its filter by engine.subscription(name).change, or take another name.`
  }
}

/** There is no subscription of this name. */
export class UnknownSubscription extends Schema.TaggedError<UnknownSubscription>()("UnknownSubscription", {
  subscription: Schema.String
}) {
  override get message(): string {
    return `There is no subscription ${JSON.stringify(this.subscription)} in this log. Nothing was done; subscribe under that name to make it, or look in engine.subscriptions for those there are.`
  }
}

/** The subscription was deleted while this engine worked on it. */
export class SubscriptionDeleted extends Schema.TaggedError<SubscriptionDeleted>()("SubscriptionDeleted", {
  subscription: Schema.String
}) {
  override get message(): string {
    return `Subscription ${JSON.stringify(this.subscription)} was deleted while this engine handled its events. Nothing more is handled; subscribe again to make it anew.`
  }
}

/** This engine has a handler for the subscription already. */
export class AlreadySubscribed extends Schema.TaggedError<AlreadySubscribed>()("AlreadySubscribed", {
  subscription: Schema.String
}) {
  override get message(): string {
    return `This engine has a handler for subscription ${JSON.stringify(this.subscription)} already. Stop that one first, or make more partitions: one engine works on all that it owns side by side.`
  }
}

/** A partition of a subscription stopped at an event that its handler could not handle. */
export class SubscriptionStopped extends Schema.TaggedError<SubscriptionStopped>()("SubscriptionStopped", {
  subscription: Schema.String,
  partition: Schema.Int,
  position: Schema.Int,
  type: Schema.String,
  attempts: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `Partition ${this.partition} of subscription ${JSON.stringify(this.subscription)} stopped: event ${this.position} (${this.type}) could not be handled in ${this.attempts} attempts: ${clause(this.detail)}. Mend the handler, then resume the subscription: the event is tried again.`
  }
}

/** The event is not parked. */
export class NotParked extends Schema.TaggedError<NotParked>()("NotParked", {
  subscription: Schema.String,
  position: Schema.Int
}) {
  override get message(): string {
    return `Event ${this.position} is not parked in subscription ${JSON.stringify(this.subscription)}. Nothing was done; list what is parked.`
  }
}

/** Why nobody waits for a handler any more, as the reason of its signal; the events are handled again, here or elsewhere. */
export class HandlingCut extends Schema.TaggedError<HandlingCut>()("HandlingCut", {
  subscription: Schema.String,
  /**
   * Its time was up, its transaction sat idle, the subscription is being stopped here, this engine does not own the partition any
   * more, or somebody changes the subscription and waits for its transaction to end.
   */
  why: Schema.Literals(["deadline", "idle", "stop", "lost", "change"]),
  afterMs: Schema.Int
}) {
  override get message(): string {
    return `${CUTS[this.why]} (subscription ${JSON.stringify(this.subscription)}, after ${this.afterMs} ms). End what is under way; ${this.why === "deadline" || this.why === "idle" ? "it counts as a failed attempt" : "it is handled again by whoever owns it then"}.`
  }
}

const CUTS = {
  deadline: "The handler did not end before its deadline",
  idle: "The handler let its transaction sit idle for longer than an owner may",
  stop: "The subscription is being stopped",
  lost: "This engine does not own the partition any more",
  change: "The subscription is being changed, which waits for the handler's transaction"
} as const

export const ConsumerReason = Schema.Union([
  SubscriptionChanged,
  UnknownSubscription,
  SubscriptionDeleted,
  AlreadySubscribed,
  SubscriptionStopped,
  NotParked
])
export type ConsumerReason = typeof ConsumerReason.Type

/** What went wrong with a durable subscription; `reason` says which of the things that can. */
export class ConsumerError extends Schema.TaggedError<ConsumerError>()("ConsumerError", {
  reason: ConsumerReason
}) {
  override get message(): string {
    return this.reason.message
  }
}

export const consumerError = (reason: ConsumerReason): ConsumerError => new ConsumerError({ reason })
