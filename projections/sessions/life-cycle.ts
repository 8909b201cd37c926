import { Schema } from "effect"

export const SessionStatus = Schema.Literals(["active", "ended", "expired"])
export type SessionStatus = typeof SessionStatus.Type

/** How long a session lasts after its last sign of life, in ms, unless who creates it says: a day. */
export const DEFAULT_TTL_MS = 86_400_000

/** Below that, a slow commit would be the end of a session. */
export const MIN_TTL_MS = 1_000

/** Ten years. */
export const MAX_TTL_MS = 315_360_000_000

/** How long a session lasts after its last sign of life, in ms. */
export const TtlMs = Schema.Int.check(Schema.isBetween({ minimum: MIN_TTL_MS, maximum: MAX_TTL_MS }))

/**
 * While the last sign of life is younger than this share of the TTL, another one is not recorded. So a session that is in use all the time writes 20
 * events per TTL, however often it is touched, and lasts at least 19/20 of its TTL after each touch.
 */
export const TOUCH_SHARE = 1 / 20

/** What may be done to a session in each status: one that is over stays over. */
export const ALLOWED: Readonly<Record<SessionStatus, ReadonlyArray<string>>> = {
  active: ["sessions.touch", "sessions.end"],
  ended: ["sessions.create with another id"],
  expired: ["sessions.create with another id"]
}
